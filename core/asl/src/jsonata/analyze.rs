//! What an expression reads, found in its tree before anything runs: members of `$states`, variables, AWS's functions, and
//! references to a context item, which a state machine does not have.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::functions::{HostFunction, is_builtin};
use super::{Place, Refused, TREE_DEPTH_MAX};

/// What an expression reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reads {
    pub(crate) states: StatesReads,
    /// Workflow variables, without their `$`.
    pub(crate) variables: BTreeSet<String>,
    pub(super) functions: BTreeSet<HostFunction>,
}

/// The members of `$states` that an expression reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StatesReads {
    pub(crate) input: bool,
    pub(crate) result: bool,
    pub(crate) error_output: bool,
    pub(crate) context: bool,
    /// Of the context object, `Execution.Input` or what holds it.
    pub(crate) execution_input: bool,
}

impl StatesReads {
    pub(crate) fn any(&self) -> bool {
        self.input || self.result || self.error_output || self.context
    }
}

/// Reads the tree, and makes values of AWS's functions callable where they stand without a call.
pub(super) fn analyze(tree: &mut AstNode, place: Place) -> Result<Reads, Refused> {
    let mut walk =
        Walk { place, reads: Reads::default(), problems: Vec::new(), locals: vec![Vec::new()], depth: 0 };
    walk.visit(tree, true);
    if walk.depth > TREE_DEPTH_MAX {
        return Err(Refused::Invalid("The expression is too deeply nested".to_owned()));
    }
    if walk.problems.is_empty() { Ok(walk.reads) } else { Err(Refused::Unsupported(walk.problems)) }
}

struct Walk {
    place: Place,
    reads: Reads,
    problems: Vec<String>,
    /// Names that the expression itself binds, scope by scope.
    locals: Vec<Vec<String>>,
    /// The level of the tree. Once it is passed, nothing more is looked at.
    depth: usize,
}

impl Walk {
    fn problem(&mut self, message: String) {
        if !self.problems.contains(&message) {
            self.problems.push(message);
        }
    }

    /// Something that would be looked up in the context item, if there were one.
    fn top_level(&mut self, name: &str) {
        self.problem(format!("Reference to '{name}' at the top level is not supported."));
    }

    fn declare(&mut self, name: &str) {
        if let Some(scope) = self.locals.last_mut() {
            scope.push(name.to_owned());
        }
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().flatten().any(|local| local == name)
    }

