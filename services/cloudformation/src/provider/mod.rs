//! Resource providers: each type is a row of data that says which operations make, change and take away a resource.
//!
//! Knows the property names of templates and the names of other services' operations. Must not know those services'
//! crates: values are shaped by the schemas that the kernel holds.

mod bucket_deployment;
mod conform;
mod diff;
mod media;
mod name;
mod path;
mod request;
mod run;
mod types;

use base::Document;
use serde_json::Map;

pub(crate) use bucket_deployment::{delete as delete_deployment, deploy as deploy_files};
pub(crate) use diff::{Decision, PropertyChange, changes, decide};
pub(crate) use name::Naming;
pub(crate) use run::{Failure, MALFORMED, Made, Provider, is_taken};

/// Property values by name, as a template gives them.
pub(crate) type Properties = Map<String, Document>;

/// Turns a template's properties into those that the operations take; the error is shown to the user.
pub(crate) type Shaping = fn(&mut Properties, &Place) -> Result<(), String>;

/// Everything there is to know about one resource type.
#[derive(Clone, Copy)]
pub(crate) struct ResourceType {
    /// `AWS::SQS::Queue`.
    pub name: &'static str,
    /// The signing name of the service whose operations these are.
    pub service: &'static str,
    /// The accepted properties.
    pub properties: &'static [Property],
    /// Which property names the resource, and how a name is made where the template gives none.
    pub naming: Option<Naming>,
    /// Makes it; a type without stands for nothing outside the stack.
    pub create: Option<Call>,
    /// Change it; properties say by number which one takes them.
    pub updates: &'static [Update],
    /// Takes it away.
    pub delete: Option<Call>,
    /// Describes it; its errors tell whether it exists.
    pub read: Option<Call>,
    /// Where that lists several: the list, and the member of an entry that is the name. It exists if it is among them.
    pub among: Option<(&'static str, &'static str)>,
    /// The physical id.
    pub id: Source,
    /// What `Ref` yields, where that is not the physical id.
    pub reference: Option<Source>,
    /// What `Fn::GetAtt` yields.
    pub attributes: &'static [(&'static str, Source)],
    /// Properties that calls of their own set.
    pub facets: &'static [Facet],
    /// Turns the template's properties into those that the operations take.
    pub shape: Option<Shaping>,
    /// Further calls that a change needs.
    pub changes: Option<fn(&Changed<'_>) -> Vec<Request>>,
    /// Why a change in place cannot be made, if so: said before anything is done. Both sides as the template gives them.
    pub objection: Option<fn(&Changed<'_>) -> Option<String>>,
    /// Beginnings of the texts by which operations say that what they were asked for is so already. They count where a change
    /// is taken back, or made once more.
    pub already: &'static [&'static str],
    /// What is asked before it is made, and again when the property changes that says so.
    pub draw: Option<Draw>,
    /// Where `read` tells that it is ready for use, and the values that say so.
    pub ready: Option<(&'static str, &'static [&'static str])>,
    /// Deletion is over only when `read` no longer finds it.
    pub slow_delete: bool,
    /// It grants permissions: `CAPABILITY_IAM` is required, `CAPABILITY_NAMED_IAM` where the template names it.
    pub iam: bool,
    /// Accepts properties that it does not know: the type does nothing with any of them.
    pub open: bool,
    /// It is not made by operations alone.
    pub special: Special,
}

/// How a type is made, if not by operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Special {
    /// By operations.
    #[default]
    None,
    /// By a function or a topic that answers.
    Custom,
    /// As a stack.
    Stack,
    /// By copying files from one bucket into another.
    BucketDeployment,
    /// As an address for signals.
    WaitConditionHandle,
    /// By waiting for signals.
    WaitCondition,
}

impl ResourceType {
    const BASE: ResourceType = ResourceType {
        name: "",
        service: "",
        properties: &[],
        naming: None,
        create: None,
        updates: &[],
        delete: None,
        read: None,
        among: None,
        id: Source::Name,
        reference: None,
        attributes: &[],
        facets: &[],
        shape: None,
        changes: None,
        objection: None,
        already: &[],
        draw: None,
        ready: None,
        slow_delete: false,
        iam: false,
        open: false,
        special: Special::None,
    };

    /// The type of that name.
    pub(crate) fn find(name: &str) -> Option<&'static ResourceType> {
        if name == types::BUCKET_DEPLOYMENT.name {
            return Some(&types::BUCKET_DEPLOYMENT);
        }
        if name.starts_with("Custom::") {
            return Some(&types::CUSTOM);
        }
        types::ALL.iter().copied().find(|known| known.name == name)
    }

    /// The property of that name.
    pub(crate) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// Whether `Fn::GetAtt` takes the attribute.
    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        match self.special {
            Special::None => self.attributes.iter().any(|(known, _)| *known == name),
            Special::Custom => true,
            Special::BucketDeployment => matches!(name, "DestinationBucketArn" | "SourceObjectKeys"),
            Special::Stack => name.starts_with("Outputs."),
            Special::WaitConditionHandle => false,
            Special::WaitCondition => name == "Data",
        }
    }

    /// The property that names the resource.
    pub(crate) fn name_property(&self) -> Option<&'static str> {
        self.naming.map(|naming| naming.property).filter(|property| !property.is_empty())
    }

    /// Whether a change in place may change what `Fn::GetAtt` yields.
    pub(crate) fn is_restless(&self) -> bool {
        self.special != Special::None
    }

    /// The operations that the type needs to be made and taken away.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &'static str> {
        [self.create, self.delete].into_iter().flatten().map(|call| call.operation)
    }

    /// The operation that a property needs besides those.
    pub(crate) fn operation_of(&self, property: &str) -> Option<&'static str> {
        let facet =
            self.facets.iter().find(|facet| facet.property == property && facet.life != Life::Changes);
        let draw = self.draw.filter(|draw| draw.property == property).map(|draw| draw.call);
        facet.and_then(|facet| facet.put).or(draw).map(|call| call.operation)
    }
}

