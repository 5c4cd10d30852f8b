//! Reads filters: what stands behind `[?`.

use regex::RegexBuilder;
use serde_json::{Number, Value};

use super::filter::{Filter, Operand, Operator};
use super::parse::{Parsed, Parser};

/// Parentheses and negations within a filter.
const DEPTH_MAX: usize = 32;
/// Compiled size of one regular expression in bytes.
const REGEX_SIZE_MAX: usize = 1 << 20;

impl Parser<'_> {
    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { self.fail("too deeply nested") } else { Ok(()) }
    }

    pub(super) fn filter(&mut self) -> Parsed<Filter> {
        self.deeper()?;
        let mut any = vec![self.conjunction()?];
        while self.eat_text("||") {
            any.push(self.conjunction()?);
        }
        self.depth -= 1;
        Ok(Filter::any(any))
    }

    fn conjunction(&mut self) -> Parsed<Filter> {
        let mut all = vec![self.term()?];
        while self.eat_text("&&") {
            all.push(self.term()?);
        }
        Ok(Filter::all(all))
    }

    /// A negation, a parenthesis, a comparison or the test whether something is there.
    fn term(&mut self) -> Parsed<Filter> {
        self.blanks();
        let term = if self.peek() == Some('!') {
            self.at += 1;
            self.deeper()?;
            let inner = self.term()?;
            self.depth -= 1;
            Filter::Not(Box::new(inner))
        } else if self.eat('(') {
            let inner = self.filter()?;
            self.blanks();
            self.expect(')', "expected ')'")?;
            inner
        } else {
            self.comparison()?
        };
        self.blanks();
        Ok(term)
    }

    fn comparison(&mut self) -> Parsed<Filter> {
        let left = self.operand()?;
        self.blanks();
        let Some(operator) = self.operator() else {
            return match left {
                Operand::Path { .. } => Ok(Filter::Exists(left)),
                _ => self.fail("expected a comparison"),
            };
        };
        self.blanks();
        let mut right = self.operand()?;
        if operator == Operator::Matches {
            right = self.pattern_operand(right)?;
        }
        Ok(Filter::Compare(left, operator, right))
    }

    fn operator(&mut self) -> Option<Operator> {
        const SIGNS: [(&str, Operator); 7] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("=~", Operator::Matches),
        ];
        const WORDS: [(&str, Operator); 8] = [
            ("in", Operator::In),
            ("nin", Operator::NotIn),
            ("subsetof", Operator::SubsetOf),
            ("anyof", Operator::AnyOf),
            ("noneof", Operator::NoneOf),
            ("contains", Operator::Contains),
            ("size", Operator::Size),
            ("empty", Operator::Empty),
        ];
        for (sign, operator) in SIGNS {
            if self.eat_text(sign) {
                return Some(operator);
            }
        }
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let word = rest[..length].to_ascii_lowercase();
        let (_, operator) = WORDS.into_iter().find(|(name, _)| *name == word)?;
        self.at += length;
        Some(operator)
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.peek() {
            Some('@' | '$') => {
                let current = self.peek() == Some('@');
                self.at += 1;
                Ok(Operand::Path { current, segments: self.segments()? })
            }
            Some('/') => self.regex(),
            _ => Ok(Operand::Literal(self.literal()?)),
        }
    }

    fn literal(&mut self) -> Parsed<Value> {
        match self.peek() {
            Some('\'' | '"') => Ok(Value::String(self.quoted()?)),
            Some('[') => self.list(),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number(),
            _ if self.eat_text("true") => Ok(Value::Bool(true)),
            _ if self.eat_text("false") => Ok(Value::Bool(false)),
            _ if self.eat_text("null") => Ok(Value::Null),
            _ => self.fail("expected a value"),
        }
    }

    fn list(&mut self) -> Parsed<Value> {
        self.deeper()?;
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        while !self.eat(']') {
            if !items.is_empty() {
                self.expect(',', "expected ',' or ']'")?;
                self.blanks();
            }
            items.push(self.literal()?);
            self.blanks();
        }
        self.depth -= 1;
        Ok(Value::Array(items))
    }

    fn number(&mut self) -> Parsed<Value> {
        let rest = &self.text[self.at..];
        let part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
        match rest[..length].parse::<Number>() {
            Ok(number) => {
                self.at += length;
                Ok(Value::Number(number))
            }
            Err(_) => self.fail("expected a number"),
        }
    }

    /// `/pattern/flags`.
    fn regex(&mut self) -> Parsed<Operand> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        while let Some(c) = self.peek() {
            if c == '/' && !escaped {
                break;
            }
            escaped = c == '\\' && !escaped;
            self.at += c.len_utf8();
        }
        let pattern = self.text[start..self.at].replace("\\/", "/");
        self.expect('/', "a regular expression does not end")?;
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let flags = &rest[..length];
        self.at += length;
        self.compile(&pattern, flags)
    }

    fn pattern_operand(&self, operand: Operand) -> Parsed<Operand> {
        match operand {
            Operand::Literal(Value::String(pattern)) => self.compile(&pattern, ""),
            Operand::Regex(regex) => Ok(Operand::Regex(regex)),
            _ => self.fail("expected a regular expression"),
        }
    }

    /// Jayway asks for a match of the whole text.
    fn compile(&self, pattern: &str, flags: &str) -> Parsed<Operand> {
        let compiled = RegexBuilder::new(&format!("^(?:{pattern})$"))
            .case_insensitive(flags.contains('i'))
            .multi_line(flags.contains('m'))
            .dot_matches_new_line(flags.contains('s'))
            .size_limit(REGEX_SIZE_MAX)
            .build();
        compiled.map_or_else(|_| self.fail("bad regular expression"), |regex| Ok(Operand::Regex(regex)))
    }
}