    fn visit_all<'t>(&mut self, nodes: impl IntoIterator<Item = &'t mut AstNode>, top: bool) {
        for node in nodes {
            self.visit(node, top);
        }
    }

    /// Within a scope of its own.
    fn scoped(&mut self, names: Vec<String>, look: impl FnOnce(&mut Self)) {
        self.locals.push(names);
        look(self);
        self.locals.pop();
    }

    /// `top`: the context item is the expression's, not a value that a path has reached.
    fn visit(&mut self, node: &mut AstNode, top: bool) {
        self.depth += 1;
        if self.depth > TREE_DEPTH_MAX {
            return;
        }
        self.look(node, top);
        if self.depth <= TREE_DEPTH_MAX {
            self.depth -= 1;
        }
    }

    fn look(&mut self, node: &mut AstNode, top: bool) {
        match node {
            AstNode::Name(name) if top => self.top_level(&name.clone()),
            AstNode::Wildcard if top => self.top_level("*"),
            AstNode::Descendant if top => self.top_level("**"),
            AstNode::Variable(name) if name.is_empty() && top => self.top_level("$"),
            AstNode::Variable(name) if name.is_empty() => {}
            AstNode::Variable(_) => self.variable(node),
            AstNode::ParentVariable(_) => self.problem("Reference to '$$' is not supported.".to_owned()),
            AstNode::Path { steps } => self.path(steps, top),
            AstNode::Binary { op: BinaryOp::ColonEqual, lhs, rhs } => {
                self.visit(rhs, top);
                if let AstNode::Variable(name) = &**lhs {
                    self.declare(name);
                }
            }
            AstNode::Binary { lhs, rhs, .. } => self.visit_all([&mut **lhs, &mut **rhs], top),
            AstNode::Unary { operand, .. } => self.visit(operand, top),
            AstNode::Function { name, args, .. } => {
                self.called(&name.clone());
                self.visit_all(args, top);
            }
            AstNode::Call { procedure, args } => {
                self.visit(procedure, top);
                self.visit_all(args, top);
            }
            AstNode::Lambda { params, body, .. } => {
                self.scoped(params.clone(), |walk| walk.visit(body, top));
            }
            AstNode::Array(items) | AstNode::ArrayGroup(items) => self.visit_all(items, top),
            AstNode::Object(pairs) => self.pairs(pairs, top),
            AstNode::ObjectTransform { input, pattern } => {
                self.visit(input, top);
                self.pairs(pattern, false);
            }
            AstNode::Block(items) => self.scoped(Vec::new(), |walk| walk.visit_all(items, top)),
            AstNode::Conditional { condition, then_branch, else_branch } => {
                self.visit_all([&mut **condition, &mut **then_branch], top);
                self.visit_all(else_branch.as_deref_mut(), top);
            }
            AstNode::FunctionApplication(inner) => self.visit(inner, top),
            AstNode::Sort { input, terms } => {
                self.visit(input, top);
                self.visit_all(terms.iter_mut().map(|(term, _)| term), false);
            }
            AstNode::Transform { location, update, delete } => {
                self.visit_all([&mut **location, &mut **update], false);
                self.visit_all(delete.as_deref_mut(), false);
            }
            _ => {}
        }
    }

    fn pairs(&mut self, pairs: &mut [(AstNode, AstNode)], top: bool) {
        for (name, value) in pairs {
            self.visit_all([name, value], top);
        }
    }

    fn path(&mut self, steps: &mut [PathStep], top: bool) {
        let states = self.states_path(steps);
        for (index, step) in steps.iter_mut().enumerate() {
            for name in [&step.focus, &step.index_var].into_iter().flatten() {
                let name = name.clone();
                self.declare(&name);
            }
            if !(states && index == 0) {
                self.visit(&mut step.node, top && index == 0);
            }
            for stage in &mut step.stages {
                match stage {
                    Stage::KeepArray => {}
                    Stage::Filter(filter) => self.visit(filter, false),
                    Stage::Index(name) => {
                        let name = name.clone();
                        self.declare(&name);
                    }
                }
            }
        }
    }

    /// `$states.input.…`: notes the member. Says whether the path begins with `$states` and a name.
    fn states_path(&mut self, steps: &[PathStep]) -> bool {
        let name = |index: usize| match steps.get(index).map(|step| &step.node) {
            Some(AstNode::Name(name) | AstNode::String(name)) => Some(name.as_str()),
            _ => None,
        };
        let starts = steps.first().is_some_and(|step| {
            step.stages.is_empty() && matches!(&step.node, AstNode::Variable(name) if name == "states")
        });
        let Some(member) = name(1).filter(|_| starts && !self.is_local("states")) else { return false };
        let (place, states) = (self.place, &mut self.reads.states);
        match member {
            "input" => states.input = true,
            "context" => {
                states.context = true;
                states.execution_input |= match name(2) {
                    Some("Execution") => name(3).is_none_or(|name| name == "Input"),
                    Some(_) => false,
                    None => true,
                };
            }
            "result" if place.result => states.result = true,
            "errorOutput" if place.error_output => states.error_output = true,
            other => self.problem(format!("Field '$states.{other}' does not exist.")),
        }
        true
    }

    /// A variable that is read, or a function that is handed on.
    fn variable(&mut self, node: &mut AstNode) {
        let AstNode::Variable(name) = node else { return };
        if self.is_local(name) {
            return;
        }
        if name == "states" {
            let place = self.place;
            self.reads.states = StatesReads {
                input: true,
                result: place.result,
                error_output: place.error_output,
                context: true,
                execution_input: true,
            };
            return;
        }
        if let Some(function) = HostFunction::named(name) {
            self.reads.functions.insert(function);
            if function.is_new() {
                *node = function.as_lambda();
            }
            return;
        }
        if !is_builtin(name) {
            self.reads.variables.insert(name.clone());
        }
    }

    fn called(&mut self, name: &str) {
        if self.is_local(name) {
            return;
        }
        if let Some(function) = HostFunction::named(name) {
            self.reads.functions.insert(function);
        } else if !is_builtin(name) {
            self.reads.variables.insert(name.to_owned());
        }
    }
}
