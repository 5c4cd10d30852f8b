//! Static websites, as browsers ask.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use serde_json::json;
use world::{Answer, World};

async fn site(configuration: serde_json::Value) -> World {
    let world = World::with_bucket("page").await;
    for (key, body) in
        [("index.html", "home"), ("docs/index.html", "docs"), ("error.html", "oh"), ("a%20b.css", "css")]
    {
        world.send(&format!("PUT /page/{key}"), &[("content-type", "text/html")], body).await;
    }
    let input = json!({ "Bucket": "page", "WebsiteConfiguration": configuration });
    world.call("PutBucketWebsite", input).await.unwrap();
    world
}

async fn visit(world: &World, path: &str) -> Answer {
    let host = [("host", "page.s3-website.localhost:4566")];
    world.send_unsigned(&format!("GET {path}"), &host, "").await
}

#[tokio::test]
async fn directories_have_an_index_and_errors_a_document() {
    let configuration =
        json!({ "IndexDocument": { "Suffix": "index.html" }, "ErrorDocument": { "Key": "error.html" } });
    let world = site(configuration).await;
    for (path, status, body) in [
        ("/", 200, "home"),
        ("/index.html?v=1", 200, "home"),
        ("/docs/", 200, "docs"),
        ("/a%20b.css", 200, "css"),
        ("/none", 404, "oh"),
        ("/none/", 404, "oh"),
    ] {
        let answer = visit(&world, path).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, body), "{path}");
        assert_eq!(answer.header("content-type"), "text/html");
    }
    let directory = visit(&world, "/docs").await;
    assert_eq!((directory.status.as_u16(), directory.header("location")), (302, "/docs/"));
    let etag = visit(&world, "/").await.header("etag").to_owned();
    let host = [("host", "page.s3-website.localhost:4566"), ("if-none-match", &etag)];
    assert_eq!(world.send_unsigned("GET /", &host, "").await.status.as_u16(), 304);
    let post = [("host", "page.s3-website-eu-central-1.amazonaws.com")];
    assert_eq!(world.send_unsigned("POST /", &post, "").await.status.as_u16(), 405);
}

#[tokio::test]
async fn without_a_document_the_error_is_a_page() {
    let world = site(json!({ "IndexDocument": { "Suffix": "index.html" } })).await;
    let answer = visit(&world, "/<none>".replace('<', "%3C").replace('>', "%3E").as_str()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(answer.text().contains("<li>Code: NoSuchKey</li>"));
    assert!(answer.text().contains("<li>Key: &lt;none&gt;</li>"));
    world.call("DeleteBucketWebsite", json!({ "Bucket": "page" })).await.unwrap();
    assert!(visit(&world, "/").await.text().contains("NoSuchWebsiteConfiguration"));
}

#[tokio::test]
async fn rules_and_whole_sites_redirect() {
    let rules = json!([
        { "Condition": { "KeyPrefixEquals": "old/" }, "Redirect": { "ReplaceKeyPrefixWith": "docs/" } },
        { "Condition": { "HttpErrorCodeReturnedEquals": "404" },
          "Redirect": { "HostName": "other.example", "Protocol": "https", "ReplaceKeyWith": "lost", "HttpRedirectCode": "307" } },
    ]);
    let world = site(json!({ "IndexDocument": { "Suffix": "index.html" }, "RoutingRules": rules })).await;
    let moved = visit(&world, "/old/a").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), {
        (301, "http://page.s3-website.localhost:4566/docs/a")
    });
    let lost = visit(&world, "/none").await;
    assert_eq!((lost.status.as_u16(), lost.header("location")), (307, "https://other.example/lost"));
    let world = site(json!({ "RedirectAllRequestsTo": { "HostName": "www.example" } })).await;
    let all = visit(&world, "/a/b").await;
    assert_eq!((all.status.as_u16(), all.header("location")), (301, "http://www.example/a/b"));
}
