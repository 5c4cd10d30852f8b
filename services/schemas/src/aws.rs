//! The registry `aws.events`: schemas of the events that the services of this server send by themselves. Compiled in,
//! the same in every account and region, changed by nobody.

use std::sync::LazyLock;

use base::Timestamp;
use serde_json::{Map, Value};

use crate::document;
use crate::name::{discovered_schema, pascal_case};

/// What is told of the registry.
pub(crate) const DESCRIPTION: &str = "Contains the schemas of events sent by AWS services";
/// The version that every schema has.
pub(crate) const VERSION: u32 = 1;

/// A schema of the registry.
pub(crate) struct AwsSchema {
    pub name: String,
    /// An OpenAPI document.
    pub content: String,
}

/// When the schemas were made: the day on which the real registry came to be.
pub(crate) fn created_at() -> Timestamp {
    Timestamp::from_millis(1_575_158_400_000)
}

/// All schemas, by name.
pub(crate) fn schemas() -> &'static [AwsSchema] {
    static SCHEMAS: LazyLock<Vec<AwsSchema>> = LazyLock::new(|| {
        let mut schemas: Vec<AwsSchema> = read(include_str!("aws/events.json"));
        schemas.sort_by(|a, b| a.name.cmp(&b.name));
        schemas
    });
    &SCHEMAS
}

/// The schema of that name.
pub(crate) fn find(name: &str) -> Option<&'static AwsSchema> {
    schemas().iter().find(|schema| schema.name == name)
}

/// The file is a list of `{source, detail-type, schemas}`; the first of the schemas is the detail's, and carries the name
/// of the detail type. A test reads it; what could not be read would be absent.
fn read(text: &str) -> Vec<AwsSchema> {
    let entries: Vec<Map<String, Value>> = serde_json::from_str(text).unwrap_or_default();
    let schema = |entry: Map<String, Value>| {
        let (source, detail_type) = (entry.get("source")?.as_str()?, entry.get("detail-type")?.as_str()?);
        let schemas = entry.get("schemas")?.as_object()?.clone();
        let document = document::of_event(source, detail_type, &pascal_case(detail_type), schemas);
        Some(AwsSchema { name: discovered_schema(source, detail_type), content: document.to_string() })
    };
    entries.into_iter().filter_map(schema).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Type;
    use crate::content;

    #[test]
    fn the_schemas_are_whole_and_valid() {
        let names: Vec<&str> = schemas().iter().map(|schema| schema.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "aws.cloudformation@CloudFormationResourceStatusChange",
                "aws.cloudformation@CloudFormationStackStatusChange",
                "aws.events@ScheduledEvent",
                "aws.s3@ObjectCreated",
                "aws.s3@ObjectDeleted",
                "aws.states@StepFunctionsExecutionStatusChange",
            ]
        );
        for schema in schemas() {
            assert_eq!(content::check(Type::OpenApi3, &schema.content), Ok(()), "{}", schema.name);
        }
    }
}
