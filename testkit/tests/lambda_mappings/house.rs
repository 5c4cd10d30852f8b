//! A world with tables, queues and a function that writes down what it gets.

use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use base::Document;
use base::schema::Blob;
use lambda::Functions;
use lambda::runtime::SupervisorConfig;
use serde_json::json;
use tempfile::TempDir;
use testkit::World;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Writes down every event. What has `bad` in it fails as long as there is no file that says that it was mended.
const HANDLER: &str = r"
const fs = require('fs');
exports.handler = async (event) => {
  fs.appendFileSync(process.env.OUT, JSON.stringify(event) + '\n');
  const text = (record) => record.body ?? JSON.stringify(record.dynamodb);
  const id = (record) => record.messageId ?? record.dynamodb.SequenceNumber;
  const mended = fs.existsSync(process.env.OUT + '.mended');
  const bad = event.Records.filter((record) => text(record).includes('bad') && !mended);
  if (process.env.REPORT) return { batchItemFailures: bad.map((record) => ({ itemIdentifier: id(record) })) };
  if (bad.length) throw new Error('a bad record');
};
";

pub(crate) struct House {
    pub(crate) world: World,
    folder: TempDir,
}

impl House {
    /// A house with the function `f`; `None` without Node.js on this machine.
    pub(crate) async fn new() -> Option<House> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let root = folder.path().join("functions");
        // Each process has functions of its own: nothing that one of them knows outlives it.
        let services = move || {
            let functions = Functions::new(SupervisorConfig::new(&root)).unwrap();
            vec![
                dynamodb::service(),
                lambda::service(&functions),
                logs::service(),
                sns::service(),
                sqs::service(),
            ]
        };
        let house = House { world: World::new(services).await, folder };
        house.function("f", json!({})).await;
        let probe = json!({ "FunctionName": "f", "Payload": base64(r#"{"Records":[]}"#) });
        if let Err(fault) = house.world.call("lambda", "Invoke", probe).await {
            println!("skipped: {fault}");
            return None;
        }
        std::fs::write(house.out("f"), "").unwrap();
        Some(house)
    }

    pub(crate) async fn ok(&self, service: &str, operation: &str, input: Document) -> Document {
        self.world.ok(service, operation, input).await
    }

    /// Makes a function that writes down what it gets.
    pub(crate) async fn function(&self, name: &str, environment: Document) {
        let mut variables = json!({ "OUT": self.out(name).to_string_lossy() });
        variables.as_object_mut().unwrap().extend(environment.as_object().unwrap().clone());
        let input = json!({
            "FunctionName": name, "Runtime": "nodejs20.x", "Handler": "index.handler", "Timeout": 20,
            "Role": "arn:aws:iam::000000000000:role/r", "Environment": { "Variables": variables },
            "Code": { "ZipFile": Blob::from(package()).to_base64() },
        });
        self.ok("lambda", "CreateFunction", input).await;
    }

    fn out(&self, function: &str) -> PathBuf {
        self.folder.path().join(format!("{function}.jsonl"))
    }

    /// From now on nothing fails.
    pub(crate) fn mend(&self, function: &str) {
        std::fs::write(self.folder.path().join(format!("{function}.jsonl.mended")), "").unwrap();
    }

    /// The batches that a function has got.
    pub(crate) fn batches(&self, function: &str) -> Vec<Vec<Document>> {
        let text = std::fs::read_to_string(self.out(function)).unwrap_or_default();
        let event = |line: &str| serde_json::from_str::<Document>(line).unwrap();
        text.lines().map(|line| event(line)["Records"].as_array().unwrap().clone()).collect()
    }

    pub(crate) async fn map(&self, settings: Document) -> Document {
        let mut input = json!({ "FunctionName": "f" });
        input.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.ok("lambda", "CreateEventSourceMapping", input).await
    }

    pub(crate) async fn mapping(&self, uuid: &Document) -> Document {
        self.ok("lambda", "GetEventSourceMapping", json!({ "UUID": uuid })).await
    }

    pub(crate) async fn seconds(&self, secs: u64) {
        self.world.advance(Duration::from_secs(secs)).await;
    }

    /// A queue; its ARN.
    pub(crate) async fn queue(&self, name: &str, attributes: Document) -> String {
        let input = json!({ "QueueName": name, "Attributes": attributes });
        self.ok("sqs", "CreateQueue", input).await;
        format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) -> Document {
        self.ok("sqs", "SendMessage", json!({ "QueueUrl": queue, "MessageBody": body })).await
    }

    /// How many messages a queue has, in flight or not.
    pub(crate) async fn left(&self, queue: &str) -> u32 {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let input = json!({ "QueueUrl": queue, "AttributeNames": names });
        let answer = self.ok("sqs", "GetQueueAttributes", input).await;
        names.iter().map(|name| answer["Attributes"][name].as_str().unwrap().parse::<u32>().unwrap()).sum()
    }

    /// The bodies of what a queue gives at once.
    pub(crate) async fn receive(&self, queue: &str) -> Vec<Document> {
        let input = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10 });
        let answer = self.ok("sqs", "ReceiveMessage", input).await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|one| serde_json::from_str(one["Body"].as_str().unwrap()).unwrap()).collect()
    }

    /// A table with a stream; the stream's ARN.
    pub(crate) async fn table(&self) -> String {
        let input = json!({
            "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        });
        let made = self.ok("dynamodb", "CreateTable", input).await;
        made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn put(&self, key: &str, value: &str) {
        let item = json!({ "pk": { "S": key }, "v": { "S": value } });
        self.ok("dynamodb", "PutItem", json!({ "TableName": "table", "Item": item })).await;
    }
}

/// The bodies of messages, or the new values of items, batch by batch.
pub(crate) fn texts(batches: &[Vec<Document>]) -> Vec<Vec<String>> {
    let text = |record: &Document| match record["body"].as_str() {
        Some(body) => body.to_owned(),
        None => record["dynamodb"]["NewImage"]["v"]["S"].as_str().unwrap_or("-").to_owned(),
    };
    batches.iter().map(|batch| batch.iter().map(text).collect()).collect()
}

pub(crate) fn flat(batches: &[Vec<Document>]) -> Vec<String> {
    texts(batches).concat()
}

pub(crate) fn base64(text: &str) -> String {
    Blob::from(text.as_bytes().to_vec()).to_base64()
}

fn package() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("index.js", SimpleFileOptions::default()).unwrap();
    writer.write_all(HANDLER.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}
