//! From tokens to conditions.

use base::Fault;

use super::Kind;
use super::condition::{Comparator, Condition, Operand};
use super::lexer::Token;
use super::parser::Parser;
use super::path::Path;
use crate::value::{AttributeType, AttributeValue};

/// Calls that may be open at once before the parser gives up: a condition allows two, `contains(a, size(b))`.
const CALLS_MAX: usize = 8;
/// The most operands of IN behind the first.
const IN_OPERANDS_MAX: usize = 100;

/// What is open at one depth of parentheses: `done OR … OR (so_far AND … AND NOT* …`.
#[derive(Default)]
struct Level<'a> {
    done: Vec<Condition<'a>>,
    so_far: Vec<Condition<'a>>,
    negations: usize,
    /// Whether all that stands here is one condition in parentheses of its own.
    only_parentheses: bool,
}

impl<'a> Level<'a> {
    /// Takes a whole condition behind the negations that stand before it.
    fn take(&mut self, condition: Condition<'a>, parenthesised: bool) {
        self.only_parentheses =
            parenthesised && self.negations == 0 && self.so_far.is_empty() && self.done.is_empty();
        let negated = std::mem::take(&mut self.negations) % 2 == 1;
        self.so_far.push(if negated { Condition::Not(Box::new(condition)) } else { condition });
    }

    fn end_of_and(&mut self) {
        let mut all = std::mem::take(&mut self.so_far);
        self.done.push(if all.len() == 1 { all.swap_remove(0) } else { Condition::And(all) });
    }

    fn end(mut self) -> Condition<'a> {
        self.end_of_and();
        if self.done.len() == 1 { self.done.swap_remove(0) } else { Condition::Or(self.done) }
    }
}

/// Conditions nest as deep as the text is long, so the open levels are kept here and not on the stack of calls.
pub(super) fn parse<'a>(parser: &mut Parser<'a, '_>) -> Result<Condition<'a>, Fault> {
    let mut outer: Vec<Level<'a>> = Vec::new();
    let mut level = Level::default();
    loop {
        while parser.take_keyword("NOT") {
            parser.count_operator();
            level.negations += 1;
        }
        if parser.take_symbol("(") {
            parser.enter()?;
            outer.push(std::mem::take(&mut level));
            continue;
        }
        let single = parse_single(parser)?;
        level.take(single, false);
        while !outer.is_empty() && parser.take_symbol(")") {
            parser.leave();
            if level.only_parentheses {
                parser.note_text("The expression has redundant parentheses;");
            }
            let inner = std::mem::replace(&mut level, outer.pop().unwrap_or_default());
            level.take(inner.end(), true);
        }
        if parser.take_keyword("OR") {
            level.end_of_and();
        } else if !parser.take_keyword("AND") {
            break;
        }
    }
    if outer.is_empty() { Ok(level.end()) } else { Err(parser.syntax_error()) }
}

fn parse_single<'a>(parser: &mut Parser<'a, '_>) -> Result<Condition<'a>, Fault> {
    match parser.peek() {
        Token::Word(word) if parser.peek_second() == Token::Symbol("(") && word != "size" => {
            let condition = parse_function(parser, word)?;
            if let Token::Symbol(symbol) = parser.peek()
                && Comparator::from_symbol(symbol).is_some()
            {
                parser.skip();
                parse_operand(parser)?;
                note_misused(parser, word);
            }
            Ok(condition)
        }
        _ => parse_comparison(parser),
    }
}

fn parse_comparison<'a>(parser: &mut Parser<'a, '_>) -> Result<Condition<'a>, Fault> {
    let left = parse_operand(parser)?;
    if let Token::Symbol(symbol) = parser.peek()
        && let Some(comparator) = Comparator::from_symbol(symbol)
    {
        parser.skip();
        parser.count_operator();
        let right = parse_operand(parser)?;
        check_distinct(parser, comparator.symbol(), &left, [&right]);
        if comparator.orders() {
            check_ordered(parser, comparator.symbol(), [&left, &right]);
        }
        return Ok(Condition::Compare(comparator, left, right));
    }
    if parser.take_keyword("BETWEEN") {
        return parse_between(parser, left);
    }
    if parser.take_keyword("IN") {
        return parse_in(parser, left);
    }
    if matches!(left, Operand::Size(_)) && parser.peek() == Token::End {
        note_misused(parser, "size");
        return Ok(Condition::And(Vec::new()));
    }
    Err(parser.syntax_error())
}

