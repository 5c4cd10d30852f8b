//! Passwords by chance. Pure: the numbers come in.

use base::Fault;

use crate::api::GetRandomPasswordInput;
use crate::fault;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// The characters of a password unless asked for.
const LENGTH: i64 = 32;

/// A password as it was asked for.
///
/// # Errors
/// `InvalidParameterException`: nothing may be in it, or it is too short for one of each kind.
pub(crate) fn password(
    asked: &GetRandomPasswordInput,
    mut random: impl FnMut() -> u64,
) -> Result<String, Fault> {
    let excluded = asked.exclude_characters.as_deref().unwrap_or_default();
    let left_out = |flag: Option<bool>| flag == Some(true);
    let kinds = [
        (LOWER, left_out(asked.exclude_lowercase)),
        (UPPER, left_out(asked.exclude_uppercase)),
        (DIGITS, left_out(asked.exclude_numbers)),
        (PUNCTUATION, left_out(asked.exclude_punctuation)),
        (" ", asked.include_space != Some(true)),
    ];
    let kinds: Vec<Vec<char>> = kinds
        .into_iter()
        .filter(|(_, left_out)| !left_out)
        .map(|(kind, _)| kind.chars().filter(|c| !excluded.contains(*c)).collect::<Vec<char>>())
        .filter(|kind| !kind.is_empty())
        .collect();
    let all: Vec<char> = kinds.iter().flatten().copied().collect();
    if all.is_empty() {
        return Err(fault::parameter("No characters are left that the password could be made of."));
    }
    let length = usize::try_from(asked.password_length.unwrap_or(LENGTH)).unwrap_or_default();
    let one_of_each = asked.require_each_included_type != Some(false);
    if one_of_each && length < kinds.len() {
        let message = "Password length is too short based on the required types.";
        return Err(fault::parameter(message));
    }
    let mut pick = |from: &[char]| from[(random() % from.len() as u64) as usize];
    let mut password: Vec<char> = match one_of_each {
        true => kinds.iter().map(|kind| pick(kind)).collect(),
        false => Vec::new(),
    };
    while password.len() < length {
        password.push(pick(&all));
    }
    // The one of each kind must not stand in front always.
    for at in (1..password.len()).rev() {
        password.swap(at, (random() % (at as u64 + 1)) as usize);
    }
    Ok(password.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_what_was_asked_for() {
        let mut seed = 1_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 11
        };
        for _ in 0..200 {
            let asked = GetRandomPasswordInput { password_length: Some(8), ..Default::default() };
            let made = password(&asked, &mut random).unwrap();
            assert_eq!(made.chars().count(), 8);
            for kind in [LOWER, UPPER, DIGITS, PUNCTUATION] {
                assert!(made.contains(|c| kind.contains(c)), "{made} has none of {kind}");
            }
        }
        let digits = GetRandomPasswordInput {
            password_length: Some(40),
            exclude_lowercase: Some(true),
            exclude_uppercase: Some(true),
            exclude_punctuation: Some(true),
            exclude_characters: Some("13579".to_owned()),
            ..Default::default()
        };
        assert!(password(&digits, &mut random).unwrap().chars().all(|c| "02468".contains(c)));
        let nothing = GetRandomPasswordInput { exclude_numbers: Some(true), ..digits };
        assert_eq!(password(&nothing, &mut random).unwrap_err().code, "InvalidParameterException");
        let short = GetRandomPasswordInput { password_length: Some(3), ..Default::default() };
        assert_eq!(password(&short, &mut random).unwrap_err().code, "InvalidParameterException");
    }
}
