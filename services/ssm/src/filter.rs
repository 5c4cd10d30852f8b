//! Filters of lists.
//!
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html>

use base::Fault;

use crate::api::{ParameterStringFilter, ParametersFilter, ParametersFilterKey};
use crate::keys::Parameter;
use crate::name;

/// What a parameter must be to be listed: each of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter(Vec<Criterion>);

#[derive(Clone, Debug)]
struct Criterion {
    key: Key,
    option: Compare,
    values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Name,
    Type,
    Kms,
    Path,
    Label,
    Tier,
    DataType,
    Tag(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equals,
    BeginsWith,
    Contains,
    OneLevel,
    Recursive,
}

impl Filter {
    /// The filters of DescribeParameters, new and old.
    pub(crate) fn of_description(
        filters: Option<Vec<ParameterStringFilter>>,
        old: Option<Vec<ParametersFilter>>,
    ) -> Result<Filter, Fault> {
        let (filters, old) = (filters.unwrap_or_default(), old.unwrap_or_default());
        if !filters.is_empty() && !old.is_empty() {
            let message = "You can use either Filters or ParameterFilters in a single request.";
            return Err(Fault::validation(message));
        }
        let mut criteria: Vec<Criterion> = old.into_iter().map(Criterion::of_old).collect();
        for filter in filters {
            let criterion = Criterion::parse(filter)?;
            if criterion.key == Key::Label {
                return Err(invalid_key("Label", "DataType, KeyId, Name, Path, Tier, Type, tag:<key>"));
            }
            criteria.push(criterion);
        }
        Ok(Filter(criteria))
    }

    /// The filters of GetParametersByPath.
    pub(crate) fn of_path(filters: Option<Vec<ParameterStringFilter>>) -> Result<Filter, Fault> {
        let mut criteria = Vec::new();
        for filter in filters.unwrap_or_default() {
            let key = filter.key.clone();
            let criterion = Criterion::parse(filter)?;
            if !matches!(criterion.key, Key::Type | Key::Kms | Key::Label | Key::DataType) {
                return Err(invalid_key(&key, "DataType, KeyId, Label, Type"));
            }
            criteria.push(criterion);
        }
        Ok(Filter(criteria))
    }

    /// Whether a parameter is listed.
    pub(crate) fn holds(&self, name: &str, parameter: &Parameter) -> bool {
        self.0.iter().all(|criterion| criterion.holds(name, parameter))
    }

    /// The version that a filter by label asks for, of a parameter that it lists.
    pub(crate) fn version(&self, parameter: &Parameter) -> u64 {
        let labels = self.0.iter().filter(|criterion| criterion.key == Key::Label);
        let mut numbers =
            labels.flat_map(|it| &it.values).filter_map(|label| parameter.labels.get(label).copied());
        numbers.next().unwrap_or(parameter.latest.number)
    }
}

impl Criterion {
    fn of_old(old: ParametersFilter) -> Criterion {
        let (key, option) = match old.key {
            ParametersFilterKey::Name => (Key::Name, Compare::BeginsWith),
            ParametersFilterKey::Type => (Key::Type, Compare::Equals),
            ParametersFilterKey::KeyId => (Key::Kms, Compare::Equals),
        };
        Criterion { key, option, values: old.values }
    }

    fn parse(filter: ParameterStringFilter) -> Result<Criterion, Fault> {
        let key = match filter.key.as_str() {
            "Name" => Key::Name,
            "Type" => Key::Type,
            "KeyId" => Key::Kms,
            "Path" => Key::Path,
            "Label" => Key::Label,
            "Tier" => Key::Tier,
            "DataType" => Key::DataType,
            other => match other.strip_prefix("tag:") {
                Some(tag) => Key::Tag(tag.to_owned()),
                None => return Err(invalid_key(other, "DataType, KeyId, Name, Path, Tier, Type, tag:<key>")),
            },
        };
        let option = match (&key, filter.option.as_deref()) {
            (Key::Path, None | Some("OneLevel")) => Compare::OneLevel,
            (Key::Path, Some("Recursive")) => Compare::Recursive,
            (Key::Name, Some("BeginsWith")) => Compare::BeginsWith,
            (Key::Name, Some("Contains")) => Compare::Contains,
            (Key::Path, Some(other)) => return Err(invalid_option(other, "Recursive, OneLevel")),
            (_, None | Some("Equals")) => Compare::Equals,
            (Key::Name, Some(other)) => return Err(invalid_option(other, "BeginsWith, Contains, Equals")),
            (_, Some(other)) => return Err(invalid_option(other, "Equals")),
        };
        let values = filter.values.unwrap_or_default();
        if values.is_empty() && !matches!(key, Key::Tag(_)) {
            let message = "The following filter values are missing : null for filter key ";
            return Err(Fault::new("InvalidFilterValue", format!("{message}{}", filter.key)));
        }
        Ok(Criterion { key, option, values })
    }

    fn holds(&self, name: &str, parameter: &Parameter) -> bool {
        let latest = &parameter.latest;
        match &self.key {
            Key::Name => self.values.iter().any(|value| self.compare(name, value)),
            Key::Type => self.names(latest.kind.as_str()),
            Key::Kms => latest.key_id.as_deref().is_some_and(|key| self.names(key)),
            Key::Tier => self.names(latest.tier.as_str()),
            Key::DataType => self.names(&latest.data_type),
            Key::Label => self.values.iter().any(|label| parameter.labels.contains_key(label)),
            Key::Tag(tag) => {
                parameter.tags.get(tag).is_some_and(|value| self.values.is_empty() || self.names(value))
            }
            Key::Path => {
                let deep = self.option == Compare::Recursive;
                self.values.iter().any(|path| name::is_below(name, path.trim_end_matches('/'), deep))
            }
        }
    }

    fn names(&self, text: &str) -> bool {
        self.values.iter().any(|value| value == text)
    }

    fn compare(&self, name: &str, value: &str) -> bool {
        match self.option {
            Compare::BeginsWith => name.starts_with(value),
            Compare::Contains => name.contains(value),
            Compare::Equals | Compare::OneLevel | Compare::Recursive => name == value,
        }
    }
}

fn invalid_key(key: &str, valid: &str) -> Fault {
    let message =
        format!("The following filter key is not valid: {key}. Valid filter keys include: [{valid}].");
    Fault::new("InvalidFilterKey", message)
}

fn invalid_option(option: &str, valid: &str) -> Fault {
    let message =
        format!("The following filter option is not valid: {option}. Valid options include: [{valid}].");
    Fault::new("InvalidFilterOption", message)
}
