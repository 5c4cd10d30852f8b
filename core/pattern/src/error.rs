//! What can be wrong with a pattern and with an event.

/// A pattern that EventBridge would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidPattern {
    /// The reason in EventBridge's words, ready to stand after "Event pattern is not valid. Reason: ". It ends with
    /// the position (`\n at [Source: (String)"…"; line: 1, column: 8]`) where AWS gives one.
    pub message: String,
    /// The bare reason, without the position.
    pub reason: String,
    /// Line of the refusal, from 1.
    pub line: usize,
    /// Column of the refusal in UTF-16 units, from 1: as AWS counts, one past the last character that was read.
    pub column: usize,
}

/// An event that is no JSON object, or no JSON at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event is not valid JSON: {reason} at byte {offset}")]
pub struct InvalidEvent {
    /// What was wrong, as a lower-case fragment.
    pub reason: &'static str,
    /// Where, in bytes from 0.
    pub offset: usize,
}
