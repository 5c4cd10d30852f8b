//! The configurations of buckets over HTTP: each is a document that the router takes or gives.

use base::Document;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};
use serde_json::json;

use super::documents::Asked;
use super::door::Door;
use crate::api;

type Answer<O> = S3Result<S3Response<O>>;

/// For each operation: which members of its input are taken over, and which of its output; those that s3s cannot write as
/// documents by a function.
macro_rules! configurations {
    (@in $value:expr) => { $value };
    (@in $value:expr, $by:path) => { $by(&$value) };
    (@out $value:expr) => { $value };
    (@out $value:expr, $by:path) => { $value.map($by) };
    ($($function:ident: $operation:ident, $input:ident { $($member:ident: $name:literal $(by $in:path)?),* }
        => $output:ident { $($given:ident: $given_name:literal $(by $out:path)?),* };)*) => {
        $(
            pub(super) async fn $function(door: &Door, request: S3Request<$input>) -> Answer<$output> {
                let S3Request { input, extensions, .. } = request;
                let asked = Asked::of::<api::$operation>(input.bucket);
                $(
                    let member = configurations!(@in input.$member $(, $in)?);
                    let asked = door.told(&extensions, asked.with($name, &member))?;
                )*
                let told = asked.run(door, &extensions).await?;
                let output = $output::default();
                $(
                    let (mut output, mut told) = (output, told);
                    let member = configurations!(@out told.get($given_name) $(, $out)?);
                    output.$given = door.told(&extensions, member)?;
                )*
                drop(told);
                Ok(S3Response::new(output))
            }
        )*
    };
}

