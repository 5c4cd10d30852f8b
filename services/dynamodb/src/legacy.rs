//! The parameters from before expressions (`Expected`, `AttributeUpdates`, `KeyConditions`, …), turned into the same trees.
//!
//! Source: "Legacy conditional parameters" of the developer guide.

use std::collections::BTreeMap;

use base::Fault;

use crate::api::{self, AttributeAction, ComparisonOperator, ConditionalOperator};
use crate::border::GivenValue;
use crate::expression::{
    Addend, Comparator, Condition, KeyPart, Operand, Path, Projection, RangeCondition, SetValue, Update,
};
use crate::value::{AttributeType, AttributeValue};

/// The parameters as given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) expected: Option<BTreeMap<String, api::ExpectedAttributeValue>>,
    pub(crate) attribute_updates: Option<BTreeMap<String, api::AttributeValueUpdate>>,
    pub(crate) conditional_operator: Option<ConditionalOperator>,
    pub(crate) query_filter: Option<BTreeMap<String, api::Condition>>,
    pub(crate) scan_filter: Option<BTreeMap<String, api::Condition>>,
    pub(crate) key_conditions: Option<BTreeMap<String, api::Condition>>,
    pub(crate) attributes_to_get: Option<Vec<String>>,
}

/// A comparison of one attribute.
#[derive(Debug)]
struct Test {
    name: String,
    operator: ComparisonOperator,
    values: Vec<AttributeValue>,
}

/// A change of one attribute.
#[derive(Debug)]
struct Change {
    name: String,
    action: AttributeAction,
    value: Option<AttributeValue>,
}

/// The parameters with their values accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    any: bool,
    expected: Option<Vec<Test>>,
    changes: Option<Vec<Change>>,
    filter: Option<Vec<Test>>,
    key_conditions: Option<Vec<Test>>,
    attributes: Option<Vec<String>>,
}

fn invalid(text: impl std::fmt::Display) -> Fault {
    Fault::validation(format!("One or more parameter values were invalid: {text}"))
}

