//! Names for resources that a template leaves nameless.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>

use super::Properties;

/// How a type is named.
#[derive(Clone, Copy)]
pub(crate) struct Naming {
    /// The property that gives the name; empty: the name is only an id inside the stack.
    pub property: &'static str,
    /// The longest name that the service takes.
    pub length_max: usize,
    /// The service takes small letters only.
    pub lowercase: bool,
    /// A property that, where true, wants the suffix.
    pub suffix: Option<(&'static str, &'static str)>,
    /// Two resources may bear the same name: versions of one thing.
    pub shared: bool,
    /// What no name may begin with, in small letters.
    pub reserved: &'static [&'static str],
}

impl Naming {
    pub(super) const fn new(property: &'static str, length_max: usize) -> Naming {
        Naming { property, length_max, lowercase: false, suffix: None, shared: false, reserved: &[] }
    }

    /// `<stack>-<logical id>-<12 characters>`, the first two cut so that all fits.
    pub(crate) fn generate(
        &self,
        (stack, logical_id): (&str, &str),
        random: u64,
        properties: &Properties,
    ) -> String {
        let suffix = match self.suffix {
            Some((property, suffix)) if is_true(properties, property) => suffix,
            _ => "",
        };
        let begins =
            |prefix: &&str| stack.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
        let before = if self.reserved.iter().any(begins) { "CFN-" } else { "" };
        let room = self.length_max.saturating_sub(RANDOM_CHARACTERS + 2 + before.len() + suffix.len());
        let id_room = logical_id.len().min(room.saturating_sub(stack.len().min(room / 2)));
        let stack_room = room - id_room;
        let cut = |text: &str, room: usize| text.chars().take(room).collect::<String>();
        let name = format!(
            "{before}{}-{}-{}{suffix}",
            cut(stack, stack_room),
            cut(logical_id, id_room),
            random_text(random)
        );
        if self.lowercase { name.to_ascii_lowercase() } else { name }
    }
}

fn is_true(properties: &Properties, property: &str) -> bool {
    properties.get(property).is_some_and(|value| value == true || value == "true")
}

const RANDOM_CHARACTERS: usize = 12;

/// Twelve characters of A–Z and 0–9.
fn random_text(random: u64) -> String {
    const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut left = random;
    let mut next = || {
        let character = ALPHABET[(left % 36) as usize];
        left /= 36;
        char::from(character)
    };
    (0..RANDOM_CHARACTERS).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_fit() {
        let none = Properties::new();
        let long = "L".repeat(100);
        for (naming, stack, logical_id, expected) in [
            (Naming::new("Name", 64), "stack", "Queue", "stack-Queue-KAAAAAAAAAAA"),
            (
                Naming::new("Name", 40),
                "a-very-long-stack-name",
                &long,
                "a-very-long-s-LLLLLLLLLLLLL-KAAAAAAAAAAA",
            ),
            (
                Naming { reserved: &["aws", "ssm"], ..Naming::new("Name", 64) },
                "AwsStack",
                "P",
                "CFN-AwsStack-P-KAAAAAAAAAAA",
            ),
            (Naming { lowercase: true, ..Naming::new("Name", 63) }, "Stack", "B", "stack-b-kaaaaaaaaaaa"),
        ] {
            let name = naming.generate((stack, logical_id), 10, &none);
            assert_eq!(name, expected);
            assert!(name.len() <= naming.length_max);
        }
        let fifo = Naming { suffix: Some(("FifoQueue", ".fifo")), ..Naming::new("QueueName", 80) };
        let properties = json!({"FifoQueue": true}).as_object().unwrap().clone();
        assert_eq!(fifo.generate(("s", "Q"), 0, &properties), "s-Q-AAAAAAAAAAAA.fifo");
    }
}