configurations! {
    put_versioning: PutBucketVersioning, PutBucketVersioningInput {
        versioning_configuration: "VersioningConfiguration"
    } => PutBucketVersioningOutput {};
    get_versioning: GetBucketVersioning, GetBucketVersioningInput {}
        => GetBucketVersioningOutput { status: "Status" };
    put_encryption: PutBucketEncryption, PutBucketEncryptionInput {
        server_side_encryption_configuration: "ServerSideEncryptionConfiguration"
    } => PutBucketEncryptionOutput {};
    get_encryption: GetBucketEncryption, GetBucketEncryptionInput {} => GetBucketEncryptionOutput {
        server_side_encryption_configuration: "ServerSideEncryptionConfiguration"
    };
    delete_encryption: DeleteBucketEncryption, DeleteBucketEncryptionInput {}
        => DeleteBucketEncryptionOutput {};
    put_tagging: PutBucketTagging, PutBucketTaggingInput { tagging: "Tagging" } => PutBucketTaggingOutput {};
    get_tagging: GetBucketTagging, GetBucketTaggingInput {} => GetBucketTaggingOutput { tag_set: "TagSet" };
    delete_tagging: DeleteBucketTagging, DeleteBucketTaggingInput {} => DeleteBucketTaggingOutput {};
    put_lifecycle: PutBucketLifecycleConfiguration, PutBucketLifecycleConfigurationInput {
        lifecycle_configuration: "LifecycleConfiguration",
        transition_default_minimum_object_size: "TransitionDefaultMinimumObjectSize" by from_minimum
    } => PutBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: "TransitionDefaultMinimumObjectSize" by to_minimum
    };
    get_lifecycle: GetBucketLifecycleConfiguration, GetBucketLifecycleConfigurationInput {}
        => GetBucketLifecycleConfigurationOutput {
            rules: "Rules",
            transition_default_minimum_object_size: "TransitionDefaultMinimumObjectSize" by to_minimum
        };
    delete_lifecycle: DeleteBucketLifecycle, DeleteBucketLifecycleInput {} => DeleteBucketLifecycleOutput {};
    put_cors: PutBucketCors, PutBucketCorsInput { cors_configuration: "CORSConfiguration" }
        => PutBucketCorsOutput {};
    get_cors: GetBucketCors, GetBucketCorsInput {} => GetBucketCorsOutput { cors_rules: "CORSRules" };
    delete_cors: DeleteBucketCors, DeleteBucketCorsInput {} => DeleteBucketCorsOutput {};
    put_ownership: PutBucketOwnershipControls, PutBucketOwnershipControlsInput {
        ownership_controls: "OwnershipControls" by from_ownership
    } => PutBucketOwnershipControlsOutput {};
    get_ownership: GetBucketOwnershipControls, GetBucketOwnershipControlsInput {}
        => GetBucketOwnershipControlsOutput { ownership_controls: "OwnershipControls" by to_ownership };
    delete_ownership: DeleteBucketOwnershipControls, DeleteBucketOwnershipControlsInput {}
        => DeleteBucketOwnershipControlsOutput {};
    put_notification: PutBucketNotificationConfiguration, PutBucketNotificationConfigurationInput {
        notification_configuration: "NotificationConfiguration",
        skip_destination_validation: "SkipDestinationValidation"
    } => PutBucketNotificationConfigurationOutput {};
    get_notification: GetBucketNotificationConfiguration, GetBucketNotificationConfigurationInput {}
        => GetBucketNotificationConfigurationOutput {
            topic_configurations: "TopicConfigurations",
            queue_configurations: "QueueConfigurations",
            lambda_function_configurations: "LambdaFunctionConfigurations",
            event_bridge_configuration: "EventBridgeConfiguration"
        };
    put_logging: PutBucketLogging, PutBucketLoggingInput { bucket_logging_status: "BucketLoggingStatus" by from_logging }
        => PutBucketLoggingOutput {};
    get_logging: GetBucketLogging, GetBucketLoggingInput {}
        => GetBucketLoggingOutput {};
    put_accelerate: PutBucketAccelerateConfiguration, PutBucketAccelerateConfigurationInput {
        accelerate_configuration: "AccelerateConfiguration"
    } => PutBucketAccelerateConfigurationOutput {};
    get_accelerate: GetBucketAccelerateConfiguration, GetBucketAccelerateConfigurationInput {}
        => GetBucketAccelerateConfigurationOutput { status: "Status" };
    put_payment: PutBucketRequestPayment, PutBucketRequestPaymentInput {
        request_payment_configuration: "RequestPaymentConfiguration"
    } => PutBucketRequestPaymentOutput {};
    get_payment: GetBucketRequestPayment, GetBucketRequestPaymentInput {}
        => GetBucketRequestPaymentOutput { payer: "Payer" };
    get_replication: GetBucketReplication, GetBucketReplicationInput {} => GetBucketReplicationOutput {};
    get_lock: GetObjectLockConfiguration, GetObjectLockConfigurationInput {}
        => GetObjectLockConfigurationOutput {};
    get_policy_status: GetBucketPolicyStatus, GetBucketPolicyStatusInput {}
        => GetBucketPolicyStatusOutput { policy_status: "PolicyStatus" by to_policy_status };
    put_acl: PutBucketAcl, PutBucketAclInput {
        acl: "ACL" by from_bucket_acl,
        access_control_policy: "AccessControlPolicy" by from_grants,
        grant_full_control: "GrantFullControl",
        grant_read: "GrantRead",
        grant_read_acp: "GrantReadACP",
        grant_write: "GrantWrite",
        grant_write_acp: "GrantWriteACP"
    } => PutBucketAclOutput {};
    get_acl: GetBucketAcl, GetBucketAclInput {} => GetBucketAclOutput { owner: "Owner" by to_owner, grants: "Grants" by to_grants };
    put_object_tagging: PutObjectTagging, PutObjectTaggingInput {
        key: "Key", version_id: "VersionId", tagging: "Tagging"
    } => PutObjectTaggingOutput { version_id: "VersionId" };
    get_object_tagging: GetObjectTagging, GetObjectTaggingInput { key: "Key", version_id: "VersionId" }
        => GetObjectTaggingOutput { tag_set: "TagSet", version_id: "VersionId" };
    delete_object_tagging: DeleteObjectTagging, DeleteObjectTaggingInput {
        key: "Key", version_id: "VersionId"
    } => DeleteObjectTaggingOutput { version_id: "VersionId" };
    put_object_acl: PutObjectAcl, PutObjectAclInput {
        key: "Key",
        version_id: "VersionId",
        acl: "ACL" by from_object_acl,
        access_control_policy: "AccessControlPolicy" by from_grants,
        grant_full_control: "GrantFullControl",
        grant_read: "GrantRead",
        grant_read_acp: "GrantReadACP",
        grant_write: "GrantWrite",
        grant_write_acp: "GrantWriteACP"
    } => PutObjectAclOutput {};
    get_object_acl: GetObjectAcl, GetObjectAclInput { key: "Key", version_id: "VersionId" }
        => GetObjectAclOutput { owner: "Owner" by to_owner, grants: "Grants" by to_grants };
}

