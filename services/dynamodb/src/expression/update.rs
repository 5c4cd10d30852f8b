//! Updates: the four sections, and the parser that builds them.

use base::Fault;

use super::lexer::Token;
use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use super::projection::Projection;
use super::{Kind, overlap};
use crate::value::{AttributeType, AttributeValue};

/// A parsed `UpdateExpression`. No two of its paths overlap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update<'a> {
    /// SET: paths and what they become.
    pub set: Vec<(Path<'a>, SetValue<'a>)>,
    /// REMOVE.
    pub remove: Vec<Path<'a>>,
    /// ADD: numbers to add, members to join.
    pub add: Vec<(Path<'a>, &'a AttributeValue)>,
    /// DELETE: members to leave out.
    pub delete: Vec<(Path<'a>, &'a AttributeValue)>,
}

/// The right side of a SET.
#[derive(Clone, Debug, PartialEq)]
pub enum SetValue<'a> {
    /// As is.
    Plain(Addend<'a>),
    /// A sum.
    Plus(Addend<'a>, Addend<'a>),
    /// A difference.
    Minus(Addend<'a>, Addend<'a>),
}

/// An operand of a SET.
#[derive(Clone, Debug, PartialEq)]
pub enum Addend<'a> {
    /// What stood there before the update.
    Path(Path<'a>),
    /// A placeholder's value.
    Value(&'a AttributeValue),
    /// What stood there before, or else the operand.
    IfNotExists(Path<'a>, Box<Addend<'a>>),
    /// Two lists, end to end.
    ListAppend(Box<Addend<'a>>, Box<Addend<'a>>),
}

impl<'a> Update<'a> {
    /// Parses and checks an `UpdateExpression`.
    pub fn parse(text: &'a str, placeholders: &Placeholders<'a>) -> Result<Update<'a>, Fault> {
        let mut parser = Parser::new(Kind::Update, text, placeholders)?;
        let mut update = Update::default();
        let mut seen = Vec::new();
        while parser.peek() != Token::End {
            let section = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|name| parser.is_keyword(name));
            let Some(section) = section else { return Err(parser.syntax_error()) };
            parser.skip();
            if seen.contains(&section) {
                parser.note_text(format_args!(
                    "The \"{section}\" section can only be used once in an update expression;"
                ));
            }
            seen.push(section);
            update.section(&mut parser, section)?;
        }
        parser.finish()?;
        overlap::check(Kind::Update, update.paths())?;
        Ok(update)
    }

    /// Every path that the update writes to.
    pub fn paths(&self) -> impl Iterator<Item = &Path<'a>> {
        let valued = self.add.iter().chain(&self.delete).map(|(path, _)| path);
        self.set.iter().map(|(path, _)| path).chain(&self.remove).chain(valued)
    }

    /// The parts of an item that the update touches, for `UPDATED_OLD` and `UPDATED_NEW`.
    pub fn touched(&self) -> Projection<'a> {
        Projection::of_update(self.paths().cloned().collect())
    }

    fn section(&mut self, parser: &mut Parser<'a, '_>, section: &str) -> Result<(), Fault> {
        loop {
            let path = parser.path()?;
            match section {
                "SET" => {
                    parser.expect_symbol("=")?;
                    parser.count_operator();
                    self.set.push((path, parse_set_value(parser)?));
                }
                "REMOVE" => self.remove.push(path),
                "ADD" => self.add.push((path, parse_member(parser, section, is_addable)?)),
                _ => self.delete.push((path, parse_member(parser, section, is_set)?)),
            }
            if !parser.take_symbol(",") {
                return Ok(());
            }
        }
    }
}

fn is_set(kind: AttributeType) -> bool {
    matches!(kind, AttributeType::Ss | AttributeType::Ns | AttributeType::Bs)
}

fn is_addable(kind: AttributeType) -> bool {
    kind == AttributeType::N || is_set(kind)
}

