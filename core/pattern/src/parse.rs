//! Reading a pattern: objects descend, arrays are leaves, `$or` multiplies the pattern into combinations.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::alternative::Alternative;
use crate::error::InvalidPattern;
use crate::ip::Address;
use crate::leaf::Leaf;
use crate::limits::{COMBINATIONS_MAX, FIELDS_MAX, WILDCARD_COMPLEXITY_MAX};
use crate::number::exact_double;
use crate::operators::{Operator, operator};
use crate::tokens::{Token, Tokens};

const OR: &str = "$or";

/// Deepest nesting of `$or`, as each costs a good piece of the stack.
const OR_DEPTH_MAX: usize = 64;

/// Names that may not stand for fields inside `$or`.
const RESERVED_IN_OR: [&str; 25] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "html",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// A pattern taken apart.
pub(crate) struct Parsed {
    pub(crate) leaves: Vec<Arc<Leaf>>,
    /// The combinations, any of which makes a match: each the numbers of its leaves, ordered by path.
    pub(crate) combinations: Vec<Box<[u32]>>,
    pub(crate) root: Group,
}

/// The pattern as it was written: leaves that must all match, and `$or`s of which one branch each must match.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Group {
    pub(crate) leaves: Vec<u32>,
    pub(crate) ors: Vec<Vec<Group>>,
}

/// A path to its leaf: of two leaves with the same path the later one stays.
type Combination = BTreeMap<Rc<str>, u32>;

struct Parser<'a> {
    tokens: Tokens<'a>,
    leaves: Vec<Arc<Leaf>>,
}

/// Where the object that is being read stands.
#[derive(Clone, Default)]
struct Place {
    /// Its path; `None` at the top, where nothing joins a name.
    path: Option<String>,
    /// How many `$or`s are around it.
    ors: usize,
}

impl Place {
    fn join(&self, name: &str) -> String {
        match &self.path {
            Some(path) => format!("{path}.{name}"),
            None => name.to_owned(),
        }
    }
}

/// Reads a pattern. Text behind its closing brace is not looked at, as in EventBridge's own compiler.
pub(crate) fn parse(text: &str) -> Result<Parsed, InvalidPattern> {
    let mut parser = Parser { tokens: Tokens::new(text), leaves: Vec::new() };
    let blank = text.trim_matches([' ', '\t', '\r', '\n']).is_empty();
    if blank || parser.tokens.next()? != Token::ObjectStart {
        return Err(parser.tokens.refuse("Filter is not an object"));
    }
    let mut combinations = Vec::new();
    let mut root = Group::default();
    parser.object(&mut combinations, &mut root, &Place::default())?;
    parser.check_limits(&combinations)?;
    drop_replaced(&mut root, &combinations);
    let combinations = combinations.into_iter().map(|paths| paths.into_values().collect()).collect();
    Ok(Parsed { leaves: parser.leaves, combinations, root })
}