fn from_minimum(minimum: &Option<TransitionDefaultMinimumObjectSize>) -> Option<String> {
    minimum.as_ref().map(|minimum| minimum.as_str().to_owned())
}

fn to_minimum(minimum: Option<String>) -> Option<TransitionDefaultMinimumObjectSize> {
    minimum.map(TransitionDefaultMinimumObjectSize::from)
}

fn from_ownership(controls: &OwnershipControls) -> Document {
    let rule = |rule: &OwnershipControlsRule| json!({ "object_ownership": rule.object_ownership.as_str() });
    json!({ "rules": controls.rules.iter().map(rule).collect::<Vec<_>>() })
}

fn to_ownership(controls: Document) -> Option<OwnershipControls> {
    let rules = controls["rules"].as_array()?.iter();
    let ownership = rules.filter_map(|rule| Some(rule["object_ownership"].as_str()?.to_owned()));
    let rule = |ownership| OwnershipControlsRule { object_ownership: ObjectOwnership::from(ownership) };
    Some(OwnershipControls { rules: ownership.map(rule).collect() })
}

/// What is logged is refused whatever it is.
fn from_logging(status: &BucketLoggingStatus) -> Document {
    let enabled = |enabled: &LoggingEnabled| json!({ "target_bucket": enabled.target_bucket, "target_prefix": enabled.target_prefix });
    json!({ "logging_enabled": status.logging_enabled.as_ref().map(enabled) })
}

fn to_policy_status(status: Document) -> Option<PolicyStatus> {
    Some(PolicyStatus { is_public: status["is_public"].as_bool() })
}

fn from_bucket_acl(acl: &Option<BucketCannedACL>) -> Option<String> {
    acl.as_ref().map(|acl| acl.as_str().to_owned())
}

fn from_object_acl(acl: &Option<ObjectCannedACL>) -> Option<String> {
    acl.as_ref().map(|acl| acl.as_str().to_owned())
}

fn from_grants(policy: &Option<AccessControlPolicy>) -> Option<Document> {
    let grantee = |grantee: &Grantee| {
        json!({
            "email_address": grantee.email_address,
            "id": grantee.id,
            "type_": grantee.type_.as_str(),
            "uri": grantee.uri,
        })
    };
    let grant = |grant: &Grant| {
        json!({
            "grantee": grant.grantee.as_ref().map(grantee),
            "permission": grant.permission.as_ref().map(|permission| permission.as_str()),
        })
    };
    let policy = policy.as_ref()?;
    Some(json!({ "grants": policy.grants.iter().flatten().map(grant).collect::<Vec<_>>() }))
}

fn to_owner(owner: Document) -> Option<Owner> {
    Some(Owner { id: Some(owner["id"].as_str()?.to_owned()), display_name: None })
}

fn to_grants(grants: Document) -> Option<Vec<Grant>> {
    let text = |value: &Document| value.as_str().map(str::to_owned);
    let grant = |grant: &Document| {
        let grantee = Grantee {
            display_name: None,
            email_address: None,
            id: text(&grant["grantee"]["id"]),
            type_: Type::from(text(&grant["grantee"]["type_"])?),
            uri: None,
        };
        let permission = text(&grant["permission"]).map(Permission::from);
        Some(Grant { grantee: Some(grantee), permission })
    };
    Some(grants.as_array()?.iter().filter_map(grant).collect())
}
