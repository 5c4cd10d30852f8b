//! A custom runtime for tests and measurements: speaks the Runtime API over one socket and does what the event says.
//!
//! `{"exit": 3}` ends the process, `{"hang": true}` never answers, `{"error": "text"}` reports an error, `{"print": "text"}` prints
//! and echoes, `{"stream": "text"}` answers in chunks, `{"break": "text"}` breaks a stream off with an error, `{"stall": true}` echoes and asks for nothing more. Anything else is echoed.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

const BASE: &str = "/2018-06-01/runtime";

fn main() -> io::Result<()> {
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    let stream = TcpStream::connect(&address)?;
    stream.set_nodelay(true)?;
    let mut api = Api { reader: BufReader::new(stream.try_clone()?), writer: stream, address };
    if std::env::var_os("FAIL_INIT").is_some() {
        let body = json!({ "errorType": "Init.Failed", "errorMessage": "told to fail" }).to_string();
        api.call("POST", "/init/error", &error_header("Init.Failed"), body.as_bytes())?;
        std::process::exit(1);
    }
    loop {
        let (request_id, event) = api.call("GET", "/invocation/next", "", b"")?;
        serve(&mut api, &request_id, &event)?;
    }
}

fn serve(api: &mut Api, request_id: &str, event: &[u8]) -> io::Result<()> {
    let value: Value = serde_json::from_slice(event).unwrap_or_default();
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    if let Some(code) = value["exit"].as_i64() {
        std::process::exit(i32::try_from(code).unwrap_or(1));
    }
    if value["hang"].as_bool() == Some(true) {
        // Reads what never comes.
        let _ = api.reader.read(&mut [0])?;
    }
    if let Some(message) = text("error") {
        let body = json!({ "errorType": "Told", "errorMessage": message }).to_string();
        let target = format!("/invocation/{request_id}/error");
        return api.call("POST", &target, &error_header("Told"), body.as_bytes()).map(drop);
    }
    if let Some(line) = text("print") {
        writeln!(io::stdout(), "{line}")?;
    }
    match (text("stream"), text("break")) {
        (Some(answer), _) => api.stream(request_id, &answer, false),
        (None, Some(answer)) => api.stream(request_id, &answer, true),
        (None, None) => {
            api.call("POST", &format!("/invocation/{request_id}/response"), "", event)?;
            if value["stall"].as_bool() == Some(true) {
                let _ = api.reader.read(&mut [0])?;
            }
            Ok(())
        }
    }
}

fn error_header(error_type: &str) -> String {
    format!("Lambda-Runtime-Function-Error-Type: {error_type}\r\n")
}

struct Api {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    address: String,
}

impl Api {
    /// The request id and the body of the answer.
    fn call(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<(String, Vec<u8>)> {
        let mut request = format!(
            "{method} {BASE}{target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.writer.write_all(&request)?;
        self.answer()
    }

    fn stream(&mut self, request_id: &str, answer: &str, broken: bool) -> io::Result<()> {
        let mut request = format!(
            "POST {BASE}/invocation/{request_id}/response HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\
             Content-Type: text/plain\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n\
             Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n",
            self.address
        );
        for byte in answer.as_bytes().chunks(2) {
            request.push_str(&format!("{:x}\r\n{}\r\n", byte.len(), String::from_utf8_lossy(byte)));
        }
        request.push_str("0\r\n");
        if broken {
            // {"errorType":"Broken"}
            request.push_str("Lambda-Runtime-Function-Error-Type: Broken\r\n");
            request.push_str("Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJCcm9rZW4ifQ==\r\n");
        }
        request.push_str("\r\n");
        self.writer.write_all(request.as_bytes())?;
        self.answer().map(drop)
    }

    fn answer(&mut self) -> io::Result<(String, Vec<u8>)> {
        let (mut request_id, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() {
                    break;
                } else {
                    continue;
                };
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "lambda-runtime-aws-request-id" => request_id = value.to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok((request_id, body))
    }
}