fn parse_between<'a>(parser: &mut Parser<'a, '_>, left: Operand<'a>) -> Result<Condition<'a>, Fault> {
    parser.count_operator();
    let low = parse_operand(parser)?;
    if !parser.take_keyword("AND") {
        return Err(parser.syntax_error());
    }
    let high = parse_operand(parser)?;
    check_distinct(parser, "BETWEEN", &left, [&low, &high]);
    check_ordered(parser, "BETWEEN", [&left, &low, &high]);
    if let (Operand::Value(from), Operand::Value(to)) = (&low, &high) {
        let told = |what: &str| {
            format!(
                "The BETWEEN operator requires {what}; lower bound operand: AttributeValue: {from}, upper bound \
                 operand: AttributeValue: {to}"
            )
        };
        if from.kind() != to.kind() {
            parser.note_text(told("same data type for lower and upper bounds"));
        } else if super::evaluate::order(from, to) == Some(std::cmp::Ordering::Greater) {
            parser.note_text(told("upper bound to be greater than or equal to lower bound"));
        }
    }
    Ok(Condition::Between(left, low, high))
}

fn parse_in<'a>(parser: &mut Parser<'a, '_>, left: Operand<'a>) -> Result<Condition<'a>, Fault> {
    parser.count_operator();
    parser.expect_symbol("(")?;
    let list = parse_list(parser)?;
    if list.len() > IN_OPERANDS_MAX {
        let count = list.len();
        parser.note_text(format_args!(
            "The IN operator is provided with too many operands; number of operands: {count}"
        ));
    }
    check_distinct(parser, "IN", &left, &list);
    Ok(Condition::In(left, list))
}

/// Operands up to the closing parenthesis.
fn parse_list<'a>(parser: &mut Parser<'a, '_>) -> Result<Vec<Operand<'a>>, Fault> {
    let mut list = vec![parse_operand(parser)?];
    while parser.take_symbol(",") {
        list.push(parse_operand(parser)?);
    }
    parser.expect_symbol(")")?;
    Ok(list)
}

fn parse_operand<'a>(parser: &mut Parser<'a, '_>) -> Result<Operand<'a>, Fault> {
    if let Some(value) = parser.take_value() {
        return Ok(Operand::Value(value));
    }
    let Token::Word(word) = parser.peek() else { return parser.path().map(Operand::Path) };
    if parser.peek_second() != Token::Symbol("(") {
        return parser.path().map(Operand::Path);
    }
    if word == "size" {
        return parse_size(parser);
    }
    parse_function(parser, word)?;
    note_misused(parser, word);
    Ok(Operand::Path(Path::attribute(word)))
}

fn parse_size<'a>(parser: &mut Parser<'a, '_>) -> Result<Operand<'a>, Fault> {
    use AttributeType::{Bool, N, Null};
    let mut arguments = parse_arguments(parser)?;
    check_count(parser, "size", &arguments, 1);
    let argument = arguments.swap_remove(0);
    match &argument {
        Operand::Size(_) => note_misused(parser, "size"),
        Operand::Value(value) if matches!(value.kind(), N | Bool | Null) => {
            note_operand_type(parser, "size", value.kind());
        }
        _ => {}
    }
    Ok(Operand::Size(Box::new(argument)))
}

/// `name(operand, …)`: at least one operand.
fn parse_arguments<'a>(parser: &mut Parser<'a, '_>) -> Result<Vec<Operand<'a>>, Fault> {
    parser.skip();
    parser.skip();
    parser.count_operator();
    parser.calls += 1;
    if parser.calls > CALLS_MAX {
        return Err(parser.kind.fault("The function is not allowed to be used this way in an expression;"));
    }
    let list = parse_list(parser)?;
    parser.calls -= 1;
    Ok(list)
}

fn note_misused(parser: &mut Parser<'_, '_>, name: &str) {
    parser.note_text(format_args!(
        "The function is not allowed to be used this way in an expression; function: {name}"
    ));
}

