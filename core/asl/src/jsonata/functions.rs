//! The functions that Step Functions adds to JSONata, and those of JSONata that must not reach for a clock, for chance or
//! for another expression by themselves.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::LazyLock;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError};
use jsonata_core::parser;
use jsonata_core::value::JValue;

use super::{Reads, to_jsonata};
use crate::intrinsic::{digest, scramble, uuid};
use crate::scope::Scope;

/// The elements that `$range` makes at most: AWS's own bound.
const RANGE_MAX: f64 = 360_145.0;
/// The characters that `$pad` makes at most, as many bytes as AWS lets one value have.
const PAD_MAX: f64 = 6_990_256.0;

type Answer = Result<JValue, EvaluatorError>;

/// A function of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostFunction {
    Partition,
    Range,
    Hash,
    Random,
    Uuid,
    Parse,
    Eval,
    Now,
    Millis,
    Shuffle,
    Pad,
}

impl HostFunction {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "partition" => Self::Partition,
            "range" => Self::Range,
            "hash" => Self::Hash,
            "random" => Self::Random,
            "uuid" => Self::Uuid,
            "parse" => Self::Parse,
            "eval" => Self::Eval,
            "now" => Self::Now,
            "millis" => Self::Millis,
            "shuffle" => Self::Shuffle,
            "pad" => Self::Pad,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Range => "range",
            Self::Hash => "hash",
            Self::Random => "random",
            Self::Uuid => "uuid",
            Self::Parse => "parse",
            Self::Eval => "eval",
            Self::Now => "now",
            Self::Millis => "millis",
            Self::Shuffle => "shuffle",
            Self::Pad => "pad",
        }
    }

    /// Not in JSONata: as a value, it stands for a function that calls it.
    pub(super) fn is_new(self) -> bool {
        matches!(self, Self::Partition | Self::Range | Self::Hash | Self::Uuid | Self::Parse)
    }

    pub(super) fn as_lambda(self) -> AstNode {
        let arity = match self {
            Self::Uuid => 0,
            Self::Parse => 1,
            Self::Range => 3,
            _ => 2,
        };
        let params: Vec<String> = ["x", "y", "z"].into_iter().take(arity).map(str::to_owned).collect();
        let args = params.iter().map(|name| AstNode::Variable(name.clone())).collect();
        let body = AstNode::Function { name: self.name().to_owned(), args, is_builtin: true };
        AstNode::Lambda { params, body: Box::new(body), signature: None, thunk: false }
    }
}

/// JSONata's own functions, by name: no variables, where they stand without a call.
pub(super) fn is_builtin(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "abs",
        "append",
        "assert",
        "average",
        "base64decode",
        "base64encode",
        "boolean",
        "ceil",
        "clone",
        "contains",
        "count",
        "decodeUrl",
        "decodeUrlComponent",
        "distinct",
        "each",
        "encodeUrl",
        "encodeUrlComponent",
        "error",
        "exists",
        "filter",
        "floor",
        "formatBase",
        "formatInteger",
        "formatNumber",
        "fromMillis",
        "join",
        "keys",
        "length",
        "lookup",
        "lowercase",
        "map",
        "match",
        "max",
        "merge",
        "min",
        "not",
        "number",
        "parseInteger",
        "power",
        "reduce",
        "replace",
        "reverse",
        "round",
        "sift",
        "single",
        "sort",
        "split",
        "spread",
        "sqrt",
        "string",
        "substring",
        "substringAfter",
        "substringBefore",
        "sum",
        "toMillis",
        "trim",
        "type",
        "uppercase",
        "zip",
    ];
    NAMES.binary_search(&name).is_ok()
}

/// Chance of one evaluation: drawn once, then counted on.
#[derive(Clone)]
struct Chance(Rc<Cell<u64>>);

impl Chance {
    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        scramble(self.0.get())
    }
}

/// From 0, inclusive, to 1, exclusive.
fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Registers those of our functions that the expression names.
pub(super) fn register(
    evaluator: &mut Evaluator,
    reads: &Reads,
    scope: &mut Scope<'_>,
) -> Result<(), EvaluatorError> {
    use HostFunction as F;
    let chancy = |function: &F| matches!(function, F::Random | F::Uuid | F::Shuffle);
    let seed = if reads.functions.iter().any(chancy) { (scope.random)() } else { 0 };
    let chance = Chance(Rc::new(Cell::new(seed)));
    let now_ms = scope.now_ms;
    for function in &reads.functions {
        let chance = chance.clone();
        let name = function.name();
        match function {
            F::Partition => evaluator.register_fn(name, partition)?,
            F::Range => evaluator.register_fn(name, range)?,
            F::Hash => evaluator.register_fn(name, hash)?,
            F::Uuid => evaluator.register_fn(name, move |_: &[JValue]| {
                Ok(JValue::from(uuid(chance.next(), chance.next())))
            })?,
            F::Parse => evaluator.register_fn(name, parse)?,
            F::Random => {
                evaluator.register_fn_override(name, move |args: &[JValue]| Ok(random(args, &chance)))?;
            }
            F::Eval => evaluator.register_fn_override(name, no_eval)?,
            F::Now => evaluator.register_fn_override(name, move |args: &[JValue]| now(now_ms, args))?,
            F::Millis => {
                evaluator
                    .register_fn_override(name, move |_: &[JValue]| Ok(JValue::Number(now_ms as f64)))?;
            }
            F::Shuffle => {
                evaluator.register_fn_override(name, move |args: &[JValue]| Ok(shuffle(args, &chance)))?;
            }
            F::Pad => evaluator.register_fn_override(name, pad)?,
        }
    }
    Ok(())
}

