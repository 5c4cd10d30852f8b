//! `Custom::CDKBucketDeployment` without its function: archives from one bucket become the files of another.
//!
//! The construct's own function runs a command line tool from a layer, which wants paths that only AWS's machines have. The properties
//! are those that the construct writes: <https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_s3_deployment-readme.html>

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};

use base::schema::Blob;
use base::{Document, Fault};
use kernel::Effect;
use serde_json::{Map, json};
use zip::ZipArchive;

use super::media::{is_chosen, media_type};
use super::{Failure, Made, Properties};

/// What all archives of a deployment may hold, unpacked.
const UNPACKED_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Copies what the properties name, and takes away what they do not name any more.
pub(crate) async fn deploy(
    effect: &Effect,
    id: &str,
    old: Option<&Properties>,
    properties: &Properties,
) -> Result<Made, Failure> {
    let wanted = Wanted::read(properties).map_err(|what| refused(&what))?;
    let mut files = BTreeMap::new();
    for source in &wanted.sources {
        let body = body(effect, &source.bucket, &source.key).await?;
        match wanted.extract {
            true => unpack(&body, source, &mut files).map_err(|what| refused(&what))?,
            false => {
                let name = source.key.rsplit('/').next().unwrap_or(&source.key);
                files.insert(name.to_owned(), body);
            }
        }
    }
    files.retain(|name, _| is_chosen(name, &wanted.exclude, &wanted.include));
    let names: BTreeSet<String> = files.keys().map(|name| wanted.target.key(name)).collect();
    for (name, body) in files {
        put(effect, &wanted, &name, body).await?;
    }
    if wanted.prune {
        let stale = |key: &str| {
            let name = wanted.target.name_of(key);
            !names.contains(key) && name.is_some_and(|name| is_chosen(name, &wanted.exclude, &wanted.include))
        };
        clear(effect, &wanted.target, stale).await?;
    }
    let before = old.and_then(|old| Wanted::read(old).ok());
    if let Some(before) = before.filter(|before| before.target != wanted.target && !before.retain) {
        clear(effect, &before.target, |_| true).await?;
    }
    let keys = if wanted.tells_keys { properties.get("SourceObjectKeys").cloned() } else { Some(json!([])) };
    let mut attributes = Map::new();
    attributes
        .insert("DestinationBucketArn".to_owned(), format!("arn:aws:s3:::{}", wanted.target.bucket).into());
    attributes.insert("SourceObjectKeys".to_owned(), keys.unwrap_or_default());
    Ok(Made { id: id.to_owned(), reference: id.into(), attributes, ready: true })
}

/// Takes the files away, unless they are to stay, which is the default.
pub(crate) async fn delete(effect: &Effect, properties: &Properties) -> Result<(), Failure> {
    match Wanted::read(properties) {
        Ok(wanted) if !wanted.retain => clear(effect, &wanted.target, |_| true).await,
        _ => Ok(()),
    }
}

fn refused(what: &str) -> Failure {
    Failure { fault: Fault::new("InvalidRequest", what), service: "s3", id: None, untouched: false }
}

/// An archive in a bucket, and what stands in it for values that only the deployment knows.
struct Archive {
    bucket: String,
    key: String,
    markers: Vec<(String, String)>,
}

/// A bucket, and what all keys of the deployment in it begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    bucket: String,
    prefix: String,
}

impl Target {
    fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    /// The name of a file of the deployment.
    fn name_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.prefix.is_empty() { Some(key) } else { key.strip_prefix(&self.prefix)?.strip_prefix('/') }
    }
}

struct Wanted {
    sources: Vec<Archive>,
    target: Target,
    extract: bool,
    prune: bool,
    retain: bool,
    tells_keys: bool,
    exclude: Vec<String>,
    include: Vec<String>,
    /// Inputs of `PutObject`.
    headers: Map<String, Document>,
}

const KNOWN: [&str; 19] = [
    "DestinationBucketArn",
    "DestinationBucketKeyPrefix",
    "DestinationBucketName",
    "DistributionId",
    "DistributionPaths",
    "Exclude",
    "Extract",
    "Include",
    "OutputObjectKeys",
    "Prune",
    "RetainOnDelete",
    "ServiceToken",
    "SignContent",
    "SourceBucketNames",
    "SourceMarkers",
    "SourceMarkersConfig",
    "SourceObjectKeys",
    "SystemMetadata",
    "UserMetadata",
];

