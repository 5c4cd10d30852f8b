//! Readers of distributed maps: Parquet files, manifests of Athena and S3, contents of listed objects, packed files, and
//! what cannot be read.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Write;
use std::sync::Arc;

use base::schema::Blob;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/machine";

async fn world() -> World {
    let world = World::new(|| vec![events::service(), s3::service(), states::service()]).await;
    world.ok("s3", "CreateBucket", json!({ "Bucket": "bucket" })).await;
    world
}

async fn put(world: &World, key: &str, bytes: impl Into<Vec<u8>>) {
    let body = Blob::from(bytes.into());
    world.ok("s3", "PutObject", json!({ "Bucket": "bucket", "Key": key, "Body": body })).await;
}

/// How a map over what a reader reads ends; each item with where it is from, if that is asked for.
async fn read(world: &World, reader: &Value, with_source: bool) -> String {
    let processor = json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" },
        "StartAt": "C", "States": { "C": { "Type": "Pass", "End": true } } });
    let mut state = json!({ "Type": "Map", "Label": "L", "ItemProcessor": processor, "ItemReader": reader,
        "End": true });
    if with_source {
        state["ItemSelector"] = json!({ "from.$": "$$.Map.Item.Source", "item.$": "$$.Map.Item.Value" });
    }
    let definition = json!({ "StartAt": "M", "States": { "M": state } });
    let machine = json!({ "name": "m", "definition": definition.to_string(), "roleArn": ROLE });
    let machine = world.ok("states", "CreateStateMachine", machine).await;
    let arn = json!({ "stateMachineArn": machine["stateMachineArn"] });
    let started = world.ok("states", "StartExecution", arn.clone()).await;
    world.idle().await;
    let shown =
        world.ok("states", "DescribeExecution", json!({ "executionArn": started["executionArn"] })).await;
    world.ok("states", "DeleteStateMachine", arn).await;
    world.idle().await;
    let text = |name: &str| shown[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    format!("{}{}{}{}", shown["status"].as_str().unwrap(), text("output"), text("error"), text("cause"))
}

fn object(config: &Value, key: &str) -> Value {
    json!({ "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config,
        "Parameters": { "Bucket": "bucket", "Key": key } })
}

fn listed(config: &Value, prefix: &str) -> Value {
    let mut config = config.clone();
    config["Transformation"] = json!("LOAD_AND_FLATTEN");
    json!({ "Resource": "arn:aws:states:::s3:listObjectsV2", "ReaderConfig": config,
        "Parameters": { "Bucket": "bucket", "Prefix": prefix } })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// A Parquet file of one column of numbers, in groups of rows.
fn numbers(groups: &[Vec<i64>], compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message m { REQUIRED INT64 v; }").unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    for group in groups {
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(group, None, None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
    }
    writer.into_inner().unwrap()
}

/// A Parquet file of columns of many types: two rows.
fn columns() -> Vec<u8> {
    let schema = "message m {
        REQUIRED INT32 day (DATE);
        REQUIRED INT64 at (TIMESTAMP(NANOS,true));
        REQUIRED INT32 cents (DECIMAL(9,2));
        REQUIRED DOUBLE ratio;
        OPTIONAL BYTE_ARRAY name (STRING);
        REQUIRED BYTE_ARRAY raw;
        REQUIRED group point { REQUIRED INT32 x; REQUIRED INT64 since (TIMESTAMP(MICROS,true)); }
        OPTIONAL group tags (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (STRING); } }
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let text = |text: &str| ByteArray::from(text);
    for at in 0.. {
        let Some(mut column) = rows.next_column().unwrap() else { break };
        let written = match at {
            0 => column.typed::<Int32Type>().write_batch(&[0, 20_000], None, None),
            1 => column.typed::<Int64Type>().write_batch(&[1_500_000_000, 0], None, None),
            2 => column.typed::<Int32Type>().write_batch(&[12_345, -5], None, None),
            3 => column.typed::<DoubleType>().write_batch(&[0.5, f64::NAN], None, None),
            4 => column.typed::<ByteArrayType>().write_batch(&[text("né")], Some(&[1, 0]), None),
            5 => column.typed::<ByteArrayType>().write_batch(&[text("\u{0}ab"), text("")], None, None),
            6 => column.typed::<Int32Type>().write_batch(&[1, -2], None, None),
            7 => column.typed::<Int64Type>().write_batch(&[0, 1_000], None, None),
            _ => column.typed::<ByteArrayType>().write_batch(
                &[text("a"), text("b")],
                Some(&[2, 2, 0]),
                Some(&[0, 1, 0]),
            ),
        };
        written.unwrap();
        column.close().unwrap();
    }
    rows.close().unwrap();
    writer.into_inner().unwrap()
}

