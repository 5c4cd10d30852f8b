//! The JSON tokens of a pattern, one after the other, with the reasons and positions that EventBridge's own parser
//! gives. A tree would lose what the pattern language needs: the text of numbers, fields that are set twice, and where
//! things stand.

use crate::error::InvalidPattern;
use crate::json::{self, Cursor};
use crate::limits::DEPTH_MAX;

/// As much of the pattern as a position quotes.
const QUOTED_CHARS_MAX: usize = 500;
const EXPECTED: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// One token. The text of names, strings and numbers is in [`Tokens::text`].
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
    cursor: Cursor<'a>,
    frames: Vec<Frame>,
    after_name: bool,
    /// Where the reader stands as far as a refusal of the last token is concerned: a string is not read to its end
    /// before someone asks for it, and after a name the value is already begun.
    mark: usize,
    text: String,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let cursor = Cursor::new(source);
        Self { source, cursor, frames: Vec::new(), after_name: false, mark: 0, text: String::new() }
    }

    /// The decoded name or string, or the number as written, that was read last.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The pattern's text.
    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    /// Where the last token ends, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.cursor.pos
    }

    pub(crate) fn next(&mut self) -> Result<Token, InvalidPattern> {
        self.cursor.skip_space();
        if std::mem::take(&mut self.after_name) {
            return self.value();
        }
        let Some(frame) = self.frames.last_mut() else {
            return self.value();
        };
        let (object, begun) = (frame.object, frame.begun);
        frame.begun = true;
        match self.cursor.peek() {
            Some(b'}') if object => return Ok(self.close(Token::ObjectEnd)),
            Some(b']') if !object => return Ok(self.close(Token::ArrayEnd)),
            Some(b',') if begun => {
                self.cursor.pos += 1;
                self.cursor.skip_space();
            }
            Some(_) if begun => {
                let kind = if object { "Object" } else { "Array" };
                return Err(self.unexpected(&format!("was expecting comma to separate {kind} entries")));
            }
            _ => {}
        }
        if object { self.name() } else { self.value() }
    }

    fn close(&mut self, token: Token) -> Token {
        self.frames.pop();
        self.cursor.pos += 1;
        self.mark = self.cursor.pos;
        token
    }

    fn name(&mut self) -> Result<Token, InvalidPattern> {
        if self.cursor.peek() != Some(b'"') {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.string()?;
        self.cursor.skip_space();
        if self.cursor.peek() != Some(b':') {
            return Err(self.unexpected("was expecting a colon to separate field name and value"));
        }
        self.cursor.pos += 1;
        self.cursor.skip_space();
        self.after_name = true;
        let mut ahead = self.cursor;
        self.mark = match ahead.peek() {
            Some(b'"' | b'{' | b'[') => ahead.pos + 1,
            Some(_) if ahead.skip_value(0).is_ok() => ahead.pos,
            _ => self.cursor.pos,
        };
        Ok(Token::Name)
    }

    fn value(&mut self) -> Result<Token, InvalidPattern> {
        let start = self.cursor.pos;
        let token = match self.cursor.peek() {
            Some(b'{') => self.open(true)?,
            Some(b'[') => self.open(false)?,
            Some(b'"') => {
                self.string()?;
                self.mark = start + 1;
                return Ok(Token::Str);
            }
            Some(b'-' | b'0'..=b'9') => {
                self.cursor.number().map_err(|error| self.syntax(error.reason, error.offset))?;
                self.text.clear();
                self.text.push_str(&self.source[start..self.cursor.pos]);
                Token::Number
            }
            Some(byte) if byte.is_ascii_alphabetic() => self.word()?,
            _ => return Err(self.unexpected(&format!("expected a valid value {EXPECTED}"))),
        };
        self.mark = self.cursor.pos;
        Ok(token)
    }

    fn open(&mut self, object: bool) -> Result<Token, InvalidPattern> {
        if self.frames.len() >= DEPTH_MAX {
            return Err(self
                .refuse_here(&format!("Document nesting depth exceeds the maximum allowed ({DEPTH_MAX})")));
        }
        self.frames.push(Frame { object, start: self.cursor.pos, begun: false });
        self.cursor.pos += 1;
        Ok(if object { Token::ObjectStart } else { Token::ArrayStart })
    }

    fn word(&mut self) -> Result<Token, InvalidPattern> {
        let rest = &self.source[self.cursor.pos..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
        let word = &rest[..end];
        self.cursor.pos += end;
        match word {
            "true" => Ok(Token::True),
            "false" => Ok(Token::False),
            "null" => Ok(Token::Null),
            _ => Err(self.refuse_here(&format!("Unrecognized token '{word}': was expecting {EXPECTED}"))),
        }
    }

    fn string(&mut self) -> Result<(), InvalidPattern> {
        let raw = self.cursor.string().map_err(|error| self.string_error(error.offset))?;
        self.text.clear();
        if raw.escaped {
            json::decode(&self.source[raw.start..raw.end], &mut self.text);
        } else {
            self.text.push_str(&self.source[raw.start..raw.end]);
        }
        Ok(())
    }

    fn string_error(&mut self, offset: usize) -> InvalidPattern {
        let rest = &self.source[offset.min(self.source.len())..];
        let mut chars = rest.chars();
        let reason = match (chars.next(), chars.next()) {
            (None, _) => {
                self.cursor.pos = self.source.len();
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
        let Some(found) = self.source[self.cursor.pos..].chars().next() else {
            return self.ended();
        };
        let offset = self.cursor.pos;
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
        self.cursor.pos = offset + width;
        self.refuse_here(reason)
    }

    /// Refuses the token that was read last.
    pub(crate) fn refuse(&self, reason: &str) -> InvalidPattern {
        invalid(self.source, reason, self.mark)
    }

    /// Refuses at the end of the token that was read last.
    pub(crate) fn refuse_here(&self, reason: &str) -> InvalidPattern {
        invalid(self.source, reason, self.cursor.pos)
    }

    /// Refuses without saying where, as EventBridge does for what it only finds in a value.
    pub(crate) fn refuse_value(&self, reason: &str) -> InvalidPattern {
        InvalidPattern { message: reason.to_owned(), ..invalid(self.source, reason, self.cursor.pos) }
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
