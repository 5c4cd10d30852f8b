//! Reading the operators: the objects inside a field's list of alternatives.

use crate::alternative::{Alternative, Excluded};
use crate::error::InvalidPattern;
use crate::fold::Fold;
use crate::ip::Cidr;
use crate::number::exact_double;
use crate::range::Range;
use crate::tokens::{Token, Tokens};
use crate::wildcard::Wildcard;

const ONE_KEY: &str = "Only one key allowed in match expression";
const TOO_MANY: &str = "Too many elements in numeric expression";

/// What an operator object stands for.
pub(crate) enum Operator {
    /// `exactly`, which is a literal string without the treatment of addresses.
    Exactly(Box<str>),
    Other(Alternative),
}

/// Reads an operator object behind its opening brace.
pub(crate) fn operator(tokens: &mut Tokens<'_>) -> Result<Operator, InvalidPattern> {
    if tokens.next()? != Token::Name {
        return Err(tokens.refuse("Match expression name not found"));
    }
    let alternative = match tokens.text() {
        "exactly" => {
            let text = string(tokens, "exact match pattern must be a string")?;
            end(tokens, ONE_KEY)?;
            return Ok(Operator::Exactly(text));
        }
        "prefix" => affix(tokens, "prefix", Alternative::Prefix, Alternative::PrefixFold)?,
        "suffix" => affix(tokens, "suffix", Alternative::Suffix, Alternative::SuffixFold)?,
        "equals-ignore-case" => Alternative::EqualsFold(fold(tokens)?),
        "wildcard" => {
            string(tokens, "wildcard match pattern must be a string")?;
            Alternative::Wildcard(wildcard(tokens)?)
        }
        "cidr" => {
            let text = string(tokens, "prefix match pattern must be a string")?;
            Alternative::Cidr(Cidr::parse(&text).map_err(|reason| tokens.refuse_value(&reason))?)
        }
        "exists" => match tokens.next()? {
            Token::True => Alternative::Exists,
            Token::False => Alternative::Absent,
            _ => return Err(tokens.refuse("exists match pattern must be either true or false.")),
        },
        "numeric" => {
            let range = numeric(tokens)?;
            end(tokens, TOO_MANY)?;
            return Ok(Operator::Other(Alternative::Numeric(range)));
        }
        "anything-but" => {
            let excluded = anything_but(tokens)?;
            end(tokens, TOO_MANY)?;
            return Ok(Operator::Other(Alternative::Not(excluded)));
        }
        unknown => return Err(tokens.refuse(&format!("Unrecognized match type {unknown}"))),
    };
    end(tokens, ONE_KEY)?;
    Ok(Operator::Other(alternative))
}

fn end(tokens: &mut Tokens<'_>, otherwise: &str) -> Result<(), InvalidPattern> {
    if tokens.next()? == Token::ObjectEnd { Ok(()) } else { Err(tokens.refuse(otherwise)) }
}

fn string(tokens: &mut Tokens<'_>, otherwise: &str) -> Result<Box<str>, InvalidPattern> {
    if tokens.next()? == Token::Str { Ok(tokens.text().into()) } else { Err(tokens.refuse(otherwise)) }
}

fn fold(tokens: &mut Tokens<'_>) -> Result<Fold, InvalidPattern> {
    string(tokens, "equals-ignore-case match pattern must be a string").map(|text| Fold::new(&text))
}

/// The wildcard whose string was just read.
fn wildcard(tokens: &Tokens<'_>) -> Result<Wildcard, InvalidPattern> {
    Wildcard::parse(tokens.text()).map_err(|reason| tokens.refuse_here(&reason))
}

/// `prefix` or `suffix`: a string, or an object that holds `equals-ignore-case` alone.
fn affix(
    tokens: &mut Tokens<'_>,
    name: &str,
    plain: fn(Box<str>) -> Alternative,
    folded: fn(Fold) -> Alternative,
) -> Result<Alternative, InvalidPattern> {
    match tokens.next()? {
        Token::Str => Ok(plain(tokens.text().into())),
        Token::ObjectStart => {
            if tokens.next()? != Token::Name {
                let name = if name == "prefix" { "Prefix" } else { "Suffix" };
                return Err(tokens.refuse(&format!("{name} expression name not found")));
            }
            if tokens.text() != "equals-ignore-case" {
                let reason = format!("Unsupported {name} pattern: {}", tokens.text());
                return Err(tokens.refuse(&reason));
            }
            let fold = fold(tokens)?;
            end(tokens, ONE_KEY)?;
            Ok(folded(fold))
        }
        _ => Err(tokens.refuse(&format!("{name} match pattern must be a string"))),
    }
}

fn numeric(tokens: &mut Tokens<'_>) -> Result<Range, InvalidPattern> {
    if tokens.next()? != Token::ArrayStart {
        return Err(tokens.refuse("Value of numeric must be an array."));
    }
    if tokens.next()? != Token::Str {
        return Err(tokens.refuse(&format!("Invalid member in numeric match: {}", tokens.text())));
    }
    let operator = tokens.text().to_owned();
    let mut range = Range::ALL;
    match operator.as_str() {
        "=" => range = Range::exactly(bound(tokens, "equals")?),
        "<" | "<=" => {
            range.high = bound(tokens, &operator)?;
            range.high_open = operator == "<";
        }
        ">" | ">=" => {
            range.low = bound(tokens, &operator)?;
            range.low_open = operator == ">";
            return upper_bound(tokens, range);
        }
        _ => {
            tokens.next()?;
            return Err(tokens.refuse(&format!("Unrecognized numeric range operator: {operator}")));
        }
    }
    if tokens.next()? == Token::ArrayEnd { Ok(range) } else { Err(tokens.refuse(TOO_MANY)) }
}

