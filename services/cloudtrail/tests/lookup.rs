//! CloudTrail through the router.

use serde_json::json;
use testkit::World;

#[tokio::test]
async fn nothing_is_recorded_and_nothing_is_found() {
    let world = World::new(|| vec![cloudtrail::service()]).await;
    let by_name = json!([{ "AttributeKey": "EventName", "AttributeValue": "CreateStack" }]);
    let found = world.ok("cloudtrail", "LookupEvents", json!({ "LookupAttributes": by_name })).await;
    assert_eq!(found, json!({ "Events": [] }));
    for (input, code) in [
        (json!({ "StartTime": 20, "EndTime": 10 }), "InvalidTimeRangeException"),
        (json!({ "NextToken": "x" }), "InvalidNextTokenException"),
    ] {
        assert_eq!(world.refused("cloudtrail", "LookupEvents", input).await.code, code);
    }
}
