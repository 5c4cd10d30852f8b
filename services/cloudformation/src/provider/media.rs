//! Files by their names: what they are, and which of them a pattern means. Pure.

/// The media types of the files that sites are made of; `None` leaves it to S3's own default.
pub(super) fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind)
}

const TYPES: [(&str, &str); 33] = [
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("md", "text/markdown"),
    ("mjs", "text/javascript"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// Whether a file takes part: it does unless a pattern excludes it, and it does after all if another one includes it.
pub(super) fn is_chosen(name: &str, exclude: &[String], include: &[String]) -> bool {
    let any =
        |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern.as_bytes(), name.as_bytes()));
    !any(exclude) || any(include)
}

/// `*` is any text, slashes included, `?` any character.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where the last star stood, and what it has swallowed so far: only the last one needs to be tried again.
    let (mut at, mut star) = ((0, 0), None);
    while at.1 < text.len() {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some((at.0 + 1, at.1));
                at.0 += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == text[at.1] => at = (at.0 + 1, at.1 + 1),
            _ => {
                let Some((behind, swallowed)) = star else { return false };
                star = Some((behind, swallowed + 1));
                at = (behind, swallowed + 1);
            }
        }
    }
    pattern[at.0..].iter().all(|left| *left == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose() {
        for (pattern, name, expected) in [
            ("*", "a/b.js", true),
            ("*.js", "a/b.js", true),
            ("*.js", "a/b.css", false),
            ("a?c", "abc", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcdef", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
        let list = |one: &str| vec![one.to_owned()];
        assert!(
            is_chosen("a.js", &list("*"), &list("*.js")) && !is_chosen("a.css", &list("*"), &list("*.js"))
        );
        assert_eq!((media_type("x/INDEX.HTML"), media_type("x")), (Some("text/html"), None));
        assert!(TYPES.is_sorted());
    }
}