/// The optional second half of a numeric range, which must lie above the first.
fn upper_bound(tokens: &mut Tokens<'_>, mut range: Range) -> Result<Range, InvalidPattern> {
    match tokens.next()? {
        Token::ArrayEnd => return Ok(range),
        Token::Str => {}
        _ => return Err(tokens.refuse(&format!("Bad value in numeric range: {}", tokens.text()))),
    }
    let operator = tokens.text().to_owned();
    if operator != "<" && operator != "<=" {
        return Err(tokens.refuse_here(&format!("Bad numeric range operator: {operator}")));
    }
    range.high = bound(tokens, &operator)?;
    range.high_open = operator == "<";
    if tokens.next()? != Token::ArrayEnd {
        return Err(tokens.refuse("Too many terms in numeric range expression"));
    }
    if range.low >= range.high {
        return Err(tokens.refuse("Bottom must be less than top"));
    }
    Ok(range)
}

fn bound(tokens: &mut Tokens<'_>, operator: &str) -> Result<f64, InvalidPattern> {
    if tokens.next()? != Token::Number {
        return Err(tokens.refuse(&format!("Value of {operator} must be numeric")));
    }
    comparable(tokens)
}

/// The number that was just read, which must be exactly a double.
fn comparable(tokens: &Tokens<'_>) -> Result<f64, InvalidPattern> {
    let text = tokens.text();
    exact_double(text).ok_or_else(|| tokens.refuse(&format!("Cannot compare number : {text}")))
}

fn anything_but(tokens: &mut Tokens<'_>) -> Result<Excluded, InvalidPattern> {
    match tokens.next()? {
        Token::ObjectStart => {
            if tokens.next()? != Token::Name {
                return Err(tokens.refuse("Anything-But expression name not found"));
            }
            let excluded = match tokens.text() {
                "prefix" => Excluded::Prefixes(strings(tokens, affix_text)?),
                "suffix" => Excluded::Suffixes(strings(tokens, affix_text)?),
                "equals-ignore-case" => Excluded::Folds(strings(tokens, |tokens, token| {
                    if token == Token::Str {
                        Ok(Fold::new(tokens.text()))
                    } else {
                        Err(tokens.refuse(FOLD_LIST))
                    }
                })?),
                "wildcard" => Excluded::Wildcards(strings(tokens, |tokens, token| {
                    if token != Token::Str {
                        return Err(tokens.refuse("wildcard match pattern must be a string"));
                    }
                    wildcard(tokens)
                })?),
                other => return Err(tokens.refuse(&format!("Unsupported anything-but pattern: {other}"))),
            };
            end(tokens, TOO_MANY)?;
            Ok(excluded)
        }
        Token::Str => Ok(Excluded::Strings([tokens.text().into()].into())),
        Token::Number => Ok(Excluded::Numbers([comparable(tokens)?].into())),
        Token::ArrayStart => anything_but_list(tokens),
        _ => Err(tokens.refuse(NOT_A_VALUE)),
    }
}

const NOT_A_VALUE: &str = "Value of anything-but must be an array or single string/number value.";
const FOLD_LIST: &str =
    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
const MIXED_LIST: &str =
    "Inside anything but list, either all values are number or string, mixed type is not supported";

fn anything_but_list(tokens: &mut Tokens<'_>) -> Result<Excluded, InvalidPattern> {
    let (mut strings, mut numbers) = (Vec::<Box<str>>::new(), Vec::new());
    loop {
        match tokens.next()? {
            Token::ArrayEnd => break,
            Token::Str => strings.push(tokens.text().into()),
            Token::Number => numbers.push(comparable(tokens)?),
            _ => return Err(tokens.refuse("Inside anything but list, start|null|boolean is not supported.")),
        }
    }
    if strings.is_empty() == numbers.is_empty() {
        return Err(tokens.refuse(MIXED_LIST));
    }
    strings.sort_unstable();
    numbers.sort_unstable_by(f64::total_cmp);
    if numbers.is_empty() {
        Ok(Excluded::Strings(strings.into()))
    } else {
        Ok(Excluded::Numbers(numbers.into()))
    }
}

/// A single value or a list of them, each read by `read`. An empty list, which would leave nothing out, is refused.
fn strings<T>(
    tokens: &mut Tokens<'_>,
    read: impl Fn(&Tokens<'_>, Token) -> Result<T, InvalidPattern>,
) -> Result<Box<[T]>, InvalidPattern> {
    match tokens.next()? {
        Token::ArrayStart => {
            let mut values = Vec::new();
            loop {
                match tokens.next()? {
                    Token::ArrayEnd if values.is_empty() => {
                        return Err(tokens.refuse("Empty arrays are not allowed"));
                    }
                    Token::ArrayEnd => return Ok(values.into()),
                    token => values.push(read(tokens, token)?),
                }
            }
        }
        token @ (Token::Str | Token::Number) => Ok([read(tokens, token)?].into()),
        _ => Err(tokens.refuse(NOT_A_VALUE)),
    }
}

fn affix_text(tokens: &Tokens<'_>, token: Token) -> Result<Box<str>, InvalidPattern> {
    if token != Token::Str {
        return Err(tokens.refuse("prefix/suffix match pattern must be a string"));
    }
    if tokens.text().is_empty() {
        return Err(tokens.refuse("Null prefix/suffix not allowed"));
    }
    Ok(tokens.text().into())
}
