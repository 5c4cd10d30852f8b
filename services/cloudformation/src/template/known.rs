//! What a template's values are where no resource has a say in them: mistakes among them are known before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use super::error::TemplateError;
use super::eval::Scope;
use super::expr::Expr;
use super::section::Output;
use super::{Template, section};

impl Template {
    /// Evaluates, of what exists under the scope's conditions, what depends on no resource and no import.
    ///
    /// # Errors
    /// `Fn::Select` and `Fn::FindInMap` that find nothing, outputs that are no text, and export names that are given twice.
    pub fn check_known(&self, scope: &Scope<'_>) -> Result<(), TemplateError> {
        for (name, resource) in &self.resources {
            if self.exists(name, scope.conditions) {
                resource.expressions().try_for_each(|expr| self.check_functions(expr, scope))?;
            }
        }
        let mut exports = BTreeMap::new();
        for (name, output) in self.outputs.iter().filter(|(_, output)| holds(output, scope)) {
            self.check_functions(&output.value, scope)?;
            let never_text = matches!(output.value, Expr::List(_) | Expr::Map(_));
            if never_text || self.is_known(&output.value) {
                let value = if never_text { None } else { scope.value(&output.value)? };
                section::output_text(name, value)?;
            }
            if let Some(export) = output.export.as_ref().filter(|export| self.is_known(export)) {
                *exports.entry(scope.text(export, "Export")?).or_insert(0) += 1;
            }
        }
        let twice: BTreeSet<String> =
            exports.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect();
        if twice.is_empty() {
            return Ok(());
        }
        let names = twice.into_iter().collect::<Vec<_>>().join(", ");
        Err(TemplateError::format(format!(
            "The Outputs section contains duplicate Export names: [{names}]. Specify a unique name for each export."
        )))
    }

    /// No resource and no import has a say in it.
    fn is_known(&self, expr: &Expr) -> bool {
        let mut known = !expr.is_dynamic();
        expr.walk(&mut |inner| known &= !matches!(inner, Expr::GetAtt { .. } | Expr::ImportValue(_)));
        known && expr.references().iter().all(|(name, _)| !self.resources.contains_key(name))
    }

    fn check_functions(&self, expr: &Expr, scope: &Scope<'_>) -> Result<(), TemplateError> {
        match expr {
            Expr::If { condition, then, otherwise } => {
                self.check_functions(if scope.holds(condition)? { then } else { otherwise }, scope)
            }
            Expr::Select { .. } | Expr::FindInMap { default: None, .. } if self.is_known(expr) => {
                scope.value(expr).map(drop)
            }
            other => other.children().into_iter().try_for_each(|child| self.check_functions(child, scope)),
        }
    }
}

fn holds(output: &Output, scope: &Scope<'_>) -> bool {
    output.condition.as_ref().is_none_or(|name| scope.conditions.get(name).copied().unwrap_or_default())
}