/// The value behind the path in an ADD or DELETE.
fn parse_member<'a>(
    parser: &mut Parser<'a, '_>,
    section: &str,
    allowed: fn(AttributeType) -> bool,
) -> Result<&'a AttributeValue, Fault> {
    let Some(value) = parser.take_value() else { return Err(parser.syntax_error()) };
    parser.count_operator();
    if !allowed(value.kind()) {
        let kind = value.kind().long_name();
        parser.note_text(format_args!(
            "Incorrect operand type for operator or function; operator: {section}, operand type: {kind}, typeSet: \
             ALLOWED_FOR_{section}_OPERAND"
        ));
    }
    Ok(value)
}

fn parse_set_value<'a>(parser: &mut Parser<'a, '_>) -> Result<SetValue<'a>, Fault> {
    let parenthesised = parser.take_symbol("(");
    let left = parse_addend(parser)?;
    let value = if parser.take_symbol("+") {
        let right = parse_number_addend(parser, "+", &left)?;
        SetValue::Plus(left, right)
    } else if parser.take_symbol("-") {
        let right = parse_number_addend(parser, "-", &left)?;
        SetValue::Minus(left, right)
    } else {
        SetValue::Plain(left)
    };
    if parenthesised {
        parser.expect_symbol(")")?;
    }
    Ok(value)
}

/// The right side of a sum; checks the type of both sides where it is known.
fn parse_number_addend<'a>(
    parser: &mut Parser<'a, '_>,
    operator: &str,
    left: &Addend<'a>,
) -> Result<Addend<'a>, Fault> {
    parser.count_operator();
    let right = parse_addend(parser)?;
    for side in [left, &right] {
        check_type(parser, operator, side, AttributeType::N);
    }
    Ok(right)
}

fn check_type(parser: &mut Parser<'_, '_>, operator: &str, addend: &Addend<'_>, wanted: AttributeType) {
    let kind = match addend {
        Addend::Value(value) => value.kind(),
        Addend::ListAppend(..) => AttributeType::L,
        Addend::Path(_) | Addend::IfNotExists(..) => return,
    };
    if kind != wanted {
        let letters = kind.letters();
        parser.note_text(format_args!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: \
             {letters}"
        ));
    }
}

fn parse_addend<'a>(parser: &mut Parser<'a, '_>) -> Result<Addend<'a>, Fault> {
    if let Some(value) = parser.take_value() {
        return Ok(Addend::Value(value));
    }
    match parser.peek() {
        Token::Word(word) if parser.peek_second() == Token::Symbol("(") => parse_function(parser, word),
        _ => parser.path().map(Addend::Path),
    }
}

fn parse_function<'a>(parser: &mut Parser<'a, '_>, name: &'a str) -> Result<Addend<'a>, Fault> {
    parser.skip();
    parser.skip();
    parser.count_operator();
    parser.enter()?;
    let mut arguments = vec![parse_addend(parser)?];
    while parser.take_symbol(",") {
        arguments.push(parse_addend(parser)?);
    }
    parser.leave();
    parser.expect_symbol(")")?;
    // What stands in for a call that is refused is never applied.
    let refused = Addend::Path(Path::attribute(name));
    match name {
        "if_not_exists" | "list_append" => {}
        "attribute_exists"
        | "attribute_not_exists"
        | "attribute_type"
        | "begins_with"
        | "contains"
        | "size" => {
            parser.note_text(format_args!(
                "The function is not allowed in an update expression; function: {name}"
            ));
            return Ok(refused);
        }
        _ => {
            parser.note_text(format_args!("Invalid function name; function: {name}"));
            return Ok(refused);
        }
    }
    let count = arguments.len();
    let Ok([first, second]) = <[Addend<'a>; 2]>::try_from(arguments) else {
        parser.note_text(format_args!(
            "Incorrect number of operands for operator or function; operator or function: {name}, number of \
             operands: {count}"
        ));
        return Ok(refused);
    };
    if name == "list_append" {
        check_type(parser, name, &first, AttributeType::L);
        check_type(parser, name, &second, AttributeType::L);
        return Ok(Addend::ListAppend(Box::new(first), Box::new(second)));
    }
    let Addend::Path(path) = first else {
        parser.note_text(format_args!(
            "Operator or function requires a document path; operator or function: {name}"
        ));
        return Ok(refused);
    };
    Ok(Addend::IfNotExists(path, Box::new(second)))
}