fn parse_function<'a>(parser: &mut Parser<'a, '_>, name: &'a str) -> Result<Condition<'a>, Fault> {
    let mut arguments = parse_arguments(parser)?;
    let wanted = match name {
        "attribute_exists" | "attribute_not_exists" => 1,
        "attribute_type" | "begins_with" | "contains" => 2,
        "if_not_exists" | "list_append" => {
            let what = if parser.kind == Kind::Filter { "filter" } else { "condition" };
            parser.note_text(format_args!(
                "The function is not allowed in a {what} expression; function: {name}"
            ));
            return Ok(Condition::And(Vec::new()));
        }
        _ => {
            parser.note_text(format_args!("Invalid function name; function: {name}"));
            return Ok(Condition::And(Vec::new()));
        }
    };
    if !check_count(parser, name, &arguments, wanted) {
        return Ok(Condition::And(Vec::new()));
    }
    let second = if wanted == 2 { arguments.pop() } else { None };
    let first = arguments.swap_remove(0);
    Ok(match (name, second) {
        ("attribute_type", Some(kind)) => {
            let kind = named_type(parser, &kind);
            Condition::Type(first, kind)
        }
        ("begins_with", Some(prefix)) => {
            check_distinct(parser, name, &first, [&prefix]);
            for operand in [&first, &prefix] {
                check_type(parser, name, operand, &[AttributeType::S, AttributeType::B]);
            }
            Condition::BeginsWith(first, prefix)
        }
        (_, Some(member)) => {
            check_distinct(parser, name, &first, [&member]);
            Condition::Contains(first, member)
        }
        (_, None) => {
            let Operand::Path(path) = first else {
                parser.note_text(format_args!(
                    "Operator or function requires a document path; operator or function: {name}"
                ));
                return Ok(Condition::And(Vec::new()));
            };
            if name == "attribute_exists" { Condition::Exists(path) } else { Condition::NotExists(path) }
        }
    })
}

/// The type that the second operand of `attribute_type` names.
fn named_type(parser: &mut Parser<'_, '_>, operand: &Operand<'_>) -> AttributeType {
    check_type(parser, "attribute_type", operand, &[AttributeType::S]);
    let Operand::Value(AttributeValue::S(letters)) = operand else {
        if matches!(operand, Operand::Path(_)) {
            parser.note_text("Operator or function requires a value; operator or function: attribute_type");
        }
        return AttributeType::Null;
    };
    AttributeType::from_letters(letters).unwrap_or_else(|| {
        parser.note_text(format_args!(
            "Invalid attribute type name found; type: {letters}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
        ));
        AttributeType::Null
    })
}

fn check_count(parser: &mut Parser<'_, '_>, name: &str, arguments: &[Operand<'_>], wanted: usize) -> bool {
    let count = arguments.len();
    if count != wanted {
        parser.note_text(format_args!(
            "Incorrect number of operands for operator or function; operator or function: {name}, number of \
             operands: {count}"
        ));
    }
    count == wanted
}

fn check_distinct<'o, 'a: 'o>(
    parser: &mut Parser<'a, '_>,
    operator: &str,
    first: &Operand<'a>,
    rest: impl IntoIterator<Item = &'o Operand<'a>>,
) {
    if matches!(first, Operand::Path(_)) && rest.into_iter().any(|operand| operand == first) {
        parser.note_text(format_args!(
            "The first operand must be distinct from the remaining operands for this operator or function; \
             operator: {operator}, first operand: {first}"
        ));
    }
}

/// Operands that are compared by order must be strings, numbers or bytes.
fn check_ordered<'o, 'a: 'o>(
    parser: &mut Parser<'a, '_>,
    operator: &str,
    operands: impl IntoIterator<Item = &'o Operand<'a>>,
) {
    for operand in operands {
        check_type(parser, operator, operand, &[AttributeType::S, AttributeType::N, AttributeType::B]);
    }
}

fn check_type(parser: &mut Parser<'_, '_>, operator: &str, operand: &Operand<'_>, allowed: &[AttributeType]) {
    if let Some(kind) = operand.known_type()
        && !allowed.contains(&kind)
    {
        note_operand_type(parser, operator, kind);
    }
}

fn note_operand_type(parser: &mut Parser<'_, '_>, operator: &str, kind: AttributeType) {
    let letters = kind.letters();
    parser.note_text(format_args!(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {letters}"
    ));
}
