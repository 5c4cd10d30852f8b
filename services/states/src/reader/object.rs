//! Objects of S3 as readers read them: by ranges, of one version of their content, and unpacked.

use std::io::Read;
use std::ops::Range;

use base::Fault;
use base::schema::Blob;
use kernel::Effect;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most bytes of one object that are held, unpacked. Parquet files and plain ones of lines and rows may be larger: they
/// are not read whole.
pub(super) const BYTES_MAX: u64 = 512 << 20;
/// The bytes of one call: a document carries them as text.
const PIECE_BYTES: u64 = 8 << 20;
/// What files begin with that are packed.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// An object that holds items, or says where they are.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// The parameters of the call that reads it.
    parameters: Value,
}

/// Some bytes of an object.
pub(super) struct Piece {
    pub bytes: Vec<u8>,
    /// How many bytes the object has.
    pub total: u64,
    /// The tag of this content.
    pub etag: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    body: Option<String>,
    content_range: Option<String>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

impl Object {
    /// The object that a reader's parameters name.
    pub(super) fn of(parameters: &Value) -> Self {
        let names = ["Bucket", "Key", "VersionId", "ExpectedBucketOwner"];
        let given = |name: &str| Some((name.to_owned(), parameters.get(name)?.clone()));
        Self { parameters: Value::Object(names.into_iter().filter_map(given).collect()) }
    }

    /// The object of that key.
    pub(super) fn at(bucket: &str, key: &str) -> Self {
        Self { parameters: json!({ "Bucket": bucket, "Key": key }) }
    }

    /// Another object of the same bucket.
    pub(super) fn named(mut self, key: &str) -> Self {
        self.parameters["Key"] = json!(key);
        self
    }

    /// As `$$.Map.Item.Source` shows it.
    pub(super) fn uri(&self) -> String {
        format!("S3://{}/{}", self.text("Bucket"), self.text("Key"))
    }

    /// Whether a version is asked for.
    pub(super) fn names_version(&self) -> bool {
        self.parameters.get("VersionId").is_some()
    }

    fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Why the object is none that can be read, as the cause of `States.ItemReaderFailed`.
    pub(super) fn unreadable(&self, why: &str) -> Fault {
        failed(&self.uri(), Fault::new("ItemReaderFailed", why))
    }

    /// The whole object, unpacked if it is packed with gzip or zstd.
    pub(super) async fn read(&self, effect: &Effect) -> Result<Vec<u8>, Fault> {
        let first = self.piece(effect, &format!("bytes=0-{}", PIECE_BYTES - 1), None).await?;
        let Piece { mut bytes, total, etag } = first;
        if total > BYTES_MAX {
            return Err(self.unreadable(&too_large()));
        }
        while (bytes.len() as u64) < total {
            let from = bytes.len() as u64;
            bytes.extend(self.range(effect, from..total.min(from + PIECE_BYTES), &etag).await?);
        }
        unpacked(bytes, BYTES_MAX).map_err(|why| self.unreadable(&why))
    }

    /// These bytes of the content with that tag.
    pub(super) async fn range(
        &self,
        effect: &Effect,
        range: Range<u64>,
        etag: &str,
    ) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        while range.start + (all.len() as u64) < range.end {
            let from = range.start + all.len() as u64;
            let to = range.end.min(from + PIECE_BYTES);
            let piece = self.piece(effect, &format!("bytes={from}-{}", to - 1), Some(etag)).await?;
            if piece.bytes.is_empty() {
                return Err(self.unreadable("it ends too early"));
            }
            all.extend(piece.bytes);
        }
        Ok(all)
    }

    /// Some bytes; none of an object that is empty.
    pub(super) async fn piece(
        &self,
        effect: &Effect,
        range: &str,
        etag: Option<&str>,
    ) -> Result<Piece, Fault> {
        let mut parameters = self.parameters.clone();
        parameters["Range"] = json!(range);
        if let Some(etag) = etag {
            parameters["IfMatch"] = json!(etag);
        }
        let answer = match effect.call("s3", "GetObject", parameters.to_string().into()).await {
            Ok(answer) => answer,
            Err(fault) if fault.code == "InvalidRange" => {
                return Ok(Piece { bytes: Vec::new(), total: 0, etag: String::new() });
            }
            Err(fault) => return Err(failed(&self.uri(), fault)),
        };
        let answer: Answer =
            serde_json::from_slice(&answer).map_err(|error| self.unreadable(&error.to_string()))?;
        let body = answer.body.as_deref().and_then(Blob::from_base64).unwrap_or_default();
        let bytes = body.as_bytes().to_vec();
        let range = answer.content_range.unwrap_or_default();
        let total = range.rsplit('/').next().and_then(|total| total.parse().ok());
        Ok(Piece { total: total.unwrap_or(bytes.len() as u64), bytes, etag: answer.etag.unwrap_or_default() })
    }
}

/// A failure whose message names what was to be read.
pub(super) fn failed(uri: &str, fault: Fault) -> Fault {
    let message = format!("Attempting to read items of {uri} failed: {}", fault.message);
    Fault { message, ..fault }
}

/// Whether a file that begins so is packed with gzip or zstd.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || bytes.starts_with(&ZSTD)
}

/// What a file holds that is packed with gzip or zstd; another file is what it is.
fn unpacked(bytes: Vec<u8>, at_most: u64) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let more = at_most + 1;
    let read = match &bytes[..] {
        packed if packed.starts_with(&GZIP) => {
            flate2::read::MultiGzDecoder::new(&bytes[..]).take(more).read_to_end(&mut plain)
        }
        packed if packed.starts_with(&ZSTD) => {
            zstd::Decoder::new(&bytes[..]).and_then(|decoder| decoder.take(more).read_to_end(&mut plain))
        }
        _ => return Ok(bytes),
    };
    read.map_err(|error| error.to_string())?;
    if plain.len() as u64 > at_most { Err(too_large()) } else { Ok(plain) }
}

fn too_large() -> String {
    format!("it holds more than {BYTES_MAX} bytes")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn files_are_unpacked_and_bombs_are_not() {
        let text = b"a line\n".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        for file in [text.clone(), gzip.clone(), zstd.clone(), [&gzip[..], &[]].concat()] {
            assert_eq!(unpacked(file, 7000).unwrap(), text);
        }
        for file in [gzip.clone(), zstd] {
            assert_eq!(unpacked(file, 6999), Err(too_large()));
        }
        assert!(unpacked(gzip[..gzip.len() / 2].to_vec(), 7000).is_err());
    }

    #[test]
    fn an_object_is_what_the_parameters_name() {
        let given = json!({ "Bucket": "b", "Prefix": "p", "ExpectedBucketOwner": "1", "MaxKeys": 3 });
        let object = Object::of(&given).named("k/1");
        assert_eq!(object.parameters, json!({ "Bucket": "b", "ExpectedBucketOwner": "1", "Key": "k/1" }));
        assert_eq!(object.uri(), "S3://b/k/1");
        assert!(!object.names_version());
    }
}
