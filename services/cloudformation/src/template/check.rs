//! What can be said of a template's references before its parameters are known, and once its conditions are.

use std::collections::{BTreeMap, BTreeSet};

use base::Document;
use indexmap::IndexSet;

use super::error::TemplateError;
use super::eval::Pseudo;
use super::expr::{Expr, IMPORT};
use super::predicate::Predicate;
use super::sub::Part;
use super::{Template, graph};

/// Refuses references to what does not exist, and circles.
pub(super) fn references(template: &Template) -> Result<(), TemplateError> {
    let checker = Checker { template };
    checker.conditions()?;
    checker.rules()?;
    for resource in template.resources.values() {
        checker.condition(resource.condition.as_deref(), "Resources")?;
        let missing: Vec<&str> =
            resource.depends_on.iter().map(String::as_str).filter(|on| !checker.is_resource(on)).collect();
        if !missing.is_empty() {
            return Err(unresolved(&missing, "Resources"));
        }
        for property in resource.expressions() {
            checker.expression(property, "Resources")?;
        }
    }
    for (name, output) in &template.outputs {
        if output.value.is_dynamic() {
            let what = format!("[/Outputs/{name}] a dynamic reference in an output");
            return Err(TemplateError::unsupported(what));
        }
        checker.condition(output.condition.as_deref(), "Outputs")?;
        checker.expression(&output.value, "Outputs")?;
        if let Some(export) = &output.export {
            checker.expression(export, "Outputs")?;
        }
    }
    let needs = template.resources.keys().map(|name| (name.clone(), template.needs(name, None))).collect();
    graph::order(&needs).map(|_| ()).map_err(|cycle| cycle.of_resources())
}

fn unresolved(names: &[&str], block: &str) -> TemplateError {
    let names = names.join(", ");
    TemplateError::format(format!(
        "Unresolved resource dependencies [{names}] in the {block} block of the template"
    ))
}

struct Checker<'t> {
    template: &'t Template,
}

