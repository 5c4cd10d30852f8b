//! Tokens of pages: where a reader stands among the events of a group.

use base::{Fault, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::keys::EventKey;

/// An event that a page ended or began with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    pub at: i64,
    pub stream: String,
    pub seq: u64,
    pub index: u32,
}

impl Place {
    pub(crate) fn of(key: &EventKey) -> Place {
        Place { at: key.at.as_millis(), stream: key.stream.clone(), seq: key.seq, index: key.index }
    }

    /// The event's id: digits that rise with time.
    pub(crate) fn event_id(&self) -> String {
        format!("{:020}{:020}{:08}", self.at, self.seq, self.index)
    }

    pub(crate) fn key(&self, group: &str) -> EventKey {
        EventKey {
            group: group.to_owned(),
            stream: self.stream.clone(),
            at: Timestamp::from_millis(self.at),
            seq: self.seq,
            index: self.index,
        }
    }

    /// `f/…` goes on behind the place, `b/…` in front of it, as AWS's tokens do.
    pub(crate) fn token(&self, direction: char) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        format!("{direction}/{}", URL_SAFE_NO_PAD.encode(text))
    }

    pub(crate) fn parse(token: &str) -> Result<(char, Place), Fault> {
        let invalid = || fault::invalid("The specified nextToken is invalid.");
        let (direction, rest) = token.split_once('/').ok_or_else(invalid)?;
        let direction = direction.chars().next().filter(|c| matches!(c, 'f' | 'b')).ok_or_else(invalid)?;
        let text = URL_SAFE_NO_PAD.decode(rest).map_err(|_| invalid())?;
        Ok((direction, serde_json::from_slice(&text).map_err(|_| invalid())?))
    }
}
