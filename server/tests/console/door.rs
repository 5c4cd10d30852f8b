//! Who is let in, and what the pages are made of.

use bytes::Bytes;
use http::{Request, StatusCode};
use server::console;

use crate::world::{HOST, World};

#[tokio::test]
async fn browsers_find_the_console_and_clients_do_not() {
    let request = |path: &str, headers: &[(&str, &str)]| {
        let request = Request::get(path).header("host", HOST);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(Bytes::new()).unwrap()
    };
    let is_for =
        |path: &str, headers: &[(&str, &str)]| console::is_for(&request(path, headers).into_parts().0);
    let html = ("accept", "text/html,application/xhtml+xml");
    assert!(is_for("/", &[html]));
    assert!(!is_for("/", &[]));
    assert!(!is_for("/", &[html, ("authorization", "AWS4-HMAC-SHA256 …")]));
    assert!(!is_for("/?X-Amz-Signature=1", &[html]));
    assert!(!is_for("/bucket", &[html]));
    assert!(is_for("/_buswork/console", &[]) && is_for("/_buswork/console/queues", &[]));
    assert!(!is_for("/_buswork/consoles", &[]) && !is_for("/_buswork/health", &[]));

    let world = World::new().await;
    world.machine("here").await;
    let (response, _) = world.ask(request("/", &[html])).await;
    assert_eq!(response.headers()["location"], "/_buswork/console/");
    // Without a region in the address it is the one where something is.
    let (response, _) = world.ask(request("/_buswork/console/queues", &[])).await;
    assert_eq!(response.headers()["location"], "/_buswork/console/queues?region=eu-central-1");
    let foreign =
        Request::get("/_buswork/console/").header("host", "rebound.example:4566").body(Bytes::new()).unwrap();
    assert_eq!(world.ask(foreign).await.0.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn assets_are_in_the_binary() {
    let world = World::new().await;
    for (name, kind) in
        [("console.css", "text/css"), ("console.js", "text/javascript"), ("icon.svg", "image/svg")]
    {
        let uri = format!("{}/assets/{name}", console::PATH);
        let request = Request::get(uri).header("host", HOST).body(Bytes::new()).unwrap();
        let (response, text) = world.ask(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind));
        assert!(!text.contains("http://") || name == "icon.svg", "{name} refers to another server");
    }
}
