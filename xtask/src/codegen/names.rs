//! From AWS's names to Rust's.

/// `MD5OfMessageBody` → `md5_of_message_body`.
pub(super) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        let previous = i.checked_sub(1).map(|i| chars[i]);
        let next = chars.get(i + 1);
        let starts_word = c.is_ascii_uppercase()
            && previous.is_some_and(|p| {
                p.is_ascii_lowercase()
                    || (p.is_ascii_alphanumeric()
                        && next.is_some_and(char::is_ascii_lowercase)
                        && !plural(&chars, i))
            });
        if starts_word && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Whether the capital at `i` ends an acronym that a plural `s` follows, as in `ARNs`.
fn plural(chars: &[char], i: usize) -> bool {
    chars.get(i + 1) == Some(&'s') && chars.get(i + 2).is_none_or(char::is_ascii_uppercase)
}

/// A field's name, escaped where Rust has taken the word.
pub(super) fn field(name: &str) -> String {
    let name = snake(name);
    match name.as_str() {
        "type" | "match" | "ref" | "use" | "where" | "in" | "for" | "loop" | "move" | "mod" | "as"
        | "enum" | "fn" | "if" | "impl" | "let" | "pub" | "return" | "static" | "struct" | "trait"
        | "while" | "async" | "await" | "const" | "continue" | "break" | "dyn" | "else" | "extern"
        | "false" | "true" | "mut" | "unsafe" | "abstract" | "final" | "macro" | "override" | "priv"
        | "try" | "virtual" | "yield" | "box" | "do" | "gen" => {
            format!("r#{name}")
        }
        _ => name,
    }
}

/// A static's name.
pub(super) fn constant(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// A type's name: the model's with a capital.
pub(super) fn type_name(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// An enumeration's variant: `PAY_PER_REQUEST` → `PayPerRequest`, `nodejs20.x` → `Nodejs20X`.
pub(super) fn variant(value: &str) -> String {
    let mut out = String::new();
    for word in value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let shouted = !word.chars().any(|c| c.is_ascii_lowercase());
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            out.push(first.to_ascii_uppercase());
        }
        let rest = chars.as_str();
        out.push_str(&if shouted { rest.to_ascii_lowercase() } else { rest.to_owned() });
    }
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) || out == "Self" {
        out.insert(0, 'V');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_rust() {
        for (name, expected) in [
            ("QueueUrl", "queue_url"),
            ("MD5OfMessageBody", "md5_of_message_body"),
            ("KMSKeyArn", "kms_key_arn"),
            ("S3Bucket", "s3_bucket"),
            ("stateMachineARN", "state_machine_arn"),
            ("StackARNs", "stack_arns"),
            ("x-amz-target", "x_amz_target"),
        ] {
            assert_eq!(snake(name), expected);
        }
        assert_eq!(field("type"), "r#type");
        for (value, expected) in [
            ("PAY_PER_REQUEST", "PayPerRequest"),
            ("nodejs20.x", "Nodejs20X"),
            ("2012-10-17", "V20121017"),
            ("All", "All"),
            ("", "V"),
        ] {
            assert_eq!(variant(value), expected);
        }
    }
}
