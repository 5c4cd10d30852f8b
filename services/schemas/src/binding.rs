//! Code for the types that a schema describes, in several languages: pure functions of the schema, packed as a zip.

use std::io::{Cursor, Write as _};

use base::Fault;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fault;

mod model;
mod python;
mod rust;
mod typescript;

use model::Model;

/// A language that code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Rust,
    TypeScript,
}

/// A file of the package: its path and its text.
pub(crate) type File = (String, String);

impl Language {
    /// From our names, or from AWS's names for the same languages.
    pub(crate) fn parse(text: &str) -> Result<Language, Fault> {
        match text {
            "Python" | "Python36" => Ok(Language::Python),
            "Rust" => Ok(Language::Rust),
            "TypeScript" | "TypeScript3" => Ok(Language::TypeScript),
            other => {
                let known = "Python (or Python36), Rust, TypeScript (or TypeScript3)";
                let message = if matches!(other, "Java8" | "Go1") {
                    format!("Code bindings for {other} are not implemented by Buswork; it makes {known}.")
                } else {
                    format!("Language must be one of {known}, not {other}.")
                };
                Err(fault::bad_request(message))
            }
        }
    }

    /// The name under which it is remembered that code was asked for.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Language::Python => "Python",
            Language::Rust => "Rust",
            Language::TypeScript => "TypeScript",
        }
    }
}

/// The files of the code for a schema of draft 4. `name` is the schema's.
pub(crate) fn files(language: Language, name: &str, schema: &Value) -> Vec<File> {
    let model = Model::of(schema, name);
    match language {
        Language::Python => python::files(name, &model),
        Language::Rust => rust::files(name, &model),
        Language::TypeScript => typescript::files(name, &model),
    }
}

/// The files as a zip; the same files give the same bytes.
pub(crate) fn pack(files: &[File]) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in files {
        writer.start_file(path.as_str(), options)?;
        writer.write_all(text.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}
