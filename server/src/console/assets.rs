//! The files that pages refer to, held in the binary.

/// The file of that name: its content type and its bytes.
pub(crate) fn find(name: &str) -> Option<(&'static str, &'static [u8])> {
    match name {
        "console.css" => Some(("text/css; charset=utf-8", include_bytes!("../../assets/console.css"))),
        "console.js" => Some(("text/javascript; charset=utf-8", include_bytes!("../../assets/console.js"))),
        "icon.svg" => Some(("image/svg+xml", include_bytes!("../../assets/icon.svg"))),
        _ => None,
    }
}
