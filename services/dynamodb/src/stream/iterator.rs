//! Shard iterators: a stream, a place in it and the time at which the iterator was given out, as one text.

use base::{Fault, Timestamp};
use store::log::Position;

use crate::api_streams::error;
use crate::stream::position;

/// How long an iterator can be used.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html>
const LIFE_MS: i64 = 15 * 60 * 1_000;

/// A place in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Iterator {
    /// The stream's ARN.
    pub stream: String,
    /// When it was given out, in milliseconds since the epoch.
    pub given: Timestamp,
    /// The next record's place, or one in front of it; `None` for the oldest record there is.
    pub from: Option<Position>,
}

impl Iterator {
    /// The text that clients carry.
    pub(crate) fn text(&self) -> String {
        let from = self.from.map_or_else(|| "oldest".to_owned(), position::sequence_number);
        format!("{}|{}|{from}", self.stream, self.given.as_millis())
    }

    /// From a client's text; refuses what [`Iterator::text`] does not make, and what is too old at `now`.
    pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Iterator, Fault> {
        let invalid = || Fault::validation("Invalid ShardIterator");
        let mut parts = text.split('|');
        let (Some(stream), Some(given), Some(from), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid());
        };
        let given = given.parse().ok().map(Timestamp::from_millis).ok_or_else(invalid)?;
        let from = match from {
            "oldest" => None,
            number => Some(position::parse(number).ok_or_else(invalid)?),
        };
        if now.as_millis() - given.as_millis() > LIFE_MS {
            return Err(error::expired_iterator_exception(format!(
                "Iterator expired. The iterator was created at time {} while right now it is {} which is further in the \
                 future than the tolerated delay of {LIFE_MS} milliseconds.",
                given.to_iso_millis(),
                now.to_iso_millis()
            )));
        }
        Ok(Iterator { stream: stream.to_owned(), given, from })
    }
}

#[cfg(test)]
mod tests {
    use store::Version;

    use super::*;

    #[test]
    fn iterators_come_back_for_fifteen_minutes() {
        let given = Timestamp::from_millis(1_767_225_600_000);
        let stream =
            "arn:aws:dynamodb:eu-central-1:000000000000:table/t/stream/2026-01-01T00:00:00.000".to_owned();
        for from in [None, Some(Position { version: Version(7), index: 3 })] {
            let iterator = Iterator { stream: stream.clone(), given, from };
            let late = Timestamp::from_millis(given.as_millis() + LIFE_MS);
            assert_eq!(Iterator::parse(&iterator.text(), late).unwrap(), iterator);
            let too_late = Timestamp::from_millis(given.as_millis() + LIFE_MS + 1);
            let fault = Iterator::parse(&iterator.text(), too_late).unwrap_err();
            assert_eq!(fault.code, "ExpiredIteratorException");
        }
        for text in ["", "a|b|c", "a|1", "a|1|oldest|x", "a|1|17"] {
            assert_eq!(Iterator::parse(text, given).unwrap_err().message, "Invalid ShardIterator");
        }
    }
}
