//! The library's errors in the words that AWS uses: those of the reference implementation.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::parser::ParserError;

/// Tokens as they are written, by the library's names for them.
const TOKENS: &[(&str, &str)] = &[
    ("LeftParen", "("),
    ("RightParen", ")"),
    ("LeftBracket", "["),
    ("RightBracket", "]"),
    ("LeftBrace", "{"),
    ("RightBrace", "}"),
    ("Comma", ","),
    ("Dot", "."),
    ("Colon", ":"),
    ("Semicolon", ";"),
    ("Question", "?"),
    ("Plus", "+"),
    ("Minus", "-"),
    ("Star", "*"),
    ("Slash", "/"),
    ("Percent", "%"),
    ("Equal", "="),
    ("NotEqual", "!="),
    ("LessThan", "<"),
    ("LessThanOrEqual", "<="),
    ("GreaterThan", ">"),
    ("GreaterThanOrEqual", ">="),
    ("Ampersand", "&"),
    ("Pipe", "|"),
    ("Caret", "^"),
    ("At", "@"),
    ("Hash", "#"),
    ("ColonEqual", ":="),
    ("DotDot", ".."),
    ("Arrow", "~>"),
];

fn symbol(name: &str) -> &str {
    TOKENS.iter().find(|(token, _)| *token == name).map_or(name, |(_, written)| written)
}

/// What `INVALID_JSONATA_EXPRESSION` says.
pub(super) fn of_parser(text: &str, error: &ParserError) -> String {
    match error {
        ParserError::UnexpectedToken(token) if token == "Eof" => "Unexpected end of expression".to_owned(),
        ParserError::UnexpectedToken(token) => {
            format!("The symbol \"{}\" cannot be used as a unary operator", symbol(token))
        }
        ParserError::Expected { expected, found } if found == "Eof" => {
            format!("Expected \"{}\" before end of expression", symbol(expected))
        }
        ParserError::Expected { expected, found } => {
            format!("Expected \"{}\", got \"{}\"", symbol(expected), symbol(found))
        }
        ParserError::UnclosedString if !text.contains(['"', '\'']) => {
            "No terminating / in regular expression".to_owned()
        }
        ParserError::Coded { message, .. } => message.clone(),
        other => without_code(&other.to_string()).to_owned(),
    }
}

/// What a cause says behind "threw an error during evaluation.": the code and the message. Bounds are AWS's own.
pub(super) fn of_evaluator(error: &EvaluatorError) -> String {
    let message = error.message();
    match error.code() {
        Some("D2014" | "D2015") => "Expression evaluation memory limit exceeded".to_owned(),
        Some("D1012") => "Expression evaluation timeout: Check for infinite loop".to_owned(),
        Some("D1011" | "U1001") => {
            format!(
                "Stack overflow error: Check for non-terminating recursive function. Depth={} max={}",
                super::DEPTH_MAX + 1,
                super::DEPTH_MAX
            )
        }
        _ => message.to_owned(),
    }
}

fn without_code(message: &str) -> &str {
    match message.split_once(": ") {
        Some((code, rest)) if code.len() == 5 && code[1..].bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => message,
    }
}
