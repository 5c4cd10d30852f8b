//! Services that a deployment calls, reduced to what it can observe: things by name, errors as AWS names them, and a
//! record of every call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use base::schema::{Kind, OperationSchema, Protocol, ServiceSchema, Shape, ValidationStyle};
use base::{Document, Fault};
use kernel::{Effect, Operation, Parts, Result, Service, ServiceEvent, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Anything that exists, as its creation described it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Thing(pub(crate) Document);
store::stored!(Thing, format = 1);

kernel::keys! {
    /// A thing of a service.
    pub(crate) struct ThingKey(1) -> Thing { name: String }
    /// An event on the bus, in the order of arrival.
    pub(crate) struct SeenKey(2) -> Thing { number: u64 }
}

/// What the services shall do wrong, and what they were asked.
#[derive(Default)]
pub(crate) struct Script {
    /// Operations that answer 500 once after they have done their work.
    pub(crate) lose_answer: Mutex<BTreeSet<&'static str>>,
    /// Operations that refuse.
    pub(crate) refuse: Mutex<BTreeSet<&'static str>>,
    /// Texts in a bucket, by key.
    pub(crate) objects: Mutex<BTreeMap<String, String>>,
    /// Every call: operation and input.
    pub(crate) calls: Mutex<Vec<(String, Document)>>,
}

static ANY: Shape = Shape::new("Any", Kind::Document);

macro_rules! fake {
    ($static:ident, $name:literal, [$($operation:ident),* $(,)?]) => {
        #[expect(non_upper_case_globals, reason = "a schema bears its operation's name")]
        mod schema {
            use super::*;
            $(
                pub(crate) static $operation: OperationSchema = OperationSchema {
                    service: &$static,
                    name: stringify!($operation),
                    http_method: "POST",
                    uri: "/",
                    success_status: 200,
                    input: &ANY,
                    output: &ANY,
                    result_wrapper: None,
                    input_element: None,
                    has_output: true,
                };
            )*
        }
        $(
            pub(crate) struct $operation;
            impl Operation for $operation {
                type Input = Document;
                type Output = Document;
                const SCHEMA: &'static OperationSchema = &schema::$operation;
            }
        )*
        static $static: ServiceSchema = ServiceSchema {
            signing_name: $name,
            endpoint_prefix: $name,
            service_id: $name,
            target_prefix: None,
            protocols: &[Protocol::AwsJson],
            json_version: "1.0",
            api_version: "1",
            xml_namespace: None,
            query_compatible: false,
            error_namespace: None,
            validation: ValidationStyle::Listed { code: "ValidationException" },
            operations: &[$(&schema::$operation),*],
            all_operations: &[],
            all_routes: &[],
            errors: &[],
        };
    };
}

mod queues {
    use super::*;
    fake!(SQS, "sqs", [CreateQueue, DeleteQueue, GetQueueUrl, SetQueueAttributes, TagQueue, UntagQueue]);

    pub(crate) fn service(script: &Arc<Script>) -> Service {
        Service::new(&SQS)
            .effect::<CreateQueue, _>(create_queue)
            .effect::<DeleteQueue, _>(delete_queue)
            .effect::<GetQueueUrl, _>(get_queue_url)
            .effect::<SetQueueAttributes, _>(set_queue_attributes)
            .effect::<TagQueue, _>(async |effect: &Effect, input: Document| {
                tag(effect, "TagQueue", input).await
            })
            .effect::<UntagQueue, _>(async |effect: &Effect, input: Document| {
                tag(effect, "UntagQueue", input).await
            })
            .state(Arc::clone(script))
    }

    async fn create_queue(effect: &Effect, input: Document) -> Result<Document> {
        let name = text(&input, "QueueName");
        let taken = Fault::new("QueueNameExists", "A queue already exists with the same name");
        heard(effect, "CreateQueue", &input)?;
        effect.transact("Put", put_new, (name.clone(), input, taken)).await?;
        lose(effect, "CreateQueue")?;
        Ok(json!({ "QueueUrl": format!("http://queues/{name}") }))
    }

    async fn get_queue_url(effect: &Effect, input: Document) -> Result<Document> {
        let name = text(&input, "QueueName");
        let gone = Fault::new("QueueDoesNotExist", "The specified queue does not exist.");
        effect.transact("Get", get, (name.clone(), gone)).await?;
        Ok(json!({ "QueueUrl": format!("http://queues/{name}") }))
    }

    async fn set_queue_attributes(effect: &Effect, input: Document) -> Result<Document> {
        heard(effect, "SetQueueAttributes", &input)?;
        let name = text(&input, "QueueUrl").replace("http://queues/", "");
        effect.transact("Merge", merge, (name, input["Attributes"].clone())).await?;
        lose(effect, "SetQueueAttributes")?;
        Ok(json!({}))
    }

    async fn delete_queue(effect: &Effect, input: Document) -> Result<Document> {
        heard(effect, "DeleteQueue", &input)?;
        let name = text(&input, "QueueUrl").replace("http://queues/", "");
        let gone = Fault::new("QueueDoesNotExist", "The specified queue does not exist.");
        effect.transact("Take", take, (name, gone)).await?;
        lose(effect, "DeleteQueue")?;
        Ok(json!({}))
    }

    async fn tag(effect: &Effect, operation: &'static str, input: Document) -> Result<Document> {
        heard(effect, operation, &input)?;
        Ok(json!({}))
    }
}

mod tables {
    use super::*;
    fake!(DYNAMODB, "dynamodb", [CreateTable, DeleteTable, DescribeTable, UpdateTable]);

    pub(crate) fn service(script: &Arc<Script>) -> Service {
        Service::new(&DYNAMODB)
            .effect::<CreateTable, _>(create_table)
            .effect::<DeleteTable, _>(delete_table)
            .effect::<DescribeTable, _>(describe_table)
            .effect::<UpdateTable, _>(async |effect: &Effect, input: Document| {
                heard(effect, "UpdateTable", &input)?;
                Ok(json!({}))
            })
            .state(Arc::clone(script))
    }

    /// A table takes a moment to come and to go: it is ready, or gone, the third time one looks.
    async fn create_table(effect: &Effect, input: Document) -> Result<Document> {
        heard(effect, "CreateTable", &input)?;
        let name = text(&input, "TableName");
        let taken = Fault::new("ResourceInUseException", "Table already exists");
        let thing = json!({ "Looks": 0, "Stream": input["StreamSpecification"]["StreamEnabled"] });
        effect.transact("Put", put_new, (name, thing, taken)).await?;
        Ok(json!({}))
    }

    async fn delete_table(effect: &Effect, input: Document) -> Result<Document> {
        let name = text(&input, "TableName");
        effect.transact("Merge", merge_unless_going, name).await?;
        Ok(json!({}))
    }

    async fn merge_unless_going(tx: &mut Tx, name: String) -> Result<()> {
        let Some(thing) = tx.get(&ThingKey { name: name.clone() }).await? else {
            return Err(Fault::new("ResourceNotFoundException", "no such table").into());
        };
        if thing.0["Going"] == true {
            return Err(Fault::new("ResourceInUseException", "the table is being deleted").into());
        }
        merge(tx, (name, json!({ "Going": true, "Looks": 0 }))).await
    }

    async fn describe_table(effect: &Effect, input: Document) -> Result<Document> {
        let seen = effect.transact("Look", look, text(&input, "TableName")).await?;
        seen.ok_or_else(|| Fault::new("ResourceNotFoundException", "no such table").into())
    }

    async fn look(tx: &mut Tx, name: String) -> Result<Option<Document>> {
        let key = ThingKey { name: name.clone() };
        let Some(Thing(mut thing)) = tx.get(&key).await? else { return Ok(None) };
        let looks = thing["Looks"].as_u64().unwrap_or_default() + 1;
        if thing["Going"] == true && looks > 2 {
            tx.delete(&key);
            return Ok(None);
        }
        thing["Looks"] = looks.into();
        tx.put(&key, &Thing(thing.clone()))?;
        let stuck = tx.state::<Script>()?.refuse.lock().unwrap().contains("Ready");
        let status = if looks > 2 && !stuck { "ACTIVE" } else { "CREATING" };
        let mut table = json!({ "TableStatus": status });
        if thing["Stream"] == true {
            table["LatestStreamArn"] = format!("arn:stream:{name}").into();
        }
        Ok(Some(json!({ "Table": table })))
    }
}

mod roles {
    use super::*;
    fake!(
        IAM,
        "iam",
        [
            CreateRole,
            DeleteRole,
            GetRole,
            PutRolePolicy,
            DeleteRolePolicy,
            AttachRolePolicy,
            DetachRolePolicy
        ]
    );

    pub(crate) fn service(script: &Arc<Script>) -> Service {
        Service::new(&IAM)
            .effect::<CreateRole, _>(create_role)
            .effect::<DeleteRole, _>(delete_role)
            .effect::<GetRole, _>(get_role)
            .effect::<PutRolePolicy, _>(async |e: &Effect, i: Document| note(e, "PutRolePolicy", i).await)
            .effect::<DeleteRolePolicy, _>(async |e: &Effect, i: Document| {
                note(e, "DeleteRolePolicy", i).await
            })
            .effect::<AttachRolePolicy, _>(async |e: &Effect, i: Document| {
                note(e, "AttachRolePolicy", i).await
            })
            .effect::<DetachRolePolicy, _>(async |e: &Effect, i: Document| {
                note(e, "DetachRolePolicy", i).await
            })
            .state(Arc::clone(script))
    }

    async fn note(effect: &Effect, operation: &'static str, input: Document) -> Result<Document> {
        heard(effect, operation, &input)?;
        Ok(json!({}))
    }

    async fn create_role(effect: &Effect, input: Document) -> Result<Document> {
        heard(effect, "CreateRole", &input)?;
        let taken = Fault::new("EntityAlreadyExists", "Role exists").with_status(409);
        effect.transact("Put", put_new, (text(&input, "RoleName"), input, taken)).await?;
        Ok(json!({}))
    }

    async fn get_role(effect: &Effect, input: Document) -> Result<Document> {
        let name = text(&input, "RoleName");
        let gone = Fault::new("NoSuchEntity", "no such role").with_status(404);
        effect.transact("Get", get, (name.clone(), gone)).await?;
        Ok(json!({ "Role": { "Arn": format!("arn:aws:iam::000000000000:role/{name}"), "RoleId": "AROA" } }))
    }

    async fn delete_role(effect: &Effect, input: Document) -> Result<Document> {
        heard(effect, "DeleteRole", &input)?;
        let gone = Fault::new("NoSuchEntity", "no such role").with_status(404);
        effect.transact("Take", take, (text(&input, "RoleName"), gone)).await?;
        Ok(json!({}))
    }
}

/// Functions that only remember what they were asked: the test answers for them.
mod functions {
    use super::*;
    fake!(LAMBDA, "lambda", [Invoke]);

    pub(crate) fn service(script: &Arc<Script>) -> Service {
        Service::new(&LAMBDA).effect::<Invoke, _>(invoke).state(Arc::clone(script))
    }

    async fn invoke(effect: &Effect, input: Document) -> Result<Document> {
        heard(effect, "Invoke", &input)?;
        Ok(json!({ "StatusCode": 202 }))
    }
}

/// Topics that only remember what they were told.
mod topics {
    use super::*;
    fake!(SNS, "sns", [Publish]);

    pub(crate) fn service(script: &Arc<Script>) -> Service {
        Service::new(&SNS).effect::<Publish, _>(publish).state(Arc::clone(script))
    }

    async fn publish(effect: &Effect, input: Document) -> Result<Document> {
        heard(effect, "Publish", &input)?;
        Ok(json!({ "MessageId": "m" }))
    }
}

/// One bucket of templates: the key is the thing's name.
mod buckets {
    use super::*;
    fake!(S3, "s3", [GetObject]);

    pub(crate) fn service(script: &Arc<Script>) -> Service {
        Service::new(&S3).effect::<GetObject, _>(get_object).state(Arc::clone(script))
    }

    async fn get_object(effect: &Effect, input: Document) -> Result<Document> {
        let script = effect.state::<Script>()?;
        let objects = script.objects.lock().unwrap();
        let missing = || Fault::new("NoSuchKey", "The specified key does not exist.").with_status(404);
        let body = objects.get(&text(&input, "Key")).ok_or_else(missing)?;
        Ok(json!({ "Body": base::schema::Blob::from(body.clone().into_bytes()) }))
    }
}

/// A bus that keeps what it is told.
fn bus() -> Service {
    async fn publish(tx: &mut Tx, event: ServiceEvent) -> Result<()> {
        let last = tx.scan_back::<SeenKey>(Parts::none(), 1).await?;
        let number = last.first().map_or(0, |(key, _)| key.number + 1);
        let detail: Document = serde_json::from_str(&event.detail)?;
        tx.get(&SeenKey { number }).await?;
        tx.put(&SeenKey { number }, &Thing(json!({ "type": event.detail_type, "detail": detail })))
    }
    Service::internal_only("events").internal(kernel::PUBLISH, publish)
}

/// All fakes, sharing one script.
pub(crate) fn services(script: &Arc<Script>) -> Vec<Service> {
    vec![
        queues::service(script),
        tables::service(script),
        roles::service(script),
        functions::service(script),
        buckets::service(script),
        topics::service(script),
        bus(),
    ]
}

/// The names of the things of a service.
pub(crate) async fn things(tx: &mut Tx, _: ()) -> Result<Vec<(String, Document)>> {
    let rows = tx.scan::<ThingKey>(Parts::none(), 10_000).await?;
    Ok(rows.into_iter().map(|(key, thing)| (key.name, thing.0)).collect())
}

/// What the bus was told, in order.
pub(crate) async fn seen(tx: &mut Tx, _: ()) -> Result<Vec<Document>> {
    let rows = tx.scan::<SeenKey>(Parts::none(), 10_000).await?;
    Ok(rows.into_iter().map(|(_, thing)| thing.0).collect())
}

fn text(input: &Document, member: &str) -> String {
    input[member].as_str().unwrap_or_default().to_owned()
}

fn heard(effect: &Effect, operation: &'static str, input: &Document) -> Result<()> {
    let script = effect.state::<Script>()?;
    script.calls.lock().unwrap().push((operation.to_owned(), input.clone()));
    match script.refuse.lock().unwrap().contains(operation) {
        true => Err(Fault::new("InvalidParameterValue", format!("{operation} is refused")).into()),
        false => Ok(()),
    }
}

fn lose(effect: &Effect, operation: &'static str) -> Result<()> {
    match effect.state::<Script>()?.lose_answer.lock().unwrap().remove(operation) {
        true => Err(Fault::new("InternalFailure", "the answer is lost").with_status(500).into()),
        false => Ok(()),
    }
}

async fn put_new(tx: &mut Tx, (name, thing, taken): (String, Document, Fault)) -> Result<()> {
    let key = ThingKey { name };
    if tx.get(&key).await?.is_some() {
        return Err(taken.into());
    }
    tx.put(&key, &Thing(thing))
}

async fn get(tx: &mut Tx, (name, gone): (String, Fault)) -> Result<()> {
    match tx.get(&ThingKey { name }).await? {
        Some(_) => Ok(()),
        None => Err(gone.into()),
    }
}

async fn take(tx: &mut Tx, (name, gone): (String, Fault)) -> Result<()> {
    get(tx, (name.clone(), gone)).await?;
    tx.delete(&ThingKey { name });
    Ok(())
}

async fn merge(tx: &mut Tx, (name, members): (String, Document)) -> Result<()> {
    let key = ThingKey { name };
    let mut thing = tx.get(&key).await?.map_or_else(|| json!({}), |thing| thing.0);
    for (member, value) in members.as_object().into_iter().flatten() {
        thing[member] = value.clone();
    }
    tx.put(&key, &Thing(thing))
}