/// Files of every type with the same two items.
fn files() -> Vec<(Value, Vec<u8>)> {
    let lines = b"{\"v\":1}\n{\"v\":2}\n".to_vec();
    let table = b"v\n1\n2\n".to_vec();
    vec![
        (json!({ "InputType": "JSONL" }), lines),
        (json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" }), table),
        (json!({ "InputType": "PARQUET" }), numbers(&[vec![1], vec![2]], Compression::SNAPPY)),
        (json!({ "InputType": "JSON", "ItemsPointer": "/all" }), br#"{"all":[{"v":1},{"v":2}]}"#.to_vec()),
    ]
}

#[tokio::test]
async fn columns_of_parquet_become_members() {
    let world = world().await;
    put(&world, "k", columns()).await;
    let ended = read(&world, &object(&json!({ "InputType": "PARQUET" }), "k"), false).await;
    let output: Value = serde_json::from_str(ended.strip_prefix("SUCCEEDED ").unwrap()).unwrap();
    let expected = json!([
        { "day": "1970-01-01", "at": "1970-01-01T00:00:01.500Z", "cents": "123.45", "ratio": 0.5, "name": "né",
          "raw": "AGFi", "point": { "x": 1, "since": "1970-01-01T00:00:00.000Z" }, "tags": ["a", "b"] },
        { "day": "2024-10-04", "at": "1970-01-01T00:00:00.000Z", "cents": "-0.05", "ratio": null, "name": null,
          "raw": "", "point": { "x": -2, "since": "1970-01-01T00:00:00.001Z" }, "tags": null },
    ]);
    assert_eq!(output, expected);
}

#[tokio::test]
async fn parquet_is_read_group_by_group_however_it_is_packed() {
    let world = world().await;
    let groups: Vec<Vec<i64>> = vec![(0..250).collect(), vec![], (250..310).collect()];
    let all: Vec<Value> = (0..310).map(|number| json!({ "v": number })).collect();
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        put(&world, "k", numbers(&groups, compression)).await;
        let ended = read(&world, &object(&json!({ "InputType": "PARQUET" }), "k"), false).await;
        assert_eq!(ended, format!("SUCCEEDED {}", json!(all)), "{compression:?}");
    }
    let some = json!({ "InputType": "PARQUET", "MaxItems": 260 });
    let ended = read(&world, &object(&some, "k"), false).await;
    assert_eq!(ended, format!("SUCCEEDED {}", json!(all[..260])));
    put(&world, "none", numbers(&[], Compression::SNAPPY)).await;
    let none = read(&world, &object(&json!({ "InputType": "PARQUET" }), "none"), false).await;
    assert_eq!(none, "SUCCEEDED []");
}

#[tokio::test]
async fn what_athena_wrote_is_read_file_by_file() {
    let world = world().await;
    for (mut config, file) in files().into_iter().take(3) {
        let kind = config["InputType"].as_str().unwrap().to_owned();
        // UNLOAD packs what is text.
        let packed = if kind == "PARQUET" { file.clone() } else { gzip(&file) };
        put(&world, &format!("out/{kind}/a b"), packed).await;
        put(&world, &format!("out/{kind}/2"), file).await;
        let manifest = format!("s3://bucket/out/{kind}/a b\ns3://bucket/out/{kind}/2\n");
        put(&world, "q-manifest.csv", manifest).await;
        config["ManifestType"] = json!("ATHENA_DATA");
        let ended = read(&world, &object(&config, "q-manifest.csv"), true).await;
        let item = |number: i64| if kind == "CSV" { json!(number.to_string()) } else { json!(number) };
        let from = |name: &str, number: i64| json!({ "from": format!("S3://bucket/out/{kind}/{name}"), "item": { "v": item(number) } });
        let expected = json!([from("a b", 1), from("a b", 2), from("2", 1), from("2", 2)]);
        assert_eq!(ended, format!("SUCCEEDED {expected}"));
    }
}

#[tokio::test]
async fn what_is_in_listed_objects_is_read_one_after_the_other() {
    let world = world().await;
    for (config, file) in files() {
        let kind = config["InputType"].as_str().unwrap().to_owned();
        put(&world, &format!("{kind}/"), "").await;
        put(&world, &format!("{kind}/1"), file.clone()).await;
        put(&world, &format!("{kind}/2"), file).await;
        let item = |number: i64| if kind == "CSV" { json!(number.to_string()) } else { json!(number) };
        let from = |name: &str, number: i64| json!({ "from": format!("S3://bucket/{kind}/{name}"), "item": { "v": item(number) } });
        let ended = read(&world, &listed(&config, &format!("{kind}/")), true).await;
        let expected = json!([from("1", 1), from("1", 2), from("2", 1), from("2", 2)]);
        assert_eq!(ended, format!("SUCCEEDED {expected}"));
        let mut three = config.clone();
        three["MaxItems"] = json!(3);
        let ended = read(&world, &listed(&three, &format!("{kind}/")), true).await;
        assert_eq!(ended, format!("SUCCEEDED {}", json!([from("1", 1), from("1", 2), from("2", 1)])));
    }
    let nothing = read(&world, &listed(&json!({ "InputType": "JSON" }), "nobody/"), false).await;
    assert_eq!(nothing, "SUCCEEDED []");
}

#[tokio::test]
async fn many_objects_and_long_ones_come_in_pages() {
    let world = world().await;
    let mut all = Vec::new();
    // More objects than a page opens, one longer than a page, and one with items too large for one page.
    for number in 0..130 {
        let lines: Vec<String> = match number {
            60 => (0..450).map(|line| json!([number, line]).to_string()).collect(),
            70 => (0..4).map(|line| json!([number, line, "x".repeat(90_000)]).to_string()).collect(),
            _ => vec![json!([number, 0]).to_string()],
        };
        put(&world, &format!("p/{number:03}.jsonl"), lines.join("\n")).await;
        all.extend(lines.iter().map(|line| {
            let item: Value = serde_json::from_str(line).unwrap();
            json!([item[0], item[1]])
        }));
    }
    let mut reader = listed(&json!({ "InputType": "JSONL" }), "p/");
    let ended = read_numbers(&world, &reader).await;
    assert_eq!(ended, all);
    // The same files, named by a manifest.
    let manifest: String = (0..130).map(|number| format!("s3://bucket/p/{number:03}.jsonl\n")).collect();
    put(&world, "manifest.csv", manifest).await;
    reader = object(&json!({ "InputType": "JSONL", "ManifestType": "ATHENA_DATA" }), "manifest.csv");
    assert_eq!(read_numbers(&world, &reader).await, all);
}

/// The two numbers of each item.
async fn read_numbers(world: &World, reader: &Value) -> Vec<Value> {
    let pass = json!({ "Type": "Pass", "End": true, "Parameters": { "n.$": "States.Array($[0], $[1])" },
        "OutputPath": "$.n" });
    let processor = json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" },
        "StartAt": "C", "States": { "C": pass } });
    let map = json!({ "Type": "Map", "ItemProcessor": processor, "ItemReader": reader, "End": true });
    let definition = json!({ "StartAt": "M", "States": { "M": map } }).to_string();
    let machine = json!({ "name": "n", "definition": definition, "roleArn": ROLE });
    let machine = world.ok("states", "CreateStateMachine", machine).await;
    let arn = json!({ "stateMachineArn": machine["stateMachineArn"] });
    let started = world.ok("states", "StartExecution", arn.clone()).await;
    world.idle().await;
    let shown =
        world.ok("states", "DescribeExecution", json!({ "executionArn": started["executionArn"] })).await;
    assert_eq!(shown["status"], "SUCCEEDED", "{shown}");
    world.ok("states", "DeleteStateMachine", arn).await;
    world.idle().await;
    serde_json::from_str(shown["output"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn packed_files_and_inventories_are_read() {
    let world = world().await;
    let zstd = zstd::encode_all(&b"1\n2\n"[..], 1).unwrap();
    for (key, file) in [("k.jsonl.gz", gzip(b"1\n2\n")), ("k.jsonl.zstd", zstd)] {
        put(&world, key, file).await;
        let ended = read(&world, &object(&json!({ "InputType": "JSONL" }), key), false).await;
        assert_eq!(ended, "SUCCEEDED [1,2]", "{key}");
    }
    put(&world, "inventory/1.csv.gz", gzip(b"\"bucket\",\"a\"\n")).await;
    put(&world, "inventory/2.csv.gz", gzip(b"\"bucket\",\"b\"\n")).await;
    let manifest = json!({ "destinationBucket": "arn:aws:s3:::bucket", "fileFormat": "CSV", "fileSchema": "Bucket, Key",
        "files": [{ "key": "inventory/1.csv.gz" }, { "key": "inventory/2.csv.gz" }] });
    put(&world, "manifest.json", manifest.to_string()).await;
    for config in [json!({ "InputType": "MANIFEST" }), json!({ "ManifestType": "S3_INVENTORY" })] {
        let ended = read(&world, &object(&config, "manifest.json"), false).await;
        let expected = json!([{ "Bucket": "bucket", "Key": "a" }, { "Bucket": "bucket", "Key": "b" }]);
        assert_eq!(ended, format!("SUCCEEDED {expected}"));
    }
}

#[tokio::test]
async fn long_files_of_lines_and_rows_are_read_where_a_page_is() {
    let world = world().await;
    // Lines that end before, behind and with the bounds of windows, and a row that is longer than one.
    let lengths = [10, 1 << 20, (1 << 20) - 20, 300_000, 70_000, 1, 1_300_000, 0];
    let lines: Vec<String> =
        lengths.iter().enumerate().map(|(at, length)| json!([at, "x".repeat(*length)]).to_string()).collect();
    put(&world, "k.jsonl", lines.join("\n")).await;
    let reader = object(&json!({ "InputType": "JSONL" }), "k.jsonl");
    let expected: Vec<Value> = lengths.iter().enumerate().map(|(at, _)| json!([at, at])).collect();
    assert_eq!(read_ids(&world, &reader, "$$.Map.Item.Value[0]").await, expected);
    let row = |at: usize, length: usize| format!("{at},\"{}\"\n", "y\n\"\"".repeat(length / 4));
    let rows: String = lengths.iter().enumerate().map(|(at, length)| row(at, *length)).collect();
    put(&world, "k.csv", format!("\u{feff}id,text\n{rows}")).await;
    let csv = json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" });
    let expected: Vec<Value> =
        lengths.iter().enumerate().map(|(at, _)| json!([at.to_string(), at])).collect();
    assert_eq!(read_ids(&world, &object(&csv, "k.csv"), "$$.Map.Item.Value.id").await, expected);
    // What is wrong far behind is found there.
    let bad = format!("{}nothing", format!("\"{}\"\n", "x".repeat(100_000)).repeat(12));
    put(&world, "bad.jsonl", bad).await;
    let ended = read(&world, &object(&json!({ "InputType": "JSONL" }), "bad.jsonl"), false).await;
    let cause = "FAILED States.ItemReaderFailed Attempting to read items of S3://bucket/bad.jsonl failed: behind byte ";
    assert!(ended.starts_with(cause), "{ended}");
}

/// The ids of the items, and their numbers.
async fn read_ids(world: &World, reader: &Value, id: &str) -> Vec<Value> {
    let processor = json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" },
        "StartAt": "C", "States": { "C": { "Type": "Pass", "OutputPath": "$.n", "End": true } } });
    let select = json!({ "n.$": format!("States.Array({id}, $$.Map.Item.Index)") });
    let map = json!({ "Type": "Map", "ItemProcessor": processor, "ItemReader": reader, "ItemSelector": select,
        "End": true });
    let definition = json!({ "StartAt": "M", "States": { "M": map } }).to_string();
    let machine = json!({ "name": "i", "definition": definition, "roleArn": ROLE });
    let machine = world.ok("states", "CreateStateMachine", machine).await;
    let arn = json!({ "stateMachineArn": machine["stateMachineArn"] });
    let started = world.ok("states", "StartExecution", arn.clone()).await;
    world.idle().await;
    let shown =
        world.ok("states", "DescribeExecution", json!({ "executionArn": started["executionArn"] })).await;
    assert_eq!(shown["status"], "SUCCEEDED", "{shown}");
    world.ok("states", "DeleteStateMachine", arn).await;
    world.idle().await;
    serde_json::from_str(shown["output"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let world = world().await;
    let parquet = json!({ "InputType": "PARQUET" });
    let good = numbers(&[(0..100).collect()], Compression::UNCOMPRESSED);
    let mut damaged = good.clone();
    damaged[..60].fill(0xff);
    let mut long = good.clone();
    let end = long.len();
    long[end - 8..end - 4].copy_from_slice(&(6_u32 << 20).to_le_bytes());
    let mut torn = good.clone();
    torn[end - 8..end - 4].copy_from_slice(&20_u32.to_le_bytes());
    for (key, file, why) in [
        ("text", b"v\n1\n".to_vec(), "it is no Parquet file"),
        ("empty", Vec::new(), "it is no Parquet file"),
        ("head", b"PAR1PAR1".to_vec(), ""),
        ("damaged", damaged, ""),
        ("long", long, "its footer is larger than 5242880 bytes"),
        ("torn", torn, ""),
        ("cut", good[..end - 100].to_vec(), "it is no Parquet file"),
        ("closed", [&good[..end - 4], b"PARE"].concat(), "it is encrypted"),
    ] {
        put(&world, key, file).await;
        let ended = read(&world, &object(&parquet, key), false).await;
        let cause = format!(
            "FAILED States.ItemReaderFailed Attempting to read items of S3://bucket/{key} failed: {why}"
        );
        assert!(ended.starts_with(&cause), "{ended}");
    }
    let reader = |reader: Value, key: &str| (reader, key.to_owned());
    put(&world, "bad/1", "[1]").await;
    put(&world, "bad/2", "{").await;
    put(&world, "to-nobody", "s3://bucket/nobody\n").await;
    put(&world, "to-nothing", "nothing\n").await;
    put(&world, "half.gz", &gzip(b"1\n2\n3\n")[..12]).await;
    let athena = json!({ "InputType": "JSONL", "ManifestType": "ATHENA_DATA" });
    let mut versioned = object(&parquet, "text");
    versioned["Parameters"]["VersionId"] = json!("v");
    for (reader, key) in [
        reader(listed(&json!({ "InputType": "JSON" }), "bad/"), "bad/2"),
        reader(object(&json!({ "InputType": "JSON" }), "nobody"), "nobody"),
        reader(object(&athena, "to-nobody"), "nobody"),
        reader(object(&athena, "to-nothing"), "to-nothing"),
        reader(object(&json!({ "InputType": "JSONL" }), "half.gz"), "half.gz"),
        reader(versioned, "text"),
    ] {
        let ended = read(&world, &reader, false).await;
        let cause =
            format!("FAILED States.ItemReaderFailed Attempting to read items of S3://bucket/{key} failed: ");
        assert!(ended.starts_with(&cause), "{ended}");
    }
}
