//! Packages of functions and layers are downloaded where the answers say.

use base::schema::Blob;
use lambda::download::fetch;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{House, zip};

async fn get(house: &House, location: &Value) -> Result<Vec<u8>, (u16, String)> {
    let address = location.as_str().and_then(|url| url.split_once("/_buswork/lambda/")).unwrap().1;
    let found = fetch(&house.kernel, &house.functions, address).await;
    found.map(|bytes| bytes.to_vec()).map_err(|fault| (fault.status, fault.message))
}

fn digest(bytes: &[u8]) -> String {
    Blob::from(Sha256::digest(bytes).to_vec()).to_base64()
}

#[tokio::test]
async fn a_package_is_at_its_location_for_ten_minutes() {
    let house = House::new().await;
    let created = house.create(json!({})).await;
    let got = house.ok("GetFunction", json!({ "FunctionName": "f" })).await;
    assert_eq!(got["Code"]["RepositoryType"], "S3");
    let location = &got["Code"]["Location"];
    let bytes = get(&house, location).await.unwrap();
    assert_eq!(json!([digest(&bytes), bytes.len()]), json!([created["CodeSha256"], created["CodeSize"]]));
    house.advance(599).await;
    assert_eq!(get(&house, location).await.unwrap(), bytes);
    house.advance(1).await;
    assert_eq!(get(&house, location).await, Err((403, "Request has expired".to_owned())));
}

#[tokio::test]
async fn no_other_address_leads_to_a_package() {
    let house = House::new().await;
    house.create(json!({})).await;
    let got = house.ok("GetFunction", json!({ "FunctionName": "f" })).await;
    let location = got["Code"]["Location"].as_str().unwrap();
    let later = location.replace("/_buswork/lambda/000000000000", "/_buswork/lambda/111111111111");
    let cut = &location[..location.len() - 1];
    for forged in [later.as_str(), cut, "http://h/_buswork/lambda/x", "http://h/_buswork/lambda/"] {
        let refused = get(&house, &forged.into()).await;
        assert_eq!(refused, Err((403, "Access Denied".to_owned())), "{forged}");
    }
    house.ok("DeleteFunction", json!({ "FunctionName": "f" })).await;
    assert_eq!(get(&house, &location.into()).await.unwrap_err().0, 404);
}

#[tokio::test]
async fn layers_are_downloaded_likewise() {
    let house = House::new().await;
    let bytes = zip(&[("lib/a.js", b"a")]);
    let content = json!({ "ZipFile": Blob::from(bytes.clone()).to_base64() });
    let published = house.ok("PublishLayerVersion", json!({ "LayerName": "l", "Content": content })).await;
    assert_eq!(get(&house, &published["Content"]["Location"]).await.unwrap(), bytes);
    let got = house.ok("GetLayerVersion", json!({ "LayerName": "l", "VersionNumber": 1 })).await;
    assert_eq!(get(&house, &got["Content"]["Location"]).await.unwrap(), bytes);
    let by_arn = house.ok("GetLayerVersionByArn", json!({ "Arn": got["LayerVersionArn"] })).await;
    assert_eq!(get(&house, &by_arn["Content"]["Location"]).await.unwrap(), bytes);
}