/// One accepted property.
#[derive(Clone, Copy)]
pub(crate) struct Property {
    /// Its name in templates.
    pub name: &'static str,
    /// Where it goes in the operations' inputs, dots between the steps. Empty: nowhere by itself.
    pub to: &'static str,
    /// What a change of it means.
    pub change: Change,
    /// The value (JSON) that stands for its absence when it is removed; empty: there is none.
    pub reset: &'static str,
}

/// What a change of a property means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A new resource takes the place of the old one.
    Replace,
    /// An operation of [`ResourceType::updates`] takes the new value.
    Update(usize),
    /// A facet or [`ResourceType::changes`] takes care of it.
    Aside,
}

/// A property whose change needs a new resource.
const fn fixed(name: &'static str) -> Property {
    Property { name, to: name, change: Change::Replace, reset: "" }
}

/// A property that the first update operation changes.
const fn open(name: &'static str) -> Property {
    Property { name, to: name, change: Change::Update(0), reset: "" }
}

/// A property that a facet or a function changes.
const fn aside(name: &'static str) -> Property {
    Property { name, to: "", change: Change::Aside, reset: "" }
}

impl Property {
    /// It goes elsewhere than to its own name.
    const fn to(self, to: &'static str) -> Property {
        Property { to, ..self }
    }

    /// What its removal sets.
    const fn reset(self, reset: &'static str) -> Property {
        Property { reset, ..self }
    }

    /// The update operation of that number changes it.
    const fn by(self, update: usize) -> Property {
        Property { change: Change::Update(update), ..self }
    }
}

/// Refuses members that an object may not have; `at` is its place in the properties.
fn only(value: &Document, at: &str, known: &[&str]) -> Result<(), String> {
    let unknown = |members: &Map<String, Document>| {
        members.keys().find(|name| !known.contains(&name.as_str())).cloned()
    };
    match value.as_object().and_then(unknown) {
        Some(name) => Err(format!("#{at}: extraneous key [{name}] is not permitted")),
        None => Ok(()),
    }
}

