//! Reads what a Map state in Distributed mode has beyond others: `ItemReader`, `ItemBatcher`, `ResultWriter`, `Label`, and
//! the failures that it tolerates.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>

use serde_json::Value;

use super::Compiler;
use super::fields::Fields;
use crate::diagnostic::Code;
use crate::distributed::{
    Batcher, CsvHeaders, InputType, ManifestType, OutputType, Reader, ReaderConfig, Source, Transformation,
    Writer,
};
use crate::intrinsic::digest;
use crate::machine::{Language, Quantity};
use crate::template::Template;

/// Characters of a label.
const LABEL_MAX: usize = 40;
/// Items that a reader hands on.
const ITEMS_MAX: i64 = 100_000_000;
/// Bytes of one batch: an input of an execution.
const BATCH_BYTES_MAX: i64 = 262_144;

const DELIMITERS: [(&str, u8); 5] =
    [("COMMA", b','), ("PIPE", b'|'), ("SEMICOLON", b';'), ("SPACE", b' '), ("TAB", b'\t')];

impl Compiler {
    /// The name of the arguments of a reader or a writer, and what it is called in the other language.
    fn arguments_name(&self) -> (&'static str, &'static str) {
        match self.language {
            Language::JsonPath => ("Parameters", "Arguments"),
            Language::Jsonata => ("Arguments", "Parameters"),
        }
    }

    pub(super) fn item_reader(&mut self, fields: &Fields<'_>) -> Option<Reader> {
        let value = fields.get("ItemReader")?;
        let reader = Fields::new(self, value, &fields.at("ItemReader"))?;
        let (own, other) = self.arguments_name();
        reader.allow_in(self, &["Resource", "ReaderConfig", own], &[other]);
        reader.require(self, &["Resource"]);
        let source = reader.text(self, "Resource").and_then(|resource| {
            let source = match resource.split_once(":states:::s3:").map(|(_, action)| action) {
                Some("getObject") => Some(Source::Object),
                Some("listObjectsV2") => Some(Source::Objects),
                _ => None,
            };
            if source.is_none() {
                self.invalid("Value is not a valid resource ARN", &reader.at("Resource"));
            }
            source
        });
        let arguments = self.either(&reader, own);
        if arguments.is_none() {
            self.invalid(format!("These fields are required: [{own}]"), &reader.location);
        }
        let config = match reader.get("ReaderConfig") {
            None => ReaderConfig::default(),
            Some(config) => {
                let config = Fields::new(self, config, &reader.at("ReaderConfig"))?;
                self.reader_config(&config, source)
            }
        };
        let source = source?;
        let typed = config.input_type.is_some() || config.manifest_type.is_some();
        if source == Source::Object && !typed {
            self.invalid("These fields are required: [InputType]", &reader.at("ReaderConfig"));
        }
        Some(Reader { source, arguments: arguments.unwrap_or(Template::Constant(Value::Null)), config })
    }

    fn reader_config(&mut self, config: &Fields<'_>, source: Option<Source>) -> ReaderConfig {
        let path: &[&str] = if self.language == Language::JsonPath { &["MaxItemsPath"] } else { &[] };
        let names = [
            "InputType",
            "Transformation",
            "ManifestType",
            "CSVHeaderLocation",
            "CSVHeaders",
            "CSVDelimiter",
            "ItemsPointer",
            "MaxItems",
        ];
        config.allow_in(self, &[&names, path].concat(), &["MaxItemsPath"]);
        let word = config.word(self, "InputType", &["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"]);
        let input_type = word.and_then(InputType::named);
        let load = self.loads(config, source);
        let manifest_type = self.manifest_type(config, source, input_type);
        let delimiter = config.word(self, "CSVDelimiter", &DELIMITERS.map(|(name, _)| name));
        let delimiter =
            DELIMITERS.iter().find(|(name, _)| Some(*name) == delimiter).map_or(b',', |(_, byte)| *byte);
        let pointer = config.text(self, "ItemsPointer").map(str::to_owned);
        if pointer.as_deref().is_some_and(|pointer| !pointer.starts_with('/')) {
            self.invalid("Value is not a valid JSON Pointer", &config.at("ItemsPointer"));
        }
        let headers = self.csv_headers(config, input_type);
        let max_items = config.quantity(self, "MaxItems", 0, ITEMS_MAX);
        ReaderConfig { input_type, manifest_type, headers, delimiter, pointer, max_items, load }
    }

