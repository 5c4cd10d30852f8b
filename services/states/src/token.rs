//! Task tokens: they name the execution, the wait and a random number, so that no row is needed to find the task.

use asl::WaitId;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::arn::ExecutionId;

/// The first byte of every token: its format.
const FORMAT: u8 = 1;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub execution: ExecutionId,
    pub wait: WaitId,
    /// Told apart from what somebody made up.
    pub nonce: u64,
}

impl Token {
    /// As callers see it.
    pub(crate) fn to_text(&self) -> String {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.nonce.to_be_bytes());
        bytes.extend(self.wait.to_be_bytes());
        bytes.extend(self.execution.as_str().as_bytes());
        STANDARD.encode(bytes)
    }

    /// `None` for what we never gave out.
    pub(crate) fn parse(text: &str) -> Option<Token> {
        let bytes = STANDARD.decode(text).ok()?;
        let (&FORMAT, rest) = bytes.split_first()? else { return None };
        let (nonce, rest) = rest.split_first_chunk::<8>()?;
        let (wait, id) = rest.split_first_chunk::<8>()?;
        Some(Token {
            execution: ExecutionId::from_key(std::str::from_utf8(id).ok()?)?,
            wait: u64::from_be_bytes(*wait),
            nonce: u64::from_be_bytes(*nonce),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_nonsense_is_none() {
        let token = Token { execution: ExecutionId::new("m", "e"), wait: 7, nonce: u64::MAX - 1 };
        assert_eq!(Token::parse(&token.to_text()), Some(token));
        for text in ["", "nonsense", "AQ==", "AgAAAAAAAAAAAAAAAAAAAABtOmU=", "AQAAAAAAAAAAAAAAAAAAAABt"] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }
}