impl Wanted {
    fn read(properties: &Properties) -> Result<Wanted, String> {
        let unknown =
            |name: &&String| !KNOWN.contains(&name.as_str()) && *name != "WaitForDistributionInvalidation";
        if let Some(name) = properties.keys().find(unknown) {
            return Err(format!("#: extraneous key [{name}] is not permitted"));
        }
        if properties.contains_key("DistributionId") {
            return Err(
                "the invalidation of a CloudFront distribution is not supported by Buswork".to_owned()
            );
        }
        let text = |name: &str| properties.get(name).and_then(Document::as_str);
        let target = Target {
            bucket: text("DestinationBucketName").ok_or("DestinationBucketName is missing")?.to_owned(),
            prefix: text("DestinationBucketKeyPrefix").unwrap_or_default().trim_matches('/').to_owned(),
        };
        let truth = |name: &str, default: bool| {
            properties.get(name).map_or(default, |value| *value == true || *value == *"true")
        };
        Ok(Wanted {
            sources: sources(properties)?,
            target,
            extract: truth("Extract", true),
            prune: truth("Prune", true),
            retain: truth("RetainOnDelete", true),
            tells_keys: truth("OutputObjectKeys", true),
            exclude: texts(properties, "Exclude"),
            include: texts(properties, "Include"),
            headers: headers(properties)?,
        })
    }
}

fn texts(properties: &Properties, name: &str) -> Vec<String> {
    let items = properties.get(name).and_then(Document::as_array);
    items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn sources(properties: &Properties) -> Result<Vec<Archive>, String> {
    let (buckets, keys) = (texts(properties, "SourceBucketNames"), texts(properties, "SourceObjectKeys"));
    if buckets.len() != keys.len() {
        return Err("SourceBucketNames and SourceObjectKeys are not of one length".to_owned());
    }
    let at = |name: &str, index: usize| properties.get(name).and_then(|list| list.get(index));
    let source = |(index, (bucket, key)): (usize, (String, String))| {
        let config = at("SourceMarkersConfig", index).and_then(|config| config.get("jsonEscape"));
        let escapes = config.is_some_and(|escape| *escape == true || *escape == *"true");
        let value = |value: &Document| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if escapes { escaped(&text) } else { text }
        };
        let markers = at("SourceMarkers", index).and_then(Document::as_object);
        let markers = markers.into_iter().flatten().map(|(name, text)| (name.clone(), value(text))).collect();
        Archive { bucket, key, markers }
    };
    Ok(buckets.into_iter().zip(keys).enumerate().map(source).collect())
}

/// As the inside of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = Document::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The metadata that every file gets, as inputs of `PutObject`.
fn headers(properties: &Properties) -> Result<Map<String, Document>, String> {
    const SYSTEM: [(&str, &str); 8] = [
        ("cache-control", "CacheControl"),
        ("content-disposition", "ContentDisposition"),
        ("content-encoding", "ContentEncoding"),
        ("content-language", "ContentLanguage"),
        ("content-type", "ContentType"),
        ("expires", "Expires"),
        ("sse", "ServerSideEncryption"),
        ("storage-class", "StorageClass"),
    ];
    let mut headers = Map::new();
    if let Some(user) = properties.get("UserMetadata") {
        headers.insert("Metadata".to_owned(), user.clone());
    }
    for (name, value) in properties.get("SystemMetadata").and_then(Document::as_object).into_iter().flatten()
    {
        let known = SYSTEM.iter().find(|(known, _)| known == name);
        let (_, input) = known.ok_or_else(|| format!("SystemMetadata {name} is not supported by Buswork"))?;
        headers.insert((*input).to_owned(), value.clone());
    }
    Ok(headers)
}

async fn call(effect: &Effect, operation: &str, input: Document) -> Result<Document, Failure> {
    let answer = effect.call("s3", operation, input.to_string().into()).await;
    let answer = answer.map_err(|fault| Failure { fault, service: "s3", id: None, untouched: false })?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}