/// An operation and the inputs that do not come from properties.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// Its name.
    pub operation: &'static str,
    /// Input paths and where their values come from; absent values are left out.
    pub with: &'static [(&'static str, Source)],
}

const fn call(operation: &'static str, with: &'static [(&'static str, Source)]) -> Call {
    Call { operation, with }
}

/// An operation that changes a resource.
#[derive(Clone, Copy)]
pub(crate) struct Update {
    /// The operation.
    pub call: Call,
    /// Which of its properties it takes.
    pub takes: Takes,
}

/// Which properties an update operation takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// The whole desired state.
    All,
    /// Only those that have changed.
    Changed,
    /// None by itself: [`Call::with`] says all.
    Nothing,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// The physical id.
    Id,
    /// The name, given or generated.
    Name,
    /// A property, dots between the steps.
    Property(&'static str),
    /// The answer of the operation that describes it.
    Read(&'static str),
    /// The item of a facet, or a part of it; empty is the whole item.
    Item(&'static str),
    /// Text with `{id}`, `{name}`, `{region}`, `{account}` and `{.Property}` in it.
    Text(&'static str),
    /// A function over what is known.
    Function(fn(&Known<'_>) -> Option<Document>),
}

/// A value that an operation makes up before the resource is made.
#[derive(Clone, Copy)]
pub(crate) struct Draw {
    /// The property that asks for it.
    pub property: &'static str,
    /// Makes it up.
    pub call: Call,
    /// Puts it among the properties that the other operations take.
    pub into: fn(&mut Properties, &Document) -> Result<(), String>,
}

/// Part of a resource that calls of their own set.
#[derive(Clone, Copy)]
pub(crate) struct Facet {
    /// The property.
    pub property: &'static str,
    /// The property is a list, and each item is set by a call.
    pub many: bool,
    /// What makes two items the same one; empty is the whole item.
    pub key: &'static str,
    /// Sets it.
    pub put: Option<Call>,
    /// Takes it away.
    pub remove: Option<Call>,
    /// Other properties whose change sets it again.
    pub also_on: &'static [&'static str],
    /// When it is set and taken away.
    pub life: Life,
}

impl Facet {
    const BASE: Facet =
        Facet { property: "", many: true, key: "", put: None, remove: None, also_on: &[], life: Life::Whole };
}

/// The tags of a type whose creation takes them along.
const fn tags(put: Call, remove: Call) -> Facet {
    Facet {
        property: "Tags",
        key: "Key",
        put: Some(put),
        remove: Some(remove),
        life: Life::Changes,
        ..Facet::BASE
    }
}

/// When a facet is set and taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Set after the creation, taken away before the deletion.
    Whole,
    /// Set after the creation; the deletion takes it along.
    Set,
    /// The creation takes it along, too: only changes need it.
    Changes,
}

/// Where a stack stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The account's digits.
    pub account: String,
    /// The region's name.
    pub region: String,
    /// Where clients reach this server, without a slash at the end.
    pub endpoint: String,
}

/// All that a [`Source`] may draw from.
pub(crate) struct Known<'k> {
    /// The physical id, once there is one.
    pub id: Option<&'k str>,
    /// The name, if the type has names.
    pub name: Option<&'k str>,
    /// The properties, shaped.
    pub properties: &'k Properties,
    /// The answer of the creation.
    pub created: &'k Document,
    /// The answer of the description.
    pub read: &'k Document,
    /// The item of a facet.
    pub item: &'k Document,
    /// Where.
    pub place: &'k Place,
}

/// A resource before and after a change.
pub(crate) struct Changed<'c> {
    /// The physical id.
    pub id: &'c str,
    /// The properties it has.
    pub old: &'c Properties,
    /// The properties it shall have.
    pub new: &'c Properties,
}

/// An operation with its input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    /// The operation's name.
    pub operation: &'static str,
    /// Its input.
    pub input: Document,
}
