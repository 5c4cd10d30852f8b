//! Files and their items.

use serde_json::{Value, json};

use super::{CsvHeaders, Item, ItemFormat, decode, read_athena_manifest, read_manifest};

/// All items of a file, read in pages of two.
fn all(format: &ItemFormat, file: &str) -> Result<Vec<Item>, String> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = decode(format, file.as_bytes(), cursor.as_deref(), 2)?;
        assert!(page.items.len() <= 2);
        items.extend(page.items);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

fn check(format: &ItemFormat, file: &str, expected: Value) {
    let shown = match all(format, file) {
        Ok(items) => Value::Array(items.iter().map(Item::input).collect()),
        Err(error) => json!(error),
    };
    assert_eq!(shown, expected, "{format:?} {file}");
}

#[test]
fn json() {
    let whole = ItemFormat::Json { pointer: None };
    check(&whole, "[1, [2], {\"a\": 3}]", json!([1, [2], { "a": 3 }]));
    check(
        &whole,
        "{\"a\": 1, \"b\": 2, \"c\": 3}",
        json!([
        { "Key": "a", "Value": 1 }, { "Key": "b", "Value": 2 }, { "Key": "c", "Value": 3 }]),
    );
    check(&whole, "[]", json!([]));
    check(&whole, "\"x\"", json!("the file holds neither an array nor an object"));
    check(&whole, "[1,", json!("EOF while parsing a value at line 1 column 3"));
    let at = ItemFormat::Json { pointer: Some("/data/0/rows".to_owned()) };
    check(&at, "{\"data\": [{\"rows\": [1, 2, 3]}]}", json!([1, 2, 3]));
    check(&at, "{\"data\": []}", json!("the file holds nothing at /data/0/rows"));
}

#[test]
fn json_lines() {
    check(&ItemFormat::JsonLines, "{\"a\":1}\n\n  2 \r\n[3]", json!([{ "a": 1 }, 2, [3]]));
    check(&ItemFormat::JsonLines, "1\n2\n3\n", json!([1, 2, 3]));
    check(&ItemFormat::JsonLines, "", json!([]));
    check(&ItemFormat::JsonLines, "1\nx\n", json!("at byte 2: expected value at line 1 column 1"));
}

#[test]
fn csv() {
    let first = ItemFormat::Csv { headers: CsvHeaders::FirstRow, delimiter: b',' };
    let file = "\u{feff}id,text\r\n1,one\r\n2,\"two, \"\"quoted\"\"\nand broken\"\r\n\r\n3\r\n4,four,more";
    check(
        &first,
        file,
        json!([
        { "id": "1", "text": "one" }, { "id": "2", "text": "two, \"quoted\"\nand broken" },
        { "id": "3", "text": "" }, { "id": "4", "text": "four" }]),
    );
    check(&first, "", json!([]));
    check(&first, "a,b\n", json!([]));
    let wide = format!("{}\n1\n", "a".repeat(10 << 10));
    check(&first, &wide, json!("its header row is larger than 10240 bytes"));
    check(&first, "a\n\"x", json!("a quoted field of the row at byte 2 does not end"));
    check(&first, "a,a\n1,2", json!("CSV headers cannot contain duplicates."));
    let given = ItemFormat::Csv { headers: CsvHeaders::Given(vec!["a".into(), "b".into()]), delimiter: b'|' };
    check(
        &given,
        "1|2\n3|4\n5|6",
        json!([
        { "a": "1", "b": "2" }, { "a": "3", "b": "4" }, { "a": "5", "b": "6" }]),
    );
}

#[test]
fn manifests() {
    let file = r#"{"sourceBucket": "s", "destinationBucket": "arn:aws:s3:::d", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size", "files": [{"key": "data/1.csv.gz", "size": 3}, {"key": "data/2.csv.gz"}]}"#;
    let manifest = read_manifest(file.as_bytes()).unwrap();
    assert_eq!(manifest.bucket, "arn:aws:s3:::d");
    assert_eq!(manifest.keys, ["data/1.csv.gz", "data/2.csv.gz"]);
    assert_eq!(manifest.headers, ["Bucket", "Key", "Size"]);
    let parquet = file.replace("CSV\"", "Parquet\"");
    assert_eq!(
        read_manifest(parquet.as_bytes()),
        Err("an inventory in the format Parquet cannot be read".into())
    );
    assert!(read_manifest(b"{").is_err());
    assert!(decode(&ItemFormat::Inventory, b"{}", None, 1).is_err());
    assert!(decode(&ItemFormat::JsonLines, b"{}", Some("x"), 1).is_err());
}

#[test]
fn manifests_of_athena() {
    let file = "s3://b/out/1.gz\n\n\"s3://b/out/a b/2\"\r\n";
    let files = read_athena_manifest(file.as_bytes()).unwrap();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(bucket, key)| (bucket.as_str(), key.as_str())).collect();
    assert_eq!(files, [("b", "out/1.gz"), ("b", "out/a b/2")]);
    assert_eq!(read_athena_manifest(b""), Ok(vec![]));
    let message = "the manifest names no object of S3 on this line: ";
    for line in ["s3://b", "s3://b/", "s3:///k", "{\"a\":1}"] {
        assert_eq!(read_athena_manifest(line.as_bytes()), Err(format!("{message}{line}")));
    }
    assert!(read_athena_manifest(b"\xff").is_err());
    let athena = ItemFormat::Athena { of: Box::new(ItemFormat::JsonLines) };
    assert!(decode(&athena, b"s3://b/k", None, 1).is_err());
    assert!(decode(&ItemFormat::Parquet, b"PAR1", None, 1).is_err());
}
