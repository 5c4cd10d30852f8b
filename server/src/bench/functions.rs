//! The row of Lambda.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::api::{Connection, Head, LAMBDA, pause};
use super::load::{Figures, Subject, percentiles};
use super::queues::PATIENCE;

const HANDLER: &str = "exports.handler = async (event) => ({ doubled: event.number * 2 });\n";

/// Calls before the measured ones, and the measured ones.
const WARMING: usize = 20;
const SAMPLES: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    state: Option<String>,
}

/// Warm calls of a function of Node that does nothing to speak of, one at a time.
///
/// # Errors
/// A request failed, or the function did not answer what it should.
pub(crate) async fn invoke(subject: &Subject) -> anyhow::Result<Figures> {
    let name = format!("{}-node", subject.prefix);
    let functions = "/2015-03-31/functions";
    let path = |method, path: &str| subject.address.path(&LAMBDA, method, path);
    let mut connection = subject.address.connect().await?;
    let input = json!({
        "FunctionName": name, "Runtime": "nodejs22.x", "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/bench", "Code": {"ZipFile": BASE64_STANDARD.encode(package()?)},
    });
    let _: Value = connection.ask(&path(Method::POST, functions)?, &input).await?;
    let configuration = path(Method::GET, &format!("{functions}/{name}/configuration"))?;
    until_active(&mut connection, &configuration).await?;
    let head = path(Method::POST, &format!("{functions}/{name}/invocations"))?;
    let body = Bytes::from_static(br#"{"number":21}"#);
    let mut times = Vec::with_capacity(SAMPLES);
    for number in 0..WARMING + SAMPLES {
        let start = Instant::now();
        let answer = connection.send(&head, body.clone()).await?;
        if number >= WARMING {
            times.push(start.elapsed());
        }
        ensure!(answer == r#"{"doubled":42}"#, "the function answered {answer:?}");
    }
    Ok(Figures { millis: percentiles(&mut times), ..Figures::default() })
}

async fn until_active(connection: &mut Connection, head: &Head) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let body = connection.send(head, Bytes::new()).await?;
        let found: Configuration = serde_json::from_slice(&body)?;
        match found.state.as_deref() {
            // Servers that know no states have functions that are always ready.
            None | Some("Active") => return Ok(()),
            Some("Pending") if Instant::now() < until => pause(Duration::from_millis(10)).await,
            Some(state) => bail!("the function is {state}"),
        }
    }
}

fn package() -> anyhow::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("index.js", SimpleFileOptions::default().unix_permissions(0o644))?;
    writer.write_all(HANDLER.as_bytes())?;
    Ok(writer.finish()?.into_inner())
}