impl Checker<'_> {
    fn is_resource(&self, name: &str) -> bool {
        self.template.resources.contains_key(name)
    }

    fn is_parameter(&self, name: &str) -> bool {
        self.template.parameters.contains_key(name) || Pseudo::NAMES.contains(&name)
    }

    fn condition(&self, name: Option<&str>, block: &str) -> Result<(), TemplateError> {
        match name {
            Some(name) if !self.template.conditions.contains_key(name) => {
                let message =
                    format!("Unresolved condition dependency {name} in the {block} block of the template");
                Err(TemplateError::format(message))
            }
            _ => Ok(()),
        }
    }

    fn conditions(&self) -> Result<(), TemplateError> {
        for predicate in self.template.conditions.values() {
            self.predicate(predicate, "Conditions")?;
        }
        graph::order(&self.template.condition_needs()).map(|_| ()).map_err(|cycle| cycle.of_conditions())
    }

    fn rules(&self) -> Result<(), TemplateError> {
        for rule in self.template.rules.values() {
            let predicates = rule.condition.iter().chain(rule.assertions.iter().map(|a| &a.assert));
            for predicate in predicates {
                self.predicate(predicate, "Rules")?;
            }
        }
        Ok(())
    }

    /// Conditions and rules see parameters only.
    fn predicate(&self, predicate: &Predicate, block: &str) -> Result<(), TemplateError> {
        let mut found = Ok(());
        predicate.walk(&mut |inner| {
            if found.is_ok() {
                found = match inner {
                    Predicate::Named(name) => self.condition(Some(name), block),
                    other => other.operands().iter().try_for_each(|operand| self.operand(operand, block)),
                };
            }
        });
        found
    }

    fn operand(&self, operand: &Expr, block: &str) -> Result<(), TemplateError> {
        if operand.is_dynamic() {
            return Err(TemplateError::unsupported(format!("a dynamic reference in the {block} block")));
        }
        let mut names = BTreeSet::new();
        references_of(operand, &mut |name, _| {
            if !self.is_parameter(name) {
                names.insert(name.to_owned());
            }
        });
        if let Some(refused) =
            first(operand, |expr| matches!(expr, Expr::ImportValue(_) | Expr::GetAtt { .. }))
        {
            let function =
                if matches!(refused, Expr::GetAtt { .. }) { "Fn::GetAtt" } else { "Fn::ImportValue" };
            return Err(TemplateError::intrinsic(format!("Cannot use {function} in {block}.")));
        }
        if names.is_empty() {
            return self.maps(operand);
        }
        let names: Vec<String> = names.into_iter().collect();
        Err(TemplateError::format(format!(
            "Unresolved dependencies [{}]. Cannot reference resources in the {block} block of the template",
            names.join(", ")
        )))
    }

    fn expression(&self, expr: &Expr, block: &str) -> Result<(), TemplateError> {
        let mut missing = IndexSet::new();
        let mut missing_attribute = None;
        references_of(expr, &mut |name, is_attribute| {
            if self.is_resource(name) || (!is_attribute && self.is_parameter(name)) {
                return;
            }
            if is_attribute {
                missing_attribute.get_or_insert(name);
            } else {
                missing.insert(name);
            }
        });
        if let Some(name) = missing_attribute {
            let message = format!("instance of Fn::GetAtt references undefined resource {name}");
            return Err(TemplateError::intrinsic(message));
        }
        if !missing.is_empty() {
            return Err(unresolved(&missing.into_iter().collect::<Vec<_>>(), block));
        }
        self.imports(expr)?;
        self.maps(expr)?;
        let mut found = Ok(());
        expr.walk(&mut |inner| {
            if let (Ok(()), Expr::If { condition, .. }) = (&found, inner) {
                found = self.condition(Some(condition), block);
            }
        });
        found
    }

    /// The name of an import may use parameters, not resources.
    fn imports(&self, expr: &Expr) -> Result<(), TemplateError> {
        let mut of_resource = false;
        expr.walk(&mut |inner| {
            if let Expr::ImportValue(name) = inner {
                references_of(name, &mut |name, _| of_resource |= self.is_resource(name));
            }
        });
        if of_resource { Err(TemplateError::intrinsic(IMPORT)) } else { Ok(()) }
    }

    fn maps(&self, expr: &Expr) -> Result<(), TemplateError> {
        let mut missing = None;
        expr.walk(&mut |inner| {
            if let Expr::FindInMap { map, default: None, .. } = inner
                && let Some(name) = map.as_text()
                && !self.template.mappings.contains_key(name)
            {
                missing.get_or_insert(name);
            }
        });
        missing.map_or(Ok(()), |name| {
            let message =
                format!("Mapping named '{name}' is not present in the 'Mappings' section of template.");
            Err(TemplateError::intrinsic(message))
        })
    }
}

fn first(expr: &Expr, is: impl Fn(&Expr) -> bool) -> Option<&Expr> {
    let mut found = None;
    expr.walk(&mut |inner| {
        if found.is_none() && is(inner) {
            found = Some(inner);
        }
    });
    found
}

/// Calls `visit` with every name referred to anywhere in `expr`, and whether an attribute of it is meant.
fn references_of<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e str, bool)) {
    expr.walk(&mut |inner| direct(inner, visit));
}

fn direct<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e str, bool)) {
    match expr {
        Expr::Ref(name) => visit(name, false),
        Expr::GetAtt { resource, .. } => visit(resource, true),
        Expr::Sub { parts, variables } => {
            let free = |part: &&Part| part.variable().is_some_and(|name| !variables.contains_key(&name));
            for part in parts.iter().filter(free) {
                match part {
                    Part::Name(name) => visit(name, false),
                    Part::Attribute(resource, _) => visit(resource, true),
                    Part::Text(_) => {}
                }
            }
        }
        _ => {}
    }
}

/// Calls `visit` as [`references_of`], but only on the branches that the conditions choose.
fn chosen<'e>(expr: &'e Expr, conditions: &BTreeMap<String, bool>, visit: &mut dyn FnMut(&'e str, bool)) {
    direct(expr, visit);
    match expr {
        Expr::If { condition, then, otherwise } => {
            let holds = conditions.get(condition).copied().unwrap_or_default();
            chosen(if holds { then } else { otherwise }, conditions, visit);
        }
        other => other.children().into_iter().for_each(|child| chosen(child, conditions, visit)),
    }
}

