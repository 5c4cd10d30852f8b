//! What a query or scan reads from, and what of it is wanted: `IndexName`, `Select`, `Limit`.

use base::Fault;

use crate::api::Select;
use crate::request::Parsed;
use crate::table::{Index, Table};

/// What is wanted of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The items, or only their number.
    pub(crate) items: bool,
    /// Whole items, where entries of a local index hold only parts.
    pub(crate) fetch: bool,
}

fn invalid(text: impl std::fmt::Display) -> Fault {
    Fault::validation(format!("One or more parameter values were invalid: {text}"))
}

/// The limit, at least 1.
pub(crate) fn limit(given: Option<i32>) -> Result<Option<usize>, Fault> {
    match given.map(usize::try_from) {
        None => Ok(None),
        Some(Ok(limit)) if limit > 0 => Ok(Some(limit)),
        Some(_) => Err(Fault::validation("Limit must be greater than or equal to 1")),
    }
}

/// The index to read from.
pub(crate) fn index<'t>(
    table: &'t Table,
    name: Option<&str>,
    consistent: Option<bool>,
) -> Result<Option<&'t Index>, Fault> {
    let Some(name) = name else { return Ok(None) };
    let index = table
        .index(name)
        .ok_or_else(|| Fault::validation(format!("The table does not have the specified index: {name}")))?;
    if !index.local && consistent == Some(true) {
        return Err(Fault::validation("Consistent reads are not supported on global secondary indexes"));
    }
    if index.backfilling {
        let text = format!("Cannot read from backfilling global secondary index: {name}");
        return Err(Fault::validation(text));
    }
    Ok(Some(index))
}

/// What `Select` and the projection say together.
pub(crate) fn wanted(
    select: Option<Select>,
    table: &Table,
    index: Option<&Index>,
    parsed: &Parsed<'_>,
) -> Result<Wanted, Fault> {
    let projected = parsed.projection.is_some();
    let refused = |select: &str| {
        Fault::validation(format!("Cannot specify the ProjectionExpression when choosing to get {select}"))
    };
    match select {
        Some(Select::Count) if projected => return Err(refused("only the Count")),
        Some(Select::AllAttributes) if projected => return Err(refused("ALL_ATTRIBUTES")),
        Some(Select::AllProjectedAttributes) if projected => return Err(refused("ALL_PROJECTED_ATTRIBUTES")),
        Some(Select::AllProjectedAttributes) if index.is_none() => {
            return Err(invalid(
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
            ));
        }
        Some(Select::SpecificAttributes) if !projected => {
            return Err(invalid(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            ));
        }
        _ => {}
    }
    let fetch = match index {
        None => false,
        Some(index) => must_fetch(select, table, index, parsed)?,
    };
    Ok(Wanted { items: select != Some(Select::Count), fetch })
}

/// Whether entries are not enough. A global index is never left for its table.
fn must_fetch(
    select: Option<Select>,
    table: &Table,
    index: &Index,
    parsed: &Parsed<'_>,
) -> Result<bool, Fault> {
    if index.projects_all() {
        return Ok(false);
    }
    if select == Some(Select::AllAttributes) {
        if index.local {
            return Ok(true);
        }
        return Err(invalid(format_args!(
            "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its projection type is \
             not ALL",
            index.name
        )));
    }
    let named = parsed.projection.iter().flat_map(|projection| projection.attributes());
    let missing: Vec<&str> = named.filter(|name| !index.projects(table, name)).collect();
    if missing.is_empty() || index.local {
        return Ok(!missing.is_empty());
    }
    Err(invalid(format_args!(
        "Global secondary index {} does not project {}",
        index.name,
        missing.join(", ")
    )))
}
