//! What all parsers share: the cursor over the tokens, paths, and the two sorts of errors.
//!
//! A syntax error ends the parsing. An error of meaning (a reserved word, an unknown placeholder) is noted and reported
//! only if the syntax holds to the end, because AWS checks the syntax first.

use base::Fault;

use super::lexer::{Placed, Token, tokens};
use super::path::{Path, Segment};
use super::placeholders::Placeholders;
use super::reserved::is_reserved;
use super::{Kind, OPERATORS_MAX, TEXT_BYTES_MAX};
use crate::value::AttributeValue;

/// The deepest that conditions and functions may nest: more than 300 operators can build.
pub(super) const DEPTH_MAX: usize = 310;
/// The deepest path. From "Quotas in Amazon DynamoDB", expression parameters.
const PATH_DEPTH_MAX: usize = 32;

pub(super) struct Parser<'a, 'p> {
    pub(super) kind: Kind,
    text: &'a str,
    tokens: Vec<Placed<'a>>,
    at: usize,
    placeholders: &'p Placeholders<'a>,
    noted: Option<Fault>,
    operators: usize,
    depth: usize,
    /// Function calls that are open.
    pub(super) calls: usize,
}

static NOTHING: AttributeValue = AttributeValue::Null;

impl<'a, 'p> Parser<'a, 'p> {
    pub(super) fn new(
        kind: Kind,
        text: &'a str,
        placeholders: &'p Placeholders<'a>,
    ) -> Result<Parser<'a, 'p>, Fault> {
        if text.len() > TEXT_BYTES_MAX {
            let size = if kind == Kind::Filter {
                format!(" expression size: {}", text.len())
            } else {
                String::new()
            };
            return Err(
                kind.fault(format_args!("Expression size has exceeded the maximum allowed size;{size}"))
            );
        }
        let tokens = tokens(text);
        if tokens.len() == 1 {
            return Err(kind.fault("The expression can not be empty;"));
        }
        Ok(Parser { kind, text, tokens, at: 0, placeholders, noted: None, operators: 0, depth: 0, calls: 0 })
    }

    pub(super) fn peek(&self) -> Token<'a> {
        self.tokens[self.at].token
    }

    /// The token behind the next one.
    pub(super) fn peek_second(&self) -> Token<'a> {
        self.tokens.get(self.at + 1).map_or(Token::End, |placed| placed.token)
    }

    pub(super) fn skip(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Takes `symbol` if it is next.
    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let here = self.peek() == Token::Symbol(symbol);
        if here {
            self.skip();
        }
        here
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), Fault> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// Whether the keyword, given in upper case, is next.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let here = self.is_keyword(keyword);
        if here {
            self.skip();
        }
        here
    }

    /// `Syntax error; token: "x", near: "a x b"`, about the next token.
    pub(super) fn syntax_error(&self) -> Fault {
        let shown = match self.peek() {
            Token::End => "<EOF>",
            _ => &self.text[self.tokens[self.at].start..self.tokens[self.at].end],
        };
        let from = self.tokens[self.at.saturating_sub(1)].start;
        let to = self.tokens[(self.at + 1).min(self.tokens.len() - 1)].end;
        let near = self.text[from..to].trim_end();
        self.kind.fault(format_args!("Syntax error; token: \"{shown}\", near: \"{near}\""))
    }

    /// Remembers an error of meaning; the first one counts.
    pub(super) fn note(&mut self, fault: impl FnOnce() -> Fault) {
        self.noted.get_or_insert_with(fault);
    }

    /// Remembers an error of meaning in this expression's parameter.
    pub(super) fn note_text(&mut self, text: impl std::fmt::Display) {
        let kind = self.kind;
        self.note(|| kind.fault(text));
    }

    /// Counts an operator or function.
    pub(super) fn count_operator(&mut self) {
        self.operators += 1;
        if self.operators == OPERATORS_MAX + 1 {
            let count = self.operators;
            self.note_text(format_args!(
                "The expression contains too many operators; operator count: {count}"
            ));
        }
    }

    /// Ends the parsing: nothing may be left, and nothing may have been noted.
    pub(super) fn finish(self) -> Result<(), Fault> {
        if self.peek() != Token::End {
            return Err(self.syntax_error());
        }
        self.noted.map_or(Ok(()), Err)
    }

    /// The value of the placeholder that is next, if one is.
    pub(super) fn take_value(&mut self) -> Option<&'a AttributeValue> {
        let Token::ValuePlaceholder(placeholder) = self.peek() else { return None };
        self.skip();
        Some(self.placeholders.value(self.kind, placeholder).unwrap_or_else(|fault| {
            self.note(|| fault);
            &NOTHING
        }))
    }

    /// A document path.
    pub(super) fn path(&mut self) -> Result<Path<'a>, Fault> {
        let mut path = Path::attribute(self.path_name()?);
        loop {
            if self.take_symbol(".") {
                path.steps.push(Segment::Name(self.path_name()?));
            } else if self.take_symbol("[") {
                path.steps.push(Segment::Index(self.index()?));
                self.expect_symbol("]")?;
            } else {
                break;
            }
        }
        if path.steps.len() >= PATH_DEPTH_MAX {
            self.note_text("The document path has too many nesting elements;");
        }
        Ok(path)
    }

    fn path_name(&mut self) -> Result<&'a str, Fault> {
        match self.peek() {
            Token::Word(word) if !word.starts_with('_') => {
                self.skip();
                if is_reserved(word) {
                    self.note_text(format_args!(
                        "Attribute name is a reserved keyword; reserved keyword: {word}"
                    ));
                }
                Ok(word)
            }
            Token::NamePlaceholder(placeholder) => {
                self.skip();
                Ok(self.placeholders.name(self.kind, placeholder).unwrap_or_else(|fault| {
                    self.note(|| fault);
                    placeholder
                }))
            }
            _ => Err(self.syntax_error()),
        }
    }

    fn index(&mut self) -> Result<usize, Fault> {
        let Token::Integer(digits) = self.peek() else { return Err(self.syntax_error()) };
        self.skip();
        Ok(digits.parse::<u32>().map_or_else(
            |_| {
                self.note_text(format_args!(
                    "List index is not within the allowable range; index: [{digits}]"
                ));
                0
            },
            |index| index as usize,
        ))
    }

    /// Goes one level deeper; nothing that keeps the limit of operators nests so deep.
    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let count = OPERATORS_MAX + 1;
            return Err(self
                .kind
                .fault(format_args!("The expression contains too many operators; operator count: {count}")));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}