impl Expr {
    /// Whether a dynamic reference, `{{resolve:…}}`, is written anywhere inside.
    pub fn is_dynamic(&self) -> bool {
        const OPEN: &str = "{{resolve:";
        let mut found = false;
        self.walk(&mut |inner| {
            found |= match inner {
                Expr::Literal(Document::String(text)) => text.contains(OPEN),
                Expr::Sub { parts, .. } => {
                    parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains(OPEN)))
                }
                _ => false,
            };
        });
        found
    }

    /// Every parameter and resource that is referred to anywhere inside, with the attribute that is meant. Attributes
    /// whose names are given by a `Ref` show as `*`.
    pub fn references(&self) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        self.walk(&mut |inner| match inner {
            Expr::Ref(name) => found.push((name.clone(), None)),
            Expr::GetAtt { resource, attribute } => {
                found.push((resource.clone(), Some(attribute.as_text().unwrap_or("*").to_owned())));
            }
            Expr::Sub { parts, variables } => {
                let free = |part: &&Part| part.variable().is_some_and(|name| !variables.contains_key(&name));
                found.extend(parts.iter().filter(free).filter_map(|part| match part {
                    Part::Name(name) => Some((name.clone(), None)),
                    Part::Attribute(resource, attribute) => Some((resource.clone(), Some(attribute.clone()))),
                    Part::Text(_) => None,
                }));
            }
            _ => {}
        });
        found
    }
}

impl Template {
    /// The resources that `name` needs: by `DependsOn` and by reference. With `conditions`, only on the branches
    /// that they choose, and only resources that exist under them.
    pub fn needs(&self, name: &str, conditions: Option<&BTreeMap<String, bool>>) -> BTreeSet<String> {
        let Some(resource) = self.resources.get(name) else { return BTreeSet::new() };
        let mut needs: BTreeSet<String> = resource.depends_on.iter().cloned().collect();
        let mut visit = |other: &str, _: bool| {
            if self.resources.contains_key(other) {
                needs.insert(other.to_owned());
            }
        };
        for property in resource.expressions() {
            match conditions {
                Some(conditions) => chosen(property, conditions, &mut visit),
                None => references_of(property, &mut visit),
            }
        }
        if let Some(conditions) = conditions {
            needs.retain(|need| self.exists(need, conditions));
        }
        needs
    }

    /// Whether the resource exists under the conditions.
    pub fn exists(&self, name: &str, conditions: &BTreeMap<String, bool>) -> bool {
        let condition = self.resources.get(name).and_then(|resource| resource.condition.as_ref());
        condition.is_none_or(|condition| conditions.get(condition).copied().unwrap_or_default())
    }

    /// Refuses references, on the chosen branches, to resources that do not exist under the conditions.
    ///
    /// # Errors
    /// AWS's "Unresolved resource dependencies".
    pub fn check_existing(&self, conditions: &BTreeMap<String, bool>) -> Result<(), TemplateError> {
        let check = |expr: &Expr, block: &str| {
            let mut missing = BTreeSet::new();
            chosen(expr, conditions, &mut |name, _| {
                if self.resources.contains_key(name) && !self.exists(name, conditions) {
                    missing.insert(name.to_owned());
                }
            });
            let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
            if missing.is_empty() { Ok(()) } else { Err(unresolved(&missing, block)) }
        };
        for (name, resource) in &self.resources {
            if self.exists(name, conditions) {
                resource.expressions().try_for_each(|expr| check(expr, "Resources"))?;
            }
        }
        let holds = |condition: &Option<String>| {
            condition.as_ref().is_none_or(|name| conditions.get(name).copied().unwrap_or_default())
        };
        for output in self.outputs.values().filter(|output| holds(&output.condition)) {
            check(&output.value, "Outputs")?;
        }
        Ok(())
    }

    /// The attributes that the template asks for: logical id, attribute name. Names given by a `Ref` are left out.
    pub fn attributes(&self) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        let properties = self.resources.values().flat_map(|resource| resource.expressions());
        let outputs =
            self.outputs.values().flat_map(|output| std::iter::once(&output.value).chain(&output.export));
        for expr in properties.chain(outputs) {
            expr.walk(&mut |inner| match inner {
                Expr::GetAtt { resource, attribute } => {
                    found.extend(attribute.as_text().map(|attribute| (resource.as_str(), attribute)));
                }
                Expr::Sub { parts, variables } => {
                    for part in parts {
                        if let Part::Attribute(resource, attribute) = part
                            && !part.variable().is_some_and(|name| variables.contains_key(&name))
                        {
                            found.push((resource.as_str(), attribute.as_str()));
                        }
                    }
                }
                _ => {}
            });
        }
        found
    }
}
