//! Reads Map states.

use std::sync::Arc;

use super::Compiler;
use super::fields::Fields;
use crate::distributed::Distributed;
use crate::machine::{Flow, Items, Kind, Language, Machine, MapState, Mode, Quantity};

/// Members that only make sense for a Map state in Distributed mode.
const DISTRIBUTED_ONLY: [&str; 8] = [
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
];

/// `ProcessorConfig`.
enum Config {
    Inline,
    Distributed { express: bool },
}

impl Compiler {
    pub(super) fn map(&mut self, fields: &Fields<'_>) -> Option<Kind> {
        let max_concurrency = fields.quantity(self, "MaxConcurrency", 0, i64::MAX);
        let items = self.items(fields);
        let mode = self.mode(fields)?;
        let max_concurrency = max_concurrency.unwrap_or(Quantity::Fixed(0));
        Some(Kind::Map(Box::new(MapState { items, max_concurrency, mode })))
    }

    fn items(&mut self, fields: &Fields<'_>) -> Items {
        if self.language == Language::JsonPath {
            return fields.path(self, "ItemsPath").map_or(Items::Input, Items::Path);
        }
        match fields.get("Items") {
            None => Items::Input,
            Some(value) => {
                let expression = value.as_str().is_some_and(|text| crate::jsonata::delimited(text).is_some());
                if !(expression || value.is_array() || value.is_object()) {
                    let message = "Expected value of type Array, Object or a JSONata expression";
                    self.invalid(message, &fields.at("Items"));
                }
                let template = self.query_template(fields, "Items", super::jsonata::BEFORE);
                template.map_or(Items::Input, Items::Template)
            }
        }
    }

    /// `ItemProcessor`, or `Iterator` as it was called.
    fn mode(&mut self, fields: &Fields<'_>) -> Option<Mode> {
        if !fields.one_of(self, &["ItemProcessor", "Iterator"]) {
            self.invalid("These fields are required: [ItemProcessor]", &fields.location);
        }
        let name = if fields.has("ItemProcessor") { "ItemProcessor" } else { "Iterator" };
        let value = fields.get(name)?;
        let location = fields.at(name);
        let processor = Fields::new(self, value, &location)?;
        let own: &[&str] = if name == "Iterator" { &[] } else { &["ProcessorConfig"] };
        processor.allow(self, &[&["StartAt", "States", "Comment"], own].concat());
        let config = match processor.get("ProcessorConfig") {
            Some(config) => {
                let config = Fields::new(self, config, &processor.at("ProcessorConfig"))?;
                self.processor_config(&config)
            }
            None => Config::Inline,
        };
        match config {
            Config::Inline => {
                for name in DISTRIBUTED_ONLY.into_iter().filter(|name| fields.has(name)) {
                    let message =
                        format!("Field '{name}' is only supported for Map states in DISTRIBUTED mode");
                    self.invalid(message, &fields.at(name));
                }
                self.flow(value, &location, false).map(Mode::Inline)
            }
            Config::Distributed { express } => {
                let reads = std::mem::take(&mut self.reads_execution_input);
                let flow = self.flow(value, &location, true);
                let child_reads = std::mem::replace(&mut self.reads_execution_input, reads);
                let comment = processor.text(self, "Comment");
                let machine = child(flow?, comment, child_reads);
                let distributed = self.distributed(fields, machine, express);
                Some(Mode::Distributed(Box::new(distributed)))
            }
        }
    }

    fn processor_config(&mut self, config: &Fields<'_>) -> Config {
        config.allow(self, &["Mode", "ExecutionType"]);
        let mode = config.word(self, "Mode", &["INLINE", "DISTRIBUTED"]);
        let kind = config.word(self, "ExecutionType", &["STANDARD", "EXPRESS"]);
        if mode != Some("DISTRIBUTED") {
            if config.has("ExecutionType") {
                self.invalid("Field 'ExecutionType' is not supported", &config.location);
            }
            return Config::Inline;
        }
        config.require(self, &["ExecutionType"]);
        Config::Distributed { express: kind == Some("EXPRESS") }
    }

    fn distributed(&mut self, fields: &Fields<'_>, machine: Arc<Machine>, express: bool) -> Distributed {
        let reader = self.item_reader(fields);
        if reader.is_some() {
            fields.one_of(self, &["ItemReader", "ItemsPath", "Items"]);
        }
        Distributed {
            machine,
            express,
            label: self.label(fields),
            reader,
            batcher: self.item_batcher(fields),
            writer: self.result_writer(fields),
            tolerated_count: fields.quantity(self, "ToleratedFailureCount", 0, i64::MAX),
            tolerated_percentage: self.percentage(fields),
        }
    }
}

/// The machine of the child executions.
fn child(flow: Flow, comment: Option<&str>, reads_execution_input: bool) -> Arc<Machine> {
    Arc::new(Machine {
        flow,
        comment: comment.map(str::to_owned),
        timeout_seconds: None,
        reads_execution_input,
        warnings: Vec::new(),
        variable_references: std::collections::BTreeMap::new(),
    })
}