fn refuse<T>(message: impl Into<String>) -> Result<T, EvaluatorError> {
    Err(EvaluatorError::EvaluationError(message.into()))
}

fn bad_argument<T>(place: usize, function: &str) -> Result<T, EvaluatorError> {
    refuse(format!("T0410: Argument {place} of function \"{function}\" does not match function signature"))
}

/// A number, rounded towards zero as AWS does; `None` for what is not there.
fn whole(args: &[JValue], place: usize, function: &str) -> Result<Option<f64>, EvaluatorError> {
    match args.get(place) {
        None | Some(JValue::Undefined) => Ok(None),
        Some(JValue::Number(number)) => Ok(Some(number.trunc())),
        Some(_) => bad_argument(place + 1, function),
    }
}

/// `$partition(array, size)`.
fn partition(args: &[JValue]) -> Answer {
    let items = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::Array(items)) => items.to_vec(),
        Some(other) => vec![other.clone()],
    };
    let Some(size) = whole(args, 1, "partition")?.filter(|size| *size >= 1.0) else {
        return Ok(JValue::Undefined);
    };
    if items.is_empty() {
        return Ok(JValue::Undefined);
    }
    Ok(JValue::array(items.chunks(size as usize).map(|chunk| JValue::array(chunk.to_vec())).collect()))
}

/// `$range(first, last, step)`, both ends included. A single element is given without its array.
fn range(args: &[JValue]) -> Answer {
    let (first, last, step) = (whole(args, 0, "range")?, whole(args, 1, "range")?, whole(args, 2, "range")?);
    let (Some(first), Some(last), Some(step)) = (first, last, step) else { return Ok(JValue::Undefined) };
    let count = ((last - first) / step).floor() + 1.0;
    if step == 0.0 || count.is_nan() || count < 1.0 {
        return Ok(JValue::Undefined);
    }
    if count > RANGE_MAX {
        return refuse("Expression evaluation memory limit exceeded");
    }
    let item = |index: usize| JValue::Number(first + step * index as f64);
    match count as usize {
        1 => Ok(item(0)),
        count => Ok(JValue::array((0..count).map(item).collect())),
    }
}

/// `$hash(text, algorithm)`.
fn hash(args: &[JValue]) -> Answer {
    let text = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(text)) => text,
        Some(_) => return bad_argument(1, "hash"),
    };
    let algorithm = match args.get(1) {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(name)) => name,
        Some(_) => return bad_argument(2, "hash"),
    };
    match digest(text.as_bytes(), algorithm) {
        Some(digest) => Ok(JValue::from(digest)),
        None => refuse("The hash algorithm must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512"),
    }
}

/// `$random()`, or `$random(seed)`: the same number for the same seed.
fn random(args: &[JValue], chance: &Chance) -> JValue {
    match args.first() {
        Some(JValue::Number(seed)) => {
            JValue::Number(fraction(scramble((seed.trunc() as i64).cast_unsigned())))
        }
        _ => JValue::Number(fraction(chance.next())),
    }
}

/// `$parse(text)`: JSON as a value.
fn parse(args: &[JValue]) -> Answer {
    match args.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Undefined),
        Some(JValue::String(text)) => match serde_json::from_str(text) {
            Ok(value) => Ok(to_jsonata(&value)),
            Err(error) => {
                refuse(format!("D3120: Syntax error in expression passed to function parse: {error}"))
            }
        },
        Some(_) => bad_argument(1, "parse"),
    }
}

/// AWS has no `$eval`.
fn no_eval(_: &[JValue]) -> Answer {
    refuse("T1006: Attempted to invoke a non-function")
}

/// `$now()` with picture and time zone, at the time of the step.
fn now(now_ms: i64, args: &[JValue]) -> Answer {
    static TREE: LazyLock<Option<AstNode>> = LazyLock::new(|| parser::parse("$fromMillis($t, $p, $z)").ok());
    let mut context = Context::new();
    context.bind("t".to_owned(), JValue::Number(now_ms as f64));
    for (name, value) in ["p", "z"].into_iter().zip(args) {
        context.bind(name.to_owned(), value.clone());
    }
    match &*TREE {
        Some(tree) => Evaluator::with_context(context).evaluate(tree, &JValue::Undefined),
        None => Ok(JValue::Undefined),
    }
}

fn shuffle(args: &[JValue], chance: &Chance) -> JValue {
    let mut items = match args.first() {
        Some(JValue::Array(items)) => items.to_vec(),
        None | Some(JValue::Undefined) => return JValue::Undefined,
        Some(other) => vec![other.clone()],
    };
    for place in (1..items.len()).rev() {
        let other = chance.next() % (place as u64 + 1);
        items.swap(place, other as usize);
    }
    JValue::array(items)
}

/// JSONata's `$pad`, within the size that a value may have.
fn pad(args: &[JValue]) -> Answer {
    let text = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(text)) => text,
        Some(_) => return bad_argument(1, "pad"),
    };
    let Some(JValue::Number(width)) = args.get(1) else { return bad_argument(2, "pad") };
    let with: Vec<char> = match args.get(2) {
        Some(JValue::String(with)) if !with.is_empty() => with.chars().collect(),
        None | Some(JValue::Undefined | JValue::String(_)) => vec![' '],
        Some(_) => return bad_argument(3, "pad"),
    };
    if width.abs() > PAD_MAX {
        return refuse("Expression evaluation memory limit exceeded");
    }
    let missing = (width.abs().trunc() as usize).saturating_sub(text.chars().count());
    let padding: String = with.iter().cycle().take(missing).collect();
    Ok(JValue::from(if *width < 0.0 { format!("{padding}{text}") } else { format!("{text}{padding}") }))
}