    /// Whether `Transformation` asks for the contents of the objects that are listed.
    fn loads(&mut self, config: &Fields<'_>, source: Option<Source>) -> bool {
        let word = config.word(self, "Transformation", &["NONE", "LOAD_AND_FLATTEN"]);
        if word != Some("LOAD_AND_FLATTEN") {
            return false;
        }
        if source == Some(Source::Object) {
            let message = "Transformation 'LOAD_AND_FLATTEN' is only supported for s3:listObjectsV2";
            self.invalid(message, &config.at("Transformation"));
        } else {
            self.typed_one_of(config, &["CSV", "JSON", "JSONL", "PARQUET"]);
        }
        true
    }

    fn manifest_type(
        &mut self,
        config: &Fields<'_>,
        source: Option<Source>,
        input_type: Option<InputType>,
    ) -> Option<ManifestType> {
        let word = config.word(self, "ManifestType", &["S3_INVENTORY", "ATHENA_DATA"]);
        if let (Some(word), Some(Source::Objects)) = (word, source) {
            let message = format!("ManifestType '{word}' is only supported for s3:getObject");
            self.invalid(message, &config.at("ManifestType"));
            return None;
        }
        match word {
            Some("ATHENA_DATA") => {
                self.typed_one_of(config, &["CSV", "JSONL", "PARQUET"]);
                Some(ManifestType::AthenaData)
            }
            Some(_) => {
                // Its files are CSV: AWS wants no InputType, but for the word that says no more.
                if config.has("InputType") {
                    self.typed_one_of(config, &["MANIFEST"]);
                }
                Some(ManifestType::S3Inventory)
            }
            None => (input_type == Some(InputType::Manifest)).then_some(ManifestType::S3Inventory),
        }
    }

