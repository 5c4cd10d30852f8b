//! Reads the rules of Choice states.

use serde_json::Value;

use super::fields::Fields;
use super::jsonata::BEFORE;
use super::{Compiler, Targets};
use crate::choice::{Kind, Operand, Relation, Rule, Test, pattern};
use crate::machine::{ChoiceRule, Language, When};

/// The members of a rule that are no operators.
const TOP: [&str; 4] = ["Variable", "Next", "Comment", "Assign"];
/// The same for a rule within a rule.
const NESTED: [&str; 3] = ["Variable", "Next", "Comment"];

fn is_operator(name: &str) -> bool {
    matches!(name, "And" | "Or" | "Not") || operator(name).is_some()
}

impl Compiler {
    pub(super) fn choices(&mut self, fields: &Fields<'_>, targets: &Targets<'_>) -> Option<Vec<ChoiceRule>> {
        let list = fields.array(self, "Choices")?;
        if list.is_empty() {
            self.invalid("Choices must hold at least one rule", &fields.at("Choices"));
        }
        let mut rules = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let location = format!("{}[{index}]", fields.at("Choices"));
            let Some(fields) = Fields::new(self, value, &location) else { continue };
            fields.require(self, &["Next"]);
            let next =
                fields.text(self, "Next").and_then(|name| self.target(name, targets, &fields.at("Next")));
            let when = match self.language {
                Language::JsonPath => self.rule(&fields, &TOP).map(When::Rule),
                Language::Jsonata => self.condition(&fields),
            };
            let output = match self.language {
                Language::JsonPath => None,
                Language::Jsonata => self.query_template(&fields, "Output", BEFORE),
            };
            let assign = self.assign(&fields, BEFORE);
            let next = next.unwrap_or(u32::MAX);
            rules.extend(when.map(|when| ChoiceRule { when, next, assign, output }));
        }
        (rules.len() == list.len()).then_some(rules)
    }

    /// A rule of a JSONata state.
    fn condition(&mut self, fields: &Fields<'_>) -> Option<When> {
        let others: Vec<&str> =
            fields.names().filter(|name| *name == "Variable" || is_operator(name)).collect();
        fields.allow_in(self, &["Condition", "Next", "Comment", "Assign", "Output"], &others);
        if !fields.require(self, &["Condition"]) {
            return None;
        }
        if let Some(Value::Bool(fixed)) = fields.get("Condition") {
            return Some(When::Fixed(*fixed));
        }
        match self.query(fields, "Condition") {
            (query, true) => query.map(When::Query),
            (_, false) => {
                self.invalid("Value is not a valid JSONata expression", &fields.at("Condition"));
                None
            }
        }
    }

    fn nested(&mut self, value: &Value, location: &str) -> Option<Rule> {
        let fields = Fields::new(self, value, location)?;
        if fields.has("Next") {
            self.invalid("Field 'Next' is not supported", location);
        }
        self.rule(&fields, &NESTED)
    }

    /// `other`: the members that are no operators.
    fn rule(&mut self, fields: &Fields<'_>, other: &[&str]) -> Option<Rule> {
        let operators: Vec<&str> = fields.names().filter(|name| is_operator(name)).collect();
        fields.allow_in(self, &[other, &operators].concat(), &["Condition", "Output"]);
        let [name] = operators.as_slice() else {
            let message = "A choice rule must have exactly one comparison operator, And, Or or Not";
            self.invalid(message, &fields.location);
            return None;
        };
        match *name {
            "And" => self.rules(fields, "And").map(Rule::And),
            "Or" => self.rules(fields, "Or").map(Rule::Or),
            "Not" => {
                let rule = self.nested(fields.get("Not")?, &fields.at("Not"))?;
                Some(Rule::Not(Box::new(rule)))
            }
            name => {
                fields.require(self, &["Variable"]);
                let variable = fields.path(self, "Variable");
                let test = self.test(fields, name);
                Some(Rule::Test { variable: variable?, test: test? })
            }
        }
    }

    fn rules(&mut self, fields: &Fields<'_>, name: &str) -> Option<Vec<Rule>> {
        let list = fields.array(self, name)?;
        if list.is_empty() {
            self.invalid(format!("{name} must hold at least one rule"), &fields.at(name));
        }
        let place = |index: usize| format!("{}[{index}]", fields.at(name));
        let rules: Vec<Rule> =
            list.iter().enumerate().filter_map(|(index, value)| self.nested(value, &place(index))).collect();
        (rules.len() == list.len()).then_some(rules)
    }

    fn test(&mut self, fields: &Fields<'_>, name: &str) -> Option<Test> {
        match operator(name)? {
            Operator::Compare { kind, relation, path: true } => {
                let operand = Operand::Path(fields.path(self, name)?);
                Some(Test::Compare { kind, relation, operand })
            }
            Operator::Compare { kind, relation, path: false } => {
                let value = fields.get(name)?;
                if !kind.accepts(value) {
                    self.invalid(format!("Expected value of type {kind:?}"), &fields.at(name));
                }
                Some(Test::Compare { kind, relation, operand: Operand::Value(value.clone()) })
            }
            Operator::StringMatches => Some(Test::StringMatches(pattern(fields.text(self, name)?))),
            Operator::Is(make) => Some(make(fields.boolean(self, name)?)),
        }
    }
}

enum Operator {
    Compare { kind: Kind, relation: Relation, path: bool },
    StringMatches,
    Is(fn(bool) -> Test),
}

/// The 39 comparison operators by name.
fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "StringMatches" => Operator::StringMatches,
        "IsNull" => Operator::Is(Test::IsNull),
        "IsPresent" => Operator::Is(Test::IsPresent),
        "IsNumeric" => Operator::Is(Test::IsNumeric),
        "IsString" => Operator::Is(Test::IsString),
        "IsBoolean" => Operator::Is(Test::IsBoolean),
        "IsTimestamp" => Operator::Is(Test::IsTimestamp),
        _ => return comparison(name),
    })
}

fn comparison(name: &str) -> Option<Operator> {
    const KINDS: [(&str, Kind); 4] = [
        ("String", Kind::String),
        ("Numeric", Kind::Numeric),
        ("Boolean", Kind::Boolean),
        ("Timestamp", Kind::Timestamp),
    ];
    let (kind, rest) = KINDS.iter().find_map(|(prefix, kind)| Some((*kind, name.strip_prefix(prefix)?)))?;
    let (relation, path) = rest.strip_suffix("Path").map_or((rest, false), |relation| (relation, true));
    let relation = match relation {
        "Equals" => Relation::Equals,
        "LessThan" if kind != Kind::Boolean => Relation::LessThan,
        "GreaterThan" if kind != Kind::Boolean => Relation::GreaterThan,
        "LessThanEquals" if kind != Kind::Boolean => Relation::LessThanEquals,
        "GreaterThanEquals" if kind != Kind::Boolean => Relation::GreaterThanEquals,
        _ => return None,
    };
    Some(Operator::Compare { kind, relation, path })
}
