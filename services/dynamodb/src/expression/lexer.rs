//! Texts to tokens. Every token knows where it stands, for the texts of syntax errors.

/// A piece of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A bare word: keyword, function or attribute name.
    Word(&'a str),
    /// `#name`, with its sign.
    NamePlaceholder(&'a str),
    /// `:value`, with its colon.
    ValuePlaceholder(&'a str),
    /// Digits.
    Integer(&'a str),
    /// Punctuation or operator.
    Symbol(&'a str),
    /// What no expression contains.
    Stranger(&'a str),
    /// Behind the last token.
    End,
}

/// A token and the bytes of the text that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All tokens of `text`; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Vec<Placed<'_>> {
    let mut found = Vec::with_capacity(text.len() / 3 + 1);
    let mut at = 0;
    while let Some(placed) = next(text, at) {
        at = placed.end;
        found.push(placed);
    }
    found.push(Placed { token: Token::End, start: text.len(), end: text.len() });
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn next(text: &str, from: usize) -> Option<Placed<'_>> {
    let bytes = text.as_bytes();
    let start = from + bytes[from..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    let rest = &bytes[start..];
    let run = |from: usize, accept: fn(u8) -> bool| {
        from + rest[from..].iter().position(|byte| !accept(*byte)).unwrap_or(rest.len() - from)
    };
    let slice = |length: usize| &text[start..start + length];
    let (token, length) = match rest[0] {
        b'#' if rest.get(1).is_some_and(|byte| is_word(*byte)) => {
            let length = run(1, is_word);
            (Token::NamePlaceholder(slice(length)), length)
        }
        b':' if rest.get(1).is_some_and(|byte| is_word(*byte)) => {
            let length = run(1, is_word);
            (Token::ValuePlaceholder(slice(length)), length)
        }
        b'0'..=b'9' => {
            let length = run(0, |byte| byte.is_ascii_digit());
            (Token::Integer(slice(length)), length)
        }
        byte if is_word(byte) => {
            let length = run(0, is_word);
            (Token::Word(slice(length)), length)
        }
        b'<' if matches!(rest.get(1), Some(b'=' | b'>')) => (Token::Symbol(slice(2)), 2),
        b'>' if rest.get(1) == Some(&b'=') => (Token::Symbol(slice(2)), 2),
        b'.' | b'[' | b']' | b'(' | b')' | b',' | b'=' | b'<' | b'>' | b'+' | b'-' => {
            (Token::Symbol(slice(1)), 1)
        }
        _ => {
            let length = text[start..].chars().next().map_or(1, char::len_utf8);
            (Token::Stranger(slice(length)), length)
        }
    };
    Some(Placed { token, start, end: start + length })
}