    /// Asks for an `InputType` that is one of these.
    fn typed_one_of(&mut self, config: &Fields<'_>, types: &[&'static str]) {
        if config.require(self, &["InputType"]) {
            config.word(self, "InputType", types);
        }
    }

    fn csv_headers(&mut self, config: &Fields<'_>, input_type: Option<InputType>) -> CsvHeaders {
        let location = config.word(self, "CSVHeaderLocation", &["FIRST_ROW", "GIVEN"]);
        if input_type == Some(InputType::Csv) && !config.has("CSVHeaderLocation") {
            self.invalid("These fields are required: [CSVHeaderLocation]", &config.location);
        }
        if location != Some("GIVEN") {
            if config.has("CSVHeaders") {
                self.invalid("Field 'CSVHeaders' is not supported", &config.location);
            }
            return CsvHeaders::FirstRow;
        }
        config.require(self, &["CSVHeaders"]);
        let list = config.array(self, "CSVHeaders").map_or(&[][..], Vec::as_slice);
        if !list.iter().all(Value::is_string) {
            self.invalid("Expected value of type String", &config.at("CSVHeaders"));
        }
        CsvHeaders::Given(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    pub(super) fn item_batcher(&mut self, fields: &Fields<'_>) -> Option<Batcher> {
        let value = fields.get("ItemBatcher")?;
        let batcher = Fields::new(self, value, &fields.at("ItemBatcher"))?;
        let names = ["BatchInput", "MaxItemsPerBatch", "MaxInputBytesPerBatch"];
        let paths = ["MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"];
        match self.language {
            Language::JsonPath => batcher.allow(self, &[&names[..], &paths].concat()),
            Language::Jsonata => batcher.allow_in(self, &names, &paths),
        }
        let max_items = batcher.quantity(self, "MaxItemsPerBatch", 1, ITEMS_MAX);
        let max_bytes = batcher.quantity(self, "MaxInputBytesPerBatch", 1, BATCH_BYTES_MAX);
        if !batcher.names().any(|name| name.starts_with("Max")) {
            let message =
                "One of the following fields is required: [MaxItemsPerBatch, MaxInputBytesPerBatch]";
            self.invalid(message, &batcher.location);
        }
        Some(Batcher { max_items, max_bytes, input: self.either(&batcher, "BatchInput") })
    }

    pub(super) fn result_writer(&mut self, fields: &Fields<'_>) -> Option<Writer> {
        let value = fields.get("ResultWriter")?;
        let writer = Fields::new(self, value, &fields.at("ResultWriter"))?;
        let (own, other) = self.arguments_name();
        writer.allow_in(self, &["Resource", "WriterConfig", own], &[other]);
        if !(writer.has("Resource") || writer.has("WriterConfig")) {
            let message = "One of the following fields is required: [Resource, WriterConfig]";
            self.invalid(message, &writer.location);
        }
        let exports = match writer.text(self, "Resource") {
            Some(resource) if resource.ends_with(":states:::s3:putObject") => true,
            Some(_) => {
                self.invalid("Value is not a valid resource ARN", &writer.at("Resource"));
                false
            }
            None => false,
        };
        if exports {
            writer.require(self, &[own]);
        } else if writer.has(own) && !writer.has("Resource") {
            writer.require(self, &["Resource"]);
        }
        let arguments = self.either(&writer, own);
        let (mut transformation, mut output) = (Transformation::None, OutputType::Json);
        if let Some(value) = writer.get("WriterConfig") {
            let config = Fields::new(self, value, &writer.at("WriterConfig"))?;
            config.allow(self, &["Transformation", "OutputType"]);
            config.require(self, &["Transformation", "OutputType"]);
            transformation = match config.word(self, "Transformation", &["NONE", "COMPACT", "FLATTEN"]) {
                Some("COMPACT") => Transformation::Compact,
                Some("FLATTEN") => Transformation::Flatten,
                _ => Transformation::None,
            };
            if config.word(self, "OutputType", &["JSON", "JSONL"]) == Some("JSONL") {
                output = OutputType::JsonLines;
            }
        }
        Some(Writer { arguments: arguments.filter(|_| exports), transformation, output })
    }

    /// `Label`, or one that stands for the place of the state: the same as long as the state stays where it is.
    pub(super) fn label(&mut self, fields: &Fields<'_>) -> String {
        let location = fields.at("Label");
        let Some(label) = fields.text(self, "Label") else {
            let digest = digest(fields.location.as_bytes(), "SHA-256").unwrap_or_default();
            let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
            return [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        };
        let bad = |c: char| c.is_whitespace() || c.is_control() || "?*<>{}[]:;,\\|^~$#%&`\"".contains(c);
        if label.is_empty() || label.chars().count() > LABEL_MAX || label.contains(bad) {
            let message = format!(
                "Label must have 1 to {LABEL_MAX} characters, and no white space, wildcards, brackets or special \
                 characters"
            );
            self.invalid(message, &location);
        }
        if !self.labels.insert(label.to_owned()) {
            self.report(Code::DuplicateLabel, format!("Duplicate Map state label: {label}"), &location);
        }
        label.to_owned()
    }

    /// `ToleratedFailurePercentage`: the one number that need not be whole.
    pub(super) fn percentage(&mut self, fields: &Fields<'_>) -> Option<Quantity<f64>> {
        let name = "ToleratedFailurePercentage";
        if self.language == Language::Jsonata {
            if let (query, true) = self.query(fields, name) {
                return query.map(Quantity::Query);
            }
        } else {
            fields.one_of(self, &[name, "ToleratedFailurePercentagePath"]);
            if let Some(path) = fields.reference(self, "ToleratedFailurePercentagePath") {
                return Some(Quantity::Path(path));
            }
        }
        let value = fields.get(name)?;
        let Some(number) = value.as_f64() else {
            self.invalid("Expected value of type Double", &fields.at(name));
            return None;
        };
        if !(0.0..=100.0).contains(&number) {
            let message = if number < 0.0 { "Minimum value is 0" } else { "Maximum value is 100" };
            self.invalid(message, &fields.at(name));
        }
        Some(Quantity::Fixed(number))
    }
}