async fn body(effect: &Effect, bucket: &str, key: &str) -> Result<Vec<u8>, Failure> {
    let answer = call(effect, "GetObject", json!({ "Bucket": bucket, "Key": key })).await?;
    let blob = answer.get("Body").and_then(Document::as_str).and_then(Blob::from_base64).unwrap_or_default();
    Ok(blob.as_bytes().to_vec())
}

/// The files of an archive, their markers replaced. A later archive's file goes before an earlier one's of its name.
fn unpack(body: &[u8], source: &Archive, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let broken = |error: &dyn std::fmt::Display| format!("{} is no archive: {error}", source.key);
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(|error| broken(&error))?;
    let mut left = UNPACKED_BYTES_MAX.saturating_sub(files.values().map(|file| file.len() as u64).sum());
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| broken(&error))?;
        let Some(path) = entry.enclosed_name().filter(|_| entry.is_file()) else { continue };
        let name = path.to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.take(left + 1).read_to_end(&mut content).map_err(|error| broken(&error))?;
        left = left
            .checked_sub(content.len() as u64)
            .ok_or_else(|| format!("{} holds more than {UNPACKED_BYTES_MAX} bytes", source.key))?;
        files.insert(name, replaced(content, &source.markers));
    }
    Ok(())
}

/// Markers stand in texts; what is no text has none.
fn replaced(content: Vec<u8>, markers: &[(String, String)]) -> Vec<u8> {
    if markers.is_empty() {
        return content;
    }
    match String::from_utf8(content) {
        Ok(text) => {
            markers.iter().fold(text, |text, (marker, value)| text.replace(marker, value)).into_bytes()
        }
        Err(error) => error.into_bytes(),
    }
}

async fn put(effect: &Effect, wanted: &Wanted, name: &str, body: Vec<u8>) -> Result<(), Failure> {
    let mut input = Document::Object(wanted.headers.clone());
    input["Bucket"] = wanted.target.bucket.as_str().into();
    input["Key"] = wanted.target.key(name).into();
    if let (None, Some(kind)) = (input.get("ContentType"), media_type(name)) {
        input["ContentType"] = kind.into();
    }
    input["Body"] = Blob::from(body).to_base64().into();
    call(effect, "PutObject", input).await.map(drop)
}

/// Deletes the files of a deployment that `doomed` chooses. A bucket that is gone has none.
async fn clear(effect: &Effect, target: &Target, doomed: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let prefix = if target.prefix.is_empty() { String::new() } else { format!("{}/", target.prefix) };
    let mut token: Option<Document> = None;
    loop {
        let mut input = json!({ "Bucket": target.bucket, "Prefix": prefix });
        if let Some(token) = token.take() {
            input["ContinuationToken"] = token;
        }
        let page = match call(effect, "ListObjectsV2", input).await {
            Err(failure) if super::run::is_gone(&failure.fault) => return Ok(()),
            page => page?,
        };
        let keys =
            page["Contents"].as_array().into_iter().flatten().filter_map(|object| object["Key"].as_str());
        for key in keys.filter(|key| doomed(key)) {
            call(effect, "DeleteObject", json!({ "Bucket": target.bucket, "Key": key })).await?;
        }
        token = page.get("NextContinuationToken").filter(|token| !token.is_null()).cloned();
        if token.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_become_values() {
        let given = json!({
            "DestinationBucketName": "to", "SourceBucketNames": ["a"], "SourceObjectKeys": ["k.zip"],
            "SourceMarkers": [{"<<m>>": "say \"hi\""}], "SourceMarkersConfig": [{"jsonEscape": true}]
        });
        let wanted = Wanted::read(given.as_object().unwrap()).unwrap();
        let content = replaced(b"{\"text\": \"<<m>>\"}".to_vec(), &wanted.sources[0].markers);
        assert_eq!(String::from_utf8(content).unwrap(), r#"{"text": "say \"hi\""}"#);
        assert_eq!(replaced(vec![0xff, 0xfe], &wanted.sources[0].markers), [0xff, 0xfe]);
    }

    #[test]
    fn what_is_not_honoured_is_refused() {
        for (name, expected) in [("DistributionId", "CloudFront"), ("Frob", "extraneous key [Frob]")] {
            let mut given =
                json!({"DestinationBucketName": "to", "SourceBucketNames": [], "SourceObjectKeys": []});
            given[name] = "x".into();
            let refused = Wanted::read(given.as_object().unwrap()).err().unwrap();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
