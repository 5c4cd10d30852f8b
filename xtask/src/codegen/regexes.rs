//! From Java's regular expressions to Rust's.

use anyhow::{Context as _, Result};

/// An expression that Rust compiles, and one for what it must not match after all.
pub(super) struct Translated {
    pub(super) regex: String,
    pub(super) except: Option<String>,
}

/// Expressions with look-around whose meaning is kept by an exception; others lose it and become wider.
const EXCEPTIONS: [(&str, &str, &str); 5] = [
    (r"((?!^\d+$)^[0-9a-zA-Z-_]+$)", r"[0-9a-zA-Z\-_]+", r"[0-9]+"),
    (r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", r"[a-zA-Z0-9\-_]+", r"[0-9]+"),
    (r"^(?!\s*$).+", r".+", r"[ \t\n\x0B\f\r]*"),
    (
        r"(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)",
        r"[/\.\-_A-Za-z0-9].*|\$(\.[a-zA-Z0-9_\-]+(\[([0-9]+|\*)\])*)*",
        r"aws\..*",
    ),
    (r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$", r"[a-zA-Z0-9_\-\.]+", r"[0-9]+"),
];

/// Translates an expression and proves that the result compiles.
pub(super) fn translate(java: &str) -> Result<Translated> {
    if let Some((_, regex, except)) = EXCEPTIONS.iter().find(|(text, _, _)| *text == java) {
        return Ok(Translated { regex: (*regex).to_owned(), except: Some((*except).to_owned()) });
    }
    let regex = rewrite(&without_look_around(java));
    regex::Regex::new(&format!(r"\A(?:{regex})\z"))
        .with_context(|| format!("the expression {java} became {regex}"))?;
    Ok(Translated { regex, except: None })
}

fn without_look_around(java: &str) -> String {
    let mut out = String::new();
    let mut rest = java;
    while let Some(start) = ["(?!", "(?=", "(?<!", "(?<="].iter().filter_map(|open| rest.find(open)).min() {
        out.push_str(&rest[..start]);
        rest = &rest[start + group_length(&rest[start..])..];
    }
    out + rest
}

/// The length of the group that `text` starts with.
fn group_length(text: &str) -> usize {
    let (mut depth, mut escaped, mut class) = (0, false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => {
                depth -= 1;
                if depth == 0 {
                    return i + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Rewrites escapes and classes that mean something else in Rust.
fn rewrite(java: &str) -> String {
    let java = java
        .replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}")
        .replace(r"\u10000-\u10FFFF", r"\x{10000}-\x{10FFFF}");
    let chars: Vec<char> = java.chars().collect();
    let mut out = String::new();
    let mut class = false;
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let next = chars.get(i + 1).copied();
        match (c, next) {
            ('\\', Some('u')) => {
                let digits: String = chars[i + 2..chars.len().min(i + 6)].iter().collect();
                out.push_str(&format!(r"\x{{{digits}}}"));
                i += 5;
            }
            ('\\', Some('p')) => {
                let end = chars[i..].iter().position(|&c| c == '}').map_or(chars.len(), |at| i + at + 1);
                let name: String = chars[i..end].iter().collect();
                out.push_str(&property(&name, class));
                i = end - 1;
            }
            ('\\', Some(escaped)) => {
                out.push_str(&escape(escaped, class));
                i += 1;
            }
            ('[', _) if class => out.push_str(r"\["),
            ('[', _) => {
                class = true;
                out.push('[');
            }
            (']', _) => {
                class = false;
                out.push(']');
            }
            ('&' | '-' | '~', Some(same)) if class && same == c => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        i += 1;
    }
    out
}

/// Java's `\d`, `\w` and `\s` mean ASCII only.
fn escape(escaped: char, class: bool) -> String {
    let ascii = match escaped {
        'd' => "0-9",
        'w' => "a-zA-Z0-9_",
        's' => r" \t\n\x0B\f\r",
        'S' if !class => return r"[^ \t\n\x0B\f\r]".to_owned(),
        other => return format!("\\{other}"),
    };
    if class { ascii.to_owned() } else { format!("[{ascii}]") }
}

fn property(name: &str, class: bool) -> String {
    let posix = match name {
        r"\p{Print}" => "[:print:]",
        r"\p{ASCII}" => "[:ascii:]",
        r"\p{Alnum}" => "[:alnum:]",
        r"\p{Alpha}" => "[:alpha:]",
        r"\p{Digit}" => "[:digit:]",
        r"\p{Punct}" => "[:punct:]",
        r"\p{Graph}" => "[:graph:]",
        other => return other.to_owned(),
    };
    if class { posix.to_owned() } else { format!("[{posix}]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_keep_their_meaning() {
        for (java, yes, no) in [
            (r"[\w+=,.@-]+", "a_b@c", "é"),
            (r"\d{12}", "123456789012", "١٢٣٤٥٦٧٨٩٠١٢"),
            (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "a\u{1F600}\n", "\u{1}"),
            (r"\p{ASCII}*", "~", "é"),
            (r"a(?!b(c|\)))[x[]+", "ax[", "x"),
            (r"[a~~z]+", "a~z", "b"),
        ] {
            let regex = translate(java).unwrap().regex;
            let regex = regex::Regex::new(&format!(r"\A(?:{regex})\z")).unwrap();
            assert!(regex.is_match(yes), "{java}");
            assert!(!regex.is_match(no), "{java}");
        }
    }
}
