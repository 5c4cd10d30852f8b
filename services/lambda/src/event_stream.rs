//! Answers as event streams: what `InvokeWithResponseStream` sends. Here an answer is sent when it is complete.
//!
//! Source: <https://smithy.io/2.0/aws/amazon-eventstream.html>

use base::Document;

/// The content type of an event stream.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// The most bytes of one message's payload.
const CHUNK_BYTES_MAX: usize = 65_536;
/// The type of a header whose value is a text.
const TEXT: u8 = 7;

/// An answer in chunks, and the message that ends it.
pub(crate) fn of_answer(payload: &[u8], complete: &Document) -> Vec<u8> {
    let mut stream = Vec::with_capacity(payload.len() + 512);
    for chunk in payload.chunks(CHUNK_BYTES_MAX) {
        write(&mut stream, "PayloadChunk", "application/octet-stream", chunk);
    }
    write(&mut stream, "InvokeComplete", "application/json", complete.to_string().as_bytes());
    stream
}

/// Total length, length of the headers, their sum, headers, payload, sum of all.
fn write(out: &mut Vec<u8>, event: &str, content_type: &str, payload: &[u8]) {
    let mut headers = Vec::with_capacity(128);
    for (name, value) in [(":event-type", event), (":content-type", content_type), (":message-type", "event")]
    {
        // All of them are constants of a few bytes.
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(TEXT);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let start = out.len();
    let total = (16 + headers.len() + payload.len()) as u32;
    out.extend_from_slice(&total.to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    let prelude = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&prelude.to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    let sum = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The event types and payloads of a stream whose lengths and sums hold.
    fn read(mut stream: &[u8]) -> Vec<(String, Vec<u8>)> {
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap());
        let mut events = Vec::new();
        while !stream.is_empty() {
            let (total, headers) = (number(stream) as usize, number(&stream[4..]) as usize);
            assert_eq!(number(&stream[8..]), crc32fast::hash(&stream[..8]));
            assert_eq!(number(&stream[total - 4..]), crc32fast::hash(&stream[..total - 4]));
            let named = String::from_utf8_lossy(&stream[12..12 + headers]).into_owned();
            let event = ["PayloadChunk", "InvokeComplete"].into_iter().find(|name| named.contains(name));
            events.push((event.unwrap().to_owned(), stream[12 + headers..total - 4].to_vec()));
            stream = &stream[total..];
        }
        events
    }

    #[test]
    fn an_answer_comes_in_chunks_and_ends() {
        let answer = vec![b'x'; CHUNK_BYTES_MAX + 1];
        let events = read(&of_answer(&answer, &serde_json::json!({})));
        let sizes: Vec<(&str, usize)> =
            events.iter().map(|(name, bytes)| (name.as_str(), bytes.len())).collect();
        assert_eq!(sizes, [("PayloadChunk", CHUNK_BYTES_MAX), ("PayloadChunk", 1), ("InvokeComplete", 2)]);
        assert_eq!(read(&of_answer(b"", &serde_json::json!({}))).len(), 1);
    }
}