impl Parser<'_> {
    /// Reads an object behind its opening brace. Objects inside it are read in the same loop, with a stack of their
    /// own; only `$or` recurses.
    fn object(
        &mut self,
        combinations: &mut Vec<Combination>,
        group: &mut Group,
        place: &Place,
    ) -> Result<(), InvalidPattern> {
        let mut open = vec![(place.clone(), true)];
        while let Some((place, empty)) = open.last_mut() {
            if self.tokens.next()? == Token::ObjectEnd {
                if *empty {
                    return Err(self.tokens.refuse("Empty objects are not allowed"));
                }
                open.pop();
                continue;
            }
            *empty = false;
            let name = self.tokens.text().to_owned();
            if name == OR {
                let branches = self.or(combinations, place)?;
                group.ors.push(branches);
                continue;
            }
            if place.ors > 0 && RESERVED_IN_OR.contains(&name.as_str()) {
                let reason = format!("{name} is Ruler reserved fieldName which cannot be used inside {OR}.");
                return Err(self.tokens.refuse(&reason));
            }
            let path = place.join(&name);
            match self.tokens.next()? {
                Token::ObjectStart => {
                    let inner = Place { path: Some(path), ors: place.ors };
                    open.push((inner, true));
                }
                Token::ArrayStart => self.field(&path, combinations, group)?,
                _ => return Err(self.tokens.refuse(&format!("\"{name}\" must be an object or an array"))),
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        path: &str,
        combinations: &mut Vec<Combination>,
        group: &mut Group,
    ) -> Result<(), InvalidPattern> {
        let leaf = self.leaf(path)?;
        group.leaves.push(leaf);
        if combinations.is_empty() {
            combinations.push(Combination::new());
        }
        let path: Rc<str> = path.into();
        for combination in combinations.iter_mut() {
            combination.insert(Rc::clone(&path), leaf);
        }
        Ok(())
    }

    fn or(
        &mut self,
        combinations: &mut Vec<Combination>,
        place: &Place,
    ) -> Result<Vec<Group>, InvalidPattern> {
        if self.tokens.next()? != Token::ArrayStart {
            return Err(self.tokens.refuse("It must be an Array followed with $or."));
        }
        let inner = Place { path: place.path.clone(), ors: place.ors + 1 };
        if inner.ors > OR_DEPTH_MAX {
            return Err(self
                .tokens
                .refuse(&format!("Rule is too complex - $or nested more than {OR_DEPTH_MAX} times")));
        }
        let mut so_far = std::mem::take(combinations);
        if so_far.is_empty() {
            so_far.push(Combination::new());
        }
        let mut branches = Vec::new();
        loop {
            match self.tokens.next()? {
                Token::ArrayEnd => break,
                Token::ObjectStart => {}
                _ => {
                    return Err(self
                        .tokens
                        .refuse("Only JSON object is allowed in array of $or relationship."));
                }
            }
            let mut branch = Group::default();
            let mut multiplied = so_far.clone();
            self.object(&mut multiplied, &mut branch, &inner)?;
            combinations.append(&mut multiplied);
            branches.push(branch);
            if combinations.len() > COMBINATIONS_MAX {
                let reason =
                    format!("Rule is too complex - $or makes more than {COMBINATIONS_MAX} combinations");
                return Err(self.tokens.refuse_value(&reason));
            }
        }
        if branches.len() < 2 {
            return Err(self.tokens.refuse("There must have at least 2 Objects in $or relationship."));
        }
        Ok(branches)
    }

    /// Reads a field's alternatives behind the opening bracket and returns the leaf's number.
    fn leaf(&mut self, path: &str) -> Result<u32, InvalidPattern> {
        let start = self.tokens.offset() - 1;
        let (mut strings, mut others) = (Vec::<Box<str>>::new(), Vec::new());
        loop {
            match self.tokens.next()? {
                Token::ArrayEnd if strings.is_empty() && others.is_empty() => {
                    return Err(self.tokens.refuse("Empty arrays are not allowed"));
                }
                Token::ArrayEnd => break,
                Token::Str => match Address::parse(self.tokens.text()) {
                    Some(address) => others.push(Alternative::Address(self.tokens.text().into(), address)),
                    None => strings.push(self.tokens.text().into()),
                },
                Token::Number => {
                    let text = self.tokens.text();
                    others.push(Alternative::Number(text.into(), exact_double(text)));
                }
                Token::True => others.push(Alternative::True),
                Token::False => others.push(Alternative::False),
                Token::Null => others.push(Alternative::Null),
                Token::ObjectStart => match operator(&mut self.tokens)? {
                    Operator::Exactly(text) => strings.push(text),
                    Operator::Other(alternative) => others.push(alternative),
                },
                _ => {
                    return Err(self
                        .tokens
                        .refuse("Match value must be String, number, true, false, or null"));
                }
            }
        }
        let text = compact(&self.tokens.source()[start..self.tokens.offset()]);
        let number = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        self.leaves.push(Arc::new(Leaf::new(path, text, strings, others)));
        Ok(number)
    }

    fn check_limits(&self, combinations: &[Combination]) -> Result<(), InvalidPattern> {
        if combinations.iter().any(|paths| paths.len() > FIELDS_MAX) {
            return Err(self
                .tokens
                .refuse_value(&format!("Rule is too complex - more than {FIELDS_MAX} fields")));
        }
        let mut complexity: HashMap<&str, usize> = HashMap::new();
        for leaf in &self.leaves {
            *complexity.entry(&leaf.path).or_default() += leaf.wildcard_complexity();
        }
        if complexity.into_values().any(|sum| sum > WILDCARD_COMPLEXITY_MAX) {
            return Err(self.tokens.refuse_value(
                "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences \
                 after a wildcard character",
            ));
        }
        Ok(())
    }
}

/// Leaves that a later one with the same path has replaced everywhere have no say, so they explain nothing either.
fn drop_replaced(group: &mut Group, combinations: &[Combination]) {
    let used: std::collections::HashSet<u32> =
        combinations.iter().flat_map(BTreeMap::values).copied().collect();
    drop_unused(group, &used);
}

fn drop_unused(group: &mut Group, used: &std::collections::HashSet<u32>) {
    group.leaves.retain(|leaf| used.contains(leaf));
    for branch in group.ors.iter_mut().flatten() {
        drop_unused(branch, used);
    }
}

/// JSON text without the white space between its tokens.
fn compact(json: &str) -> Box<str> {
    let mut inside = false;
    let mut escaped = false;
    let kept = |c: &char| {
        if inside {
            inside = escaped || *c != '"';
            escaped = !escaped && *c == '\\';
            return true;
        }
        inside = *c == '"';
        !c.is_ascii_whitespace()
    };
    json.chars().filter(kept).collect::<String>().into()
}