impl Given {
    /// The names of the parameters that are there.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let given = [
            ("AttributesToGet", self.attributes_to_get.is_some()),
            ("AttributeUpdates", self.attribute_updates.is_some()),
            ("QueryFilter", self.query_filter.is_some()),
            ("ScanFilter", self.scan_filter.is_some()),
            ("Expected", self.expected.is_some()),
            ("ConditionalOperator", self.conditional_operator.is_some()),
            ("KeyConditions", self.key_conditions.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// Accepts all values and checks each comparison for itself.
    pub(crate) fn accept(self) -> Result<Accepted, Fault> {
        let filter = self.query_filter.or(self.scan_filter);
        let joined = [self.expected.as_ref().map(BTreeMap::len), filter.as_ref().map(BTreeMap::len)];
        if self.conditional_operator.is_some() && joined.into_iter().flatten().all(|count| count < 2) {
            return Err(Fault::validation(
                "ConditionalOperator cannot be used without Filter or Expected of two or more attributes",
            ));
        }
        let tests = |conditions: BTreeMap<String, api::Condition>| {
            conditions
                .into_iter()
                .map(|(name, condition)| test(name, condition))
                .collect::<Result<Vec<_>, _>>()
        };
        let expected = self.expected.map(|all| all.into_iter().map(expect).collect::<Result<Vec<_>, _>>());
        let changes =
            self.attribute_updates.map(|all| all.into_iter().map(change).collect::<Result<Vec<_>, _>>());
        Ok(Accepted {
            any: self.conditional_operator == Some(ConditionalOperator::Or),
            expected: expected.transpose()?,
            changes: changes.transpose()?,
            filter: filter.map(tests).transpose()?,
            key_conditions: self.key_conditions.map(tests).transpose()?,
            attributes: self.attributes_to_get,
        })
    }
}

fn accept_all(values: Option<Vec<GivenValue>>) -> Result<Vec<AttributeValue>, Fault> {
    values.unwrap_or_default().into_iter().map(GivenValue::accept).collect()
}

fn test(name: String, condition: api::Condition) -> Result<Test, Fault> {
    let values = accept_all(condition.attribute_value_list)?;
    checked(Test { name, operator: condition.comparison_operator, values })
}

fn expect((name, expected): (String, api::ExpectedAttributeValue)) -> Result<Test, Fault> {
    let value = expected.value.map(GivenValue::accept).transpose()?;
    if let Some(operator) = expected.comparison_operator {
        if expected.exists.is_some() {
            return Err(invalid(format_args!(
                "Exists and ComparisonOperator cannot be used together for Attribute: {name}"
            )));
        }
        let list = accept_all(expected.attribute_value_list)?;
        let values = if list.is_empty() { value.into_iter().collect() } else { list };
        return checked(Test { name, operator, values });
    }
    let (operator, values) = match (expected.exists, value) {
        (Some(false), None) => (ComparisonOperator::Null, Vec::new()),
        (Some(false), Some(_)) => {
            return Err(invalid(format_args!(
                "Value cannot be used when Exists is set to false for Attribute: {name}"
            )));
        }
        (_, Some(value)) => (ComparisonOperator::Eq, vec![value]),
        (exists, None) => {
            let shown = exists.map_or("null", |_| "true");
            return Err(invalid(format_args!(
                "Value must be provided when Exists is {shown} for Attribute: {name}"
            )));
        }
    };
    Ok(Test { name, operator, values })
}

/// Checks the number and the types of the values.
fn checked(test: Test) -> Result<Test, Fault> {
    use ComparisonOperator as Op;
    let count = test.values.len();
    let fits = match test.operator {
        Op::Null | Op::NotNull => count == 0,
        Op::Between => count == 2,
        Op::In => count > 0,
        _ => count == 1,
    };
    let operator = operator_name(test.operator);
    if !fits {
        return Err(invalid(format_args!(
            "Invalid number of argument(s) for the {operator} ComparisonOperator"
        )));
    }
    let allowed: &[AttributeType] = match test.operator {
        Op::Le | Op::Lt | Op::Ge | Op::Gt | Op::Between | Op::In | Op::Contains | Op::NotContains => {
            &[AttributeType::S, AttributeType::N, AttributeType::B]
        }
        Op::BeginsWith => &[AttributeType::S, AttributeType::B],
        Op::Eq | Op::Ne | Op::Null | Op::NotNull => return Ok(test),
    };
    if test.values.iter().any(|value| !allowed.contains(&value.kind())) {
        return Err(invalid(format_args!(
            "ComparisonOperator {operator} is not valid for the type of its argument"
        )));
    }
    Ok(test)
}

fn operator_name(operator: ComparisonOperator) -> &'static str {
    use ComparisonOperator as Op;
    match operator {
        Op::Eq => "EQ",
        Op::Ne => "NE",
        Op::In => "IN",
        Op::Le => "LE",
        Op::Lt => "LT",
        Op::Ge => "GE",
        Op::Gt => "GT",
        Op::Between => "BETWEEN",
        Op::NotNull => "NOT_NULL",
        Op::Null => "NULL",
        Op::Contains => "CONTAINS",
        Op::NotContains => "NOT_CONTAINS",
        Op::BeginsWith => "BEGINS_WITH",
    }
}

fn comparator(operator: ComparisonOperator) -> Option<Comparator> {
    use ComparisonOperator as Op;
    Some(match operator {
        Op::Eq => Comparator::Equal,
        Op::Ne => Comparator::NotEqual,
        Op::Le => Comparator::LessOrEqual,
        Op::Lt => Comparator::Less,
        Op::Ge => Comparator::GreaterOrEqual,
        Op::Gt => Comparator::Greater,
        _ => return None,
    })
}

fn change((name, update): (String, api::AttributeValueUpdate)) -> Result<Change, Fault> {
    let value = update.value.map(GivenValue::accept).transpose()?;
    let action = update.action.unwrap_or(AttributeAction::Put);
    let kind = value.as_ref().map(AttributeValue::kind);
    let is_set = matches!(kind, Some(AttributeType::Ss | AttributeType::Ns | AttributeType::Bs));
    match (action, kind) {
        (AttributeAction::Put | AttributeAction::Add, None) => {
            Err(invalid("Only DELETE action is allowed when no attribute value is specified"))
        }
        (AttributeAction::Add, Some(kind)) if kind != AttributeType::N && !is_set => {
            Err(invalid(format_args!("ADD action is not supported for the type {}", kind.letters())))
        }
        (AttributeAction::Delete, Some(kind)) if !is_set => Err(invalid(format_args!(
            "DELETE action with value is not supported for the type {}",
            kind.letters()
        ))),
        _ => Ok(Change { name, action, value }),
    }
}

