//! The expression parameters of a request, taken in together: they share placeholders and must not be mixed with the
//! legacy parameters.

use std::collections::BTreeMap;

use base::Fault;

use crate::border::ItemForm;
use crate::expression::{Condition, KeyCondition, KeyPart, Kind, Placeholders, Projection, Update};
use crate::legacy;
use crate::value::Item;

/// The parameters as given; what an operation does not have stays `None`.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) names: Option<BTreeMap<String, String>>,
    pub(crate) values: Option<ItemForm>,
    pub(crate) condition: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) key_condition: Option<String>,
    pub(crate) projection: Option<String>,
    pub(crate) update: Option<String>,
    pub(crate) legacy: legacy::Given,
}

/// The parameters, accepted and not yet parsed. Parsing borrows from here.
pub(crate) struct Accepted {
    names: Option<BTreeMap<String, String>>,
    values: Option<Item>,
    condition: Option<String>,
    filter: Option<String>,
    key_condition: Option<String>,
    projection: Option<String>,
    update: Option<String>,
    legacy: legacy::Accepted,
}

/// The parsed parameters.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    /// `ConditionExpression` or `Expected`.
    pub(crate) condition: Option<Condition<'a>>,
    /// `FilterExpression`, `QueryFilter` or `ScanFilter`.
    pub(crate) filter: Option<Condition<'a>>,
    /// `KeyConditionExpression` or `KeyConditions`, one by one.
    pub(crate) key_parts: Option<Vec<KeyPart<'a>>>,
    /// `ProjectionExpression` or `AttributesToGet`.
    pub(crate) projection: Option<Projection<'a>>,
    /// `UpdateExpression` or `AttributeUpdates`.
    pub(crate) update: Option<Update<'a>>,
}

impl Given {
    /// Accepts the values and refuses mixtures. `possible` are the expression parameters that the operation has.
    pub(crate) fn accept(self, possible: &[Kind]) -> Result<Accepted, Fault> {
        self.refuse_mixture()?;
        self.refuse_without_expressions(possible)?;
        let values = match self.values.map(ItemForm::accept_named).transpose() {
            Ok(values) => values,
            Err((key, fault)) => {
                let text = format!(
                    "ExpressionAttributeValues contains invalid value: {} for key {key}",
                    fault.message
                );
                return Err(Fault::validation(text));
            }
        };
        Ok(Accepted {
            names: self.names,
            values,
            condition: self.condition,
            filter: self.filter,
            key_condition: self.key_condition,
            projection: self.projection,
            update: self.update,
            legacy: self.legacy.accept()?,
        })
    }

    fn texts(&self) -> [(Kind, bool); 5] {
        [
            (Kind::Update, self.update.is_some()),
            (Kind::Filter, self.filter.is_some()),
            (Kind::Projection, self.projection.is_some()),
            (Kind::Condition, self.condition.is_some()),
            (Kind::KeyCondition, self.key_condition.is_some()),
        ]
    }

    fn refuse_mixture(&self) -> Result<(), Fault> {
        let legacy = self.legacy.names();
        let expressions: Vec<&str> =
            self.texts().into_iter().filter(|(_, given)| *given).map(|(kind, _)| kind.parameter()).collect();
        if legacy.is_empty() || expressions.is_empty() {
            return Ok(());
        }
        Err(Fault::validation(format!(
            "Can not use both expression and non-expression parameters in the same request: Non-expression \
             parameters: {{{}}} Expression parameters: {{{}}}",
            legacy.join(", "),
            expressions.join(", ")
        )))
    }

    fn refuse_without_expressions(&self, possible: &[Kind]) -> Result<(), Fault> {
        let texts = self.texts();
        let any_expression = texts.iter().any(|(_, given)| *given);
        if self.names.is_some() && !any_expression {
            return Err(Fault::validation(
                "ExpressionAttributeNames can only be specified when using expressions",
            ));
        }
        // A projection has no values.
        let any_valued = texts.iter().any(|(kind, given)| *given && *kind != Kind::Projection);
        if self.values.is_some() && !any_valued {
            let valued: Vec<&str> = possible
                .iter()
                .filter(|kind| **kind != Kind::Projection)
                .map(|kind| kind.parameter())
                .collect();
            let verb = if valued.len() > 1 { "are" } else { "is" };
            return Err(Fault::validation(format!(
                "ExpressionAttributeValues can only be specified when using expressions: {} {verb} null",
                valued.join(" and ")
            )));
        }
        Ok(())
    }
}

impl Accepted {
    /// Parses all, and refuses placeholders that none of them uses.
    pub(crate) fn parse(&self) -> Result<Parsed<'_>, Fault> {
        let placeholders = Placeholders::new(self.names.as_ref(), self.values.as_ref())?;
        let update = match &self.update {
            Some(text) => Some(Update::parse(text, &placeholders)?),
            None => self.legacy.update()?,
        };
        let wanted = match &self.condition {
            Some(text) => Some(Condition::parse(Kind::Condition, text, &placeholders)?),
            None => self.legacy.expected()?,
        };
        let key_parts = match &self.key_condition {
            Some(text) => Some(KeyCondition::parts(text, &placeholders)?),
            None => self.legacy.key_parts()?,
        };
        let filter = match &self.filter {
            Some(text) => Some(Condition::parse(Kind::Filter, text, &placeholders)?),
            None => self.legacy.filter()?,
        };
        let projection = match &self.projection {
            Some(text) => Some(Projection::parse(text, &placeholders)?),
            None => self.legacy.projection()?,
        };
        placeholders.check_all_used()?;
        Ok(Parsed { condition: wanted, filter, key_parts, projection, update })
    }
}
