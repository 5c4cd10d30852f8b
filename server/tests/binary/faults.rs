//! What an operator sees when the disk fails, the store is damaged or taken, or the port is.

use std::fs;

use http::{Request, StatusCode};
use serde_json::json;

use crate::server::{Server, files, refusal, run};

async fn fail(server: &Server, fault: &'static str) {
    let request = Request::post(format!("{}/_buswork/test/disk-fault", server.address));
    assert_eq!(server.send(request, fault).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_failed_sync_is_never_taken_for_an_answer() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let server = Server::start(&["--data-dir", data, "--test-disk-faults"]);
    let create = |name: &str| json!({ "QueueName": name });
    let created = server.call("sqs", "AmazonSQS.CreateQueue", create("kept")).await;
    assert_eq!(created.status, StatusCode::OK, "{created:?}");
    assert_eq!(server.get("/_buswork/ready").await.text, "ready\n");

    fail(&server, "sync-fails").await;
    let refused = server.call("sqs", "AmazonSQS.CreateQueue", create("unsure")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    fail(&server, "none").await;
    let refused = server.call("sqs", "AmazonSQS.CreateQueue", create("late")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "the store went on after a failed sync");
    assert!(refused.text.contains("poisoned"), "{refused:?}");
    let ready = server.get("/_buswork/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        ready.text.contains("the store is poisoned") && ready.text.contains("the sync failed"),
        "{ready:?}"
    );
    assert_eq!(server.get("/_buswork/health").await.status, StatusCode::OK);

    let (code, log) = server.stop();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("the store could not be closed as it should be"), "{log}");
    // What was acknowledged before is there, and the store is whole.
    let server = Server::start(&["--data-dir", data]);
    let kept = server.call("sqs", "AmazonSQS.GetQueueUrl", create("kept")).await;
    assert_eq!(kept.status, StatusCode::OK, "{kept:?}");
    let late = server.call("sqs", "AmazonSQS.GetQueueUrl", create("late")).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.stop().0, Some(0));
    assert!(run(&["verify", "--data-dir", data]).status.success());
}

#[tokio::test]
async fn a_full_disk_refuses_and_nothing_more() {
    let server = Server::start(&["--in-memory", "--test-disk-faults"]);
    fail(&server, "full").await;
    let refused = server.call("sqs", "AmazonSQS.CreateQueue", json!({ "QueueName": "q" })).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    assert!(refused.text.contains("no space left"), "{refused:?}");
    fail(&server, "none").await;
    let created = server.call("sqs", "AmazonSQS.CreateQueue", json!({ "QueueName": "q" })).await;
    assert_eq!(created.status, StatusCode::OK, "{created:?}");
    assert_eq!(server.stop().0, Some(0));
}

#[tokio::test]
async fn faults_are_for_servers_that_were_started_for_them() {
    let server = Server::start(&["--in-memory"]);
    let request = Request::post(format!("{}/_buswork/test/disk-fault", server.address));
    assert_ne!(server.send(request, "sync-fails").await.status, StatusCode::OK);
    let created = server.call("sqs", "AmazonSQS.CreateQueue", json!({ "QueueName": "q" })).await;
    assert_eq!(created.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cut_journal_is_named_and_not_started_over() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let server = Server::start(&["--data-dir", data]);
    for number in 0..20 {
        let input = json!({ "QueueName": format!("queue-{number}") });
        let created = server.call("sqs", "AmazonSQS.CreateQueue", input).await;
        assert_eq!(created.status, StatusCode::OK, "{created:?}");
    }
    // Killed, so that everything stands in the journal.
    drop(server);
    let store = directory.path().join("fjall");
    let mut journals = files(&store);
    journals.retain(|path| path.extension().is_some_and(|end| end == "jnl"));
    assert!(!journals.is_empty(), "{:?}", files(&store));
    for journal in journals {
        // Journals grow ahead of their content.
        let bytes = fs::read(&journal).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        fs::write(&journal, &bytes[..used / 2]).unwrap();
    }
    let said = refusal(&["start", "--port", "0", "--data-dir", data]);
    assert!(said.contains("is damaged") && said.contains("was acknowledged"), "{said}");
    let verified = run(&["verify", "--data-dir", data]);
    assert_eq!(verified.status.code(), Some(1));
    let report = String::from_utf8(verified.stdout).unwrap();
    assert!(report.contains("was acknowledged"), "{report}");
}

#[tokio::test]
async fn a_store_in_use_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let server = Server::start(&["--data-dir", data]);
    let said = refusal(&["start", "--port", "0", "--data-dir", data]);
    assert!(said.contains("is in use by"), "{said}");
    let said = refusal(&["verify", "--data-dir", data]);
    assert!(said.contains("is in use by"), "{said}");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_taken_port_is_named() {
    let server = Server::start(&["--in-memory"]);
    let said = refusal(&["start", "--in-memory", "--port", server.port()]);
    assert!(said.contains(&format!("port {} of 127.0.0.1 is taken", server.port())), "{said}");
}

#[test]
fn a_newer_store_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    assert_eq!(Server::start(&["--data-dir", data]).stop().0, Some(0));
    let path = directory.path().join("fjall/FORMAT");
    let newer = fs::read_to_string(&path).unwrap().replace("format 1", "format 9");
    fs::write(&path, &newer).unwrap();
    let said = refusal(&["start", "--port", "0", "--data-dir", data]);
    assert!(said.contains("has format 9; this Buswork reads up to 1"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
}