impl Test {
    fn condition(&self) -> Condition<'_> {
        use ComparisonOperator as Op;
        let path = || Path::attribute(&self.name);
        let operand = || Operand::Path(path());
        let mut values = self.values.iter().map(Operand::Value);
        let mut next = || values.next().unwrap_or_else(|| Operand::Path(path()));
        match self.operator {
            Op::Null => Condition::NotExists(path()),
            Op::NotNull => Condition::Exists(path()),
            Op::Between => Condition::Between(operand(), next(), next()),
            Op::In => Condition::In(operand(), self.values.iter().map(Operand::Value).collect()),
            Op::Contains => Condition::Contains(operand(), next()),
            Op::NotContains => {
                let contains = Condition::Contains(operand(), next());
                Condition::And(vec![Condition::Exists(path()), Condition::Not(Box::new(contains))])
            }
            Op::BeginsWith => Condition::BeginsWith(operand(), next()),
            compared => match comparator(compared) {
                Some(comparator) => Condition::Compare(comparator, operand(), next()),
                None => Condition::And(Vec::new()),
            },
        }
    }

    fn key_part(&self) -> Result<KeyPart<'_>, Fault> {
        let range = match (self.operator, self.values.as_slice()) {
            (ComparisonOperator::Between, [low, high]) => RangeCondition::Between(low, high),
            (ComparisonOperator::BeginsWith, [prefix]) => RangeCondition::BeginsWith(prefix),
            (operator, [value]) => match comparator(operator).filter(|c| *c != Comparator::NotEqual) {
                Some(comparator) => RangeCondition::Compare(comparator, value),
                None => {
                    return Err(Fault::validation(
                        "Attempted conditional constraint is not an indexable operation",
                    ));
                }
            },
            _ => {
                return Err(Fault::validation(
                    "Attempted conditional constraint is not an indexable operation",
                ));
            }
        };
        Ok((&self.name, range))
    }
}

impl Accepted {
    fn joined<'a>(&self, tests: Option<&'a Vec<Test>>) -> Option<Condition<'a>> {
        let all: Vec<Condition<'a>> = tests?.iter().map(Test::condition).collect();
        Some(if self.any { Condition::Or(all) } else { Condition::And(all) })
    }

    /// `Expected` as a condition.
    pub(crate) fn expected(&self) -> Result<Option<Condition<'_>>, Fault> {
        Ok(self.joined(self.expected.as_ref()))
    }

    /// `QueryFilter` or `ScanFilter` as a filter.
    pub(crate) fn filter(&self) -> Result<Option<Condition<'_>>, Fault> {
        Ok(self.joined(self.filter.as_ref()))
    }

    /// `KeyConditions` one by one.
    pub(crate) fn key_parts(&self) -> Result<Option<Vec<KeyPart<'_>>>, Fault> {
        let Some(tests) = &self.key_conditions else { return Ok(None) };
        if !(1..=2).contains(&tests.len()) {
            return Err(Fault::validation("Conditions can be of length 1 or 2 only"));
        }
        tests.iter().map(Test::key_part).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// `AttributesToGet` as a projection.
    pub(crate) fn projection(&self) -> Result<Option<Projection<'_>>, Fault> {
        let Some(names) = &self.attributes else { return Ok(None) };
        if names.is_empty() {
            return Err(Fault::validation("AttributesToGet must have at least one attribute"));
        }
        let paths = names.iter().map(|name| Path::attribute(name)).collect();
        let projection =
            Projection::of(paths).map_err(|_| invalid("Duplicate value in attribute name list"))?;
        Ok(Some(projection))
    }

    /// `AttributeUpdates` as an update.
    pub(crate) fn update(&self) -> Result<Option<Update<'_>>, Fault> {
        let Some(changes) = &self.changes else { return Ok(None) };
        let mut update = Update::default();
        for change in changes {
            let path = Path::attribute(&change.name);
            match (change.action, &change.value) {
                (AttributeAction::Put, Some(value)) => {
                    update.set.push((path, SetValue::Plain(Addend::Value(value))));
                }
                (AttributeAction::Add, Some(value)) => update.add.push((path, value)),
                (AttributeAction::Delete, Some(value)) => update.delete.push((path, value)),
                (_, None) => update.remove.push(path),
            }
        }
        Ok(Some(update))
    }
}
