//! The JSON tokens of a pattern, one after the other, with the reasons and positions that EventBridge's own parser
//! gives. A tree would lose what the pattern language needs: the text of numbers, fields that are set twice, and where
//! things stand.

use crate::decode::decode;
use crate::error::InvalidPattern;
use crate::json::{self, at, space};
use crate::limits::DEPTH_MAX;

/// As much of the pattern as a position quotes.
const QUOTED_CHARS_MAX: usize = 500;
const EXPECTED: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// One token. Its text is in [`Tokens::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Name,
    Str,
    Number,
    True,
    False,
    Null,
}

struct Frame {
    object: bool,
    start: usize,
    /// Whether something stands in it already, so that a comma must come next.
    begun: bool,
}

/// Reads tokens from a pattern's text.
pub(crate) struct Tokens<'a> {
    source: &'a str,
    pos: usize,
    frames: Vec<Frame>,
    after_name: bool,
    /// Where the reader stands as far as a refusal of the last token is concerned: a string is not read to its end
    /// before someone asks for it, and after a name the value is already begun.
    mark: usize,
    text: String,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, pos: 0, frames: Vec::new(), after_name: false, mark: 0, text: String::new() }
    }

    /// The decoded name or string, or any other token as written, that was read last.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn bytes(&self) -> &'a [u8] {
        self.source.as_bytes()
    }

    /// The pattern's text.
    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    /// Where the last token ends, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.pos
    }

    pub(crate) fn next(&mut self) -> Result<Token, InvalidPattern> {
        self.pos = space(self.bytes(), self.pos);
        if std::mem::take(&mut self.after_name) {
            return self.value();
        }
        let Some(frame) = self.frames.last_mut() else {
            return self.value();
        };
        let (object, begun) = (frame.object, frame.begun);
        frame.begun = true;
        match self.bytes().get(self.pos) {
            Some(b'}') if object => return Ok(self.close(Token::ObjectEnd, "}")),
            Some(b']') if !object => return Ok(self.close(Token::ArrayEnd, "]")),
            Some(b',') if begun => {
                self.pos += 1;
                self.pos = space(self.bytes(), self.pos);
            }
            Some(_) if begun => {
                let kind = if object { "Object" } else { "Array" };
                return Err(self.unexpected(&format!("was expecting comma to separate {kind} entries")));
            }
            _ => {}
        }
        if object { self.name() } else { self.value() }
    }

    fn close(&mut self, token: Token, text: &str) -> Token {
        self.set_text(text);
        self.frames.pop();
        self.pos += 1;
        self.mark = self.pos;
        token
    }

    fn set_text(&mut self, text: &str) {
        self.text.clear();
        self.text.push_str(text);
    }

    fn name(&mut self) -> Result<Token, InvalidPattern> {
        if self.bytes().get(self.pos) != Some(&b'"') {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.string()?;
        self.pos = space(self.bytes(), self.pos);
        if self.bytes().get(self.pos) != Some(&b':') {
            return Err(self.unexpected("was expecting a colon to separate field name and value"));
        }
        self.pos += 1;
        self.pos = space(self.bytes(), self.pos);
        self.after_name = true;
        self.mark = match at(self.bytes(), self.pos) {
            b'"' | b'{' | b'[' => self.pos + 1,
            _ => json::skip_value(self.bytes(), self.pos, 0).unwrap_or(self.pos),
        };
        Ok(Token::Name)
    }

    fn value(&mut self) -> Result<Token, InvalidPattern> {
        let start = self.pos;
        let token = match self.bytes().get(self.pos) {
            Some(b'{') => self.open(true)?,
            Some(b'[') => self.open(false)?,
            Some(b'"') => {
                self.string()?;
                self.mark = start + 1;
                return Ok(Token::Str);
            }
            Some(b'-' | b'0'..=b'9') => {
                self.pos = json::number(self.bytes(), start)
                    .map_err(|malformed| self.syntax(malformed.reason(), malformed.offset()))?;
                self.set_text(&self.source[start..self.pos]);
                Token::Number
            }
            Some(byte) if byte.is_ascii_alphabetic() => self.word()?,
            _ => return Err(self.unexpected(&format!("expected a valid value {EXPECTED}"))),
        };
        self.mark = self.pos;
        Ok(token)
    }

    fn open(&mut self, object: bool) -> Result<Token, InvalidPattern> {
        if self.frames.len() >= DEPTH_MAX {
            return Err(self
                .refuse_here(&format!("Document nesting depth exceeds the maximum allowed ({DEPTH_MAX})")));
        }
        self.frames.push(Frame { object, start: self.pos, begun: false });
        self.pos += 1;
        self.set_text(if object { "{" } else { "[" });
        Ok(if object { Token::ObjectStart } else { Token::ArrayStart })
    }

    fn word(&mut self) -> Result<Token, InvalidPattern> {
        let rest = &self.source[self.pos..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
        let word = &rest[..end];
        self.pos += end;
        self.set_text(word);
        match word {
            "true" => Ok(Token::True),
            "false" => Ok(Token::False),
            "null" => Ok(Token::Null),
            _ => Err(self.refuse_here(&format!("Unrecognized token '{word}': was expecting {EXPECTED}"))),
        }
    }

    fn string(&mut self) -> Result<(), InvalidPattern> {
        let start = self.pos + 1;
        let (end, escaped) =
            json::string(self.bytes(), start).map_err(|malformed| self.string_error(malformed.offset()))?;
        self.pos = end + 1;
        self.text.clear();
        if escaped {
            decode(&self.source[start..end], &mut self.text);
        } else {
            self.text.push_str(&self.source[start..end]);
        }
        Ok(())
    }

    fn string_error(&mut self, offset: usize) -> InvalidPattern {
        let rest = &self.source[offset.min(self.source.len())..];
        let mut chars = rest.chars();
        let reason = match (chars.next(), chars.next()) {
            (None, _) => {
                self.pos = self.source.len();
                return self.refuse_here("Unexpected end-of-input in VALUE_STRING");
            }
            (Some('\\'), Some(c)) if c != 'u' => {
                format!("Unrecognized character escape '{c}' (code {})", u32::from(c))
            }
            (Some('\\'), _) => {
                "Unexpected character: expected a hex-digit for character escape sequence".to_owned()
            }
            (Some(c), _) => format!(
                "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped using backslash to be included \
                 in string value",
                u32::from(c)
            ),
        };
        self.syntax(&reason, offset)
    }

    fn unexpected(&mut self, wanted: &str) -> InvalidPattern {
        let Some(found) = self.source[self.pos..].chars().next() else {
            return self.ended();
        };
        let offset = self.pos;
        self.syntax(
            &format!("Unexpected character ('{found}' (code {})): {wanted}", u32::from(found)),
            offset,
        )
    }

    fn ended(&mut self) -> InvalidPattern {
        match self.frames.last() {
            Some(frame) => {
                let kind = if frame.object { "Object" } else { "Array" };
                let start = position(self.source, frame.start);
                self.refuse_here(&format!(
                    "Unexpected end-of-input: expected close marker for {kind} (start marker at {start})"
                ))
            }
            None => self.refuse_here("Unexpected end-of-input"),
        }
    }

    /// A fault of the text at `offset`; the position is one past the character there.
    fn syntax(&mut self, reason: &str, offset: usize) -> InvalidPattern {
        let width = self.source[offset.min(self.source.len())..].chars().next().map_or(0, char::len_utf8);
        self.pos = offset + width;
        self.refuse_here(reason)
    }

    /// Refuses the token that was read last.
    pub(crate) fn refuse(&self, reason: &str) -> InvalidPattern {
        invalid(self.source, reason, self.mark)
    }

    /// Refuses at the end of the token that was read last.
    pub(crate) fn refuse_here(&self, reason: &str) -> InvalidPattern {
        invalid(self.source, reason, self.pos)
    }

    /// Refuses without saying where, as EventBridge does for what it only finds in a value.
    pub(crate) fn refuse_value(&self, reason: &str) -> InvalidPattern {
        InvalidPattern { message: reason.to_owned(), ..invalid(self.source, reason, self.pos) }
    }
}

fn invalid(source: &str, reason: &str, offset: usize) -> InvalidPattern {
    let (line, column) = line_and_column(source, offset);
    let message = format!("{reason}\n at {}", position(source, offset));
    InvalidPattern { message, reason: reason.to_owned(), line, column }
}

fn position(source: &str, offset: usize) -> String {
    let (line, column) = line_and_column(source, offset);
    let length = source.chars().count();
    let cut = source.char_indices().nth(QUOTED_CHARS_MAX).map_or(source.len(), |(at, _)| at);
    let mut position = format!("[Source: (String)\"{}\"", &source[..cut]);
    if length > QUOTED_CHARS_MAX {
        position.push_str(&format!("[truncated {} chars]", length - QUOTED_CHARS_MAX));
    }
    position.push_str(&format!("; line: {line}, column: {column}]"));
    position
}

fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].encode_utf16().count() + 1)
}
