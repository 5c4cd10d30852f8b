//! Reads paths.

use crate::variables::{continues_name, starts_name};

use super::{Function, Path, PathError, Root, SEGMENTS_MAX, Segment, Selector};

pub(super) type Parsed<T> = Result<T, PathError>;

pub(super) fn path(text: &str) -> Parsed<(Path, usize)> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    if !parser.eat('$') {
        return parser.fail("a path starts with '$'");
    }
    let variable = parser.variable();
    let root = match variable {
        Some(_) => Root::Variable,
        None if parser.eat('$') => Root::Context,
        None => Root::Input,
    };
    let segments = parser.segments()?;
    let path = Path { text: text[..parser.at].to_owned(), root, variable, segments };
    Ok((path, parser.at))
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) depth: usize,
}

/// Ends an unquoted name.
fn ends_name(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '.' | '[' | ']' | '(' | ')' | '\'' | '"' | ',' | '*' | '=' | '!' | '<' | '>' | '&' | '|' | '?'
        )
}

impl Parser<'_> {
    pub(super) fn fail<T>(&self, message: &'static str) -> Parsed<T> {
        Err(PathError { at: self.at, message })
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    pub(super) fn eat_text(&mut self, wanted: &str) -> bool {
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    pub(super) fn expect(&mut self, wanted: char, message: &'static str) -> Parsed<()> {
        if self.eat(wanted) { Ok(()) } else { self.fail(message) }
    }

    pub(super) fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += self.peek().map_or(0, char::len_utf8);
        }
    }

    /// The name of a variable, behind the `$`.
    fn variable(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        rest.chars().next().filter(|c| starts_name(*c))?;
        let length = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
        self.at += length;
        Some(rest[..length].to_owned())
    }

    pub(super) fn segments(&mut self) -> Parsed<Vec<Segment>> {
        let mut segments: Vec<Segment> = Vec::new();
        loop {
            let segment = if self.eat('.') {
                let deep = self.eat('.');
                let selectors = if deep && self.eat('[') { self.bracket()? } else { vec![self.dotted()?] };
                Segment { deep, selectors }
            } else if self.eat('[') {
                Segment { deep: false, selectors: self.bracket()? }
            } else {
                return Ok(segments);
            };
            if segments.len() >= SEGMENTS_MAX {
                return self.fail("too many segments");
            }
            let ends = matches!(segment.selectors.as_slice(), [Selector::Function(_)]);
            segments.push(segment);
            if ends {
                return Ok(segments);
            }
        }
    }

    /// What follows a dot: `*`, a name, or a function.
    fn dotted(&mut self) -> Parsed<Selector> {
        if self.eat('*') {
            return Ok(Selector::Wildcard);
        }
        let rest = &self.text[self.at..];
        let length = rest.find(ends_name).unwrap_or(rest.len());
        if length == 0 {
            return self.fail("expected a name");
        }
        let name = &rest[..length];
        self.at += length;
        if !self.eat_text("()") {
            return Ok(Selector::Name(name.to_owned()));
        }
        Ok(Selector::Function(match name {
            "length" | "size" => Function::Length,
            "min" => Function::Min,
            "max" => Function::Max,
            "avg" => Function::Avg,
            "sum" => Function::Sum,
            "keys" => Function::Keys,
            _ => return self.fail("unknown function"),
        }))
    }

    /// What stands between brackets; the opening one is eaten.
    fn bracket(&mut self) -> Parsed<Vec<Selector>> {
        let mut selectors = Vec::new();
        loop {
            self.blanks();
            selectors.push(self.selector()?);
            self.blanks();
            if self.eat(']') {
                return Ok(selectors);
            }
            self.expect(',', "expected ',' or ']'")?;
        }
    }

    fn selector(&mut self) -> Parsed<Selector> {
        match self.peek() {
            Some('*') => {
                self.at += 1;
                Ok(Selector::Wildcard)
            }
            Some('\'' | '"') => Ok(Selector::Name(self.quoted()?)),
            Some('?') => {
                self.at += 1;
                Ok(Selector::Filter(Box::new(self.filter()?)))
            }
            Some('(') => self.script(),
            Some(c) if c == ':' || c == '-' || c.is_ascii_digit() => self.index_or_slice(),
            _ => self.fail("expected a name, an index, '*' or a filter"),
        }
    }

    /// `(@.length-1)`: counted from the end.
    fn script(&mut self) -> Parsed<Selector> {
        self.at += 1;
        self.blanks();
        if !(self.eat_text("@.length()") || self.eat_text("@.length")) {
            return self.fail("expected '@.length'");
        }
        self.blanks();
        self.expect('-', "expected '-'")?;
        self.blanks();
        let back = self.integer()?;
        self.blanks();
        self.expect(')', "expected ')'")?;
        if back < 1 {
            return self.fail("expected a positive number");
        }
        Ok(Selector::Index(-back))
    }

    fn integer(&mut self) -> Parsed<i64> {
        let rest = &self.text[self.at..];
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - sign);
        match rest[..sign + digits].parse::<i64>() {
            Ok(number) if digits <= 15 => {
                self.at += sign + digits;
                Ok(number)
            }
            _ => self.fail("expected an integer"),
        }
    }

    fn bound(&mut self) -> Parsed<Option<i64>> {
        self.blanks();
        let bound = match self.peek() {
            Some(c) if c == '-' || c.is_ascii_digit() => Some(self.integer()?),
            _ => None,
        };
        self.blanks();
        Ok(bound)
    }

    fn index_or_slice(&mut self) -> Parsed<Selector> {
        let start = self.bound()?;
        if !self.eat(':') {
            return start.map_or_else(|| self.fail("expected an index"), |index| Ok(Selector::Index(index)));
        }
        let end = self.bound()?;
        let step = if self.eat(':') { self.bound()?.unwrap_or(1) } else { 1 };
        Ok(Selector::Slice { start, end, step })
    }

    /// A string in single or double quotes, with backslash escapes.
    pub(super) fn quoted(&mut self) -> Parsed<String> {
        let Some(quote) = self.peek() else { return self.fail("expected a string") };
        self.at += 1;
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                c if c == quote => return Ok(out),
                '\\' => out.push(self.escape()?),
                c => out.push(c),
            }
        }
        self.fail("a string does not end")
    }

    fn escape(&mut self) -> Parsed<char> {
        let Some(c) = self.peek() else { return self.fail("a string does not end") };
        self.at += c.len_utf8();
        Ok(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => return self.unicode_escape(),
            other => other,
        })
    }

    fn unicode_escape(&mut self) -> Parsed<char> {
        let unit = self.hex4()?;
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit).map_or_else(|| self.fail("bad escape"), Ok);
        }
        if !self.eat_text("\\u") {
            return self.fail("bad escape");
        }
        let low = self.hex4()?;
        let code = 0x10000 + ((unit - 0xD800) << 10) + low.wrapping_sub(0xDC00);
        match char::from_u32(code) {
            Some(c) if (0xDC00..0xE000).contains(&low) => Ok(c),
            _ => self.fail("bad escape"),
        }
    }

    fn hex4(&mut self) -> Parsed<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => self.fail("bad escape"),
        }
    }
}
