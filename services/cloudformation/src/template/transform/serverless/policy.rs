//! `Policies` of functions and state machines: names, documents, and AWS's templates of policies.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>

use base::Document;
use serde_json::json;

use super::Declared;
use crate::template::error::TemplateError;

/// What a role is given.
#[derive(Default)]
pub(super) struct Policies {
    /// ARNs, or functions that yield them.
    pub managed: Vec<Document>,
    /// Named documents.
    pub inline: Vec<Document>,
}

impl Policies {
    /// Those of the resource; `base` are ARNs that every such role has.
    pub(super) fn read(declared: &Declared, base: &[&str]) -> Result<Policies, TemplateError> {
        let mut policies = Policies::default();
        base.iter().for_each(|name| policies.manage(managed(name)));
        let given = match declared.get("Policies") {
            None => return Ok(policies),
            Some(Document::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
        };
        for (index, policy) in given.iter().enumerate() {
            policies.take(declared, index, policy)?;
        }
        Ok(policies)
    }

    /// One that is attached once, however often it is asked for.
    pub(super) fn manage(&mut self, arn: Document) {
        if !self.managed.contains(&arn) {
            self.managed.push(arn);
        }
    }

    fn take(&mut self, declared: &Declared, index: usize, policy: &Document) -> Result<(), TemplateError> {
        let name = |kind: &str| format!("{}{kind}Policy{index}", declared.logical_id);
        match policy {
            Document::String(text) => self.manage(managed(text)),
            Document::Object(members) if members.contains_key("Statement") => {
                self.inline.push(json!({ "PolicyName": name("Role"), "PolicyDocument": policy }));
            }
            Document::Object(members)
                if members.contains_key("Ref") || members.keys().any(|k| k.starts_with("Fn::")) =>
            {
                self.manage(policy.clone());
            }
            Document::Object(members) if members.len() == 1 => {
                for (template, parameters) in members {
                    let statement = statement(template, parameters)
                        .ok_or_else(|| declared.unsupported(&format!("the policy template {template}")))?;
                    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
                    self.inline.push(json!({ "PolicyName": name("Role"), "PolicyDocument": document }));
                }
            }
            _ => return Err(declared.invalid("Policies must be names, documents or policy templates.")),
        }
        Ok(())
    }
}

/// The policies of AWS that stand below `service-role/`.
const SERVICE_ROLES: [&str; 6] = [
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
];

/// The ARN of a managed policy; an ARN stays.
pub(super) fn managed(name: &str) -> Document {
    if name.starts_with("arn:") {
        return name.into();
    }
    let path = if SERVICE_ROLES.contains(&name) { "service-role/" } else { "" };
    json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/{path}{name}") })
}

/// A template of policies: its name, its parameter, what it allows, and on what. `*` in a resource that begins with a slash is
/// appended to the one before.
struct Template {
    name: &'static str,
    actions: &'static [&'static str],
    /// Texts for `Fn::Sub`, in which the parameters are variables.
    resources: &'static [&'static str],
}

const TABLE: &str = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}";
const INDEX: &str =
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}/index/*";
const QUEUE: &str = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${QueueName}";
const BUCKET: &str = "arn:${AWS::Partition}:s3:::${BucketName}";
const OBJECTS: &str = "arn:${AWS::Partition}:s3:::${BucketName}/*";
const KEY: &str = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${KeyId}";

const TEMPLATES: [Template; 20] = [
    Template {
        name: "AWSSecretsManagerGetSecretValuePolicy",
        actions: &["secretsmanager:GetSecretValue"],
        resources: &["${SecretArn}"],
    },
    Template { name: "CloudWatchPutMetricPolicy", actions: &["cloudwatch:PutMetricData"], resources: &["*"] },
    Template {
        name: "DynamoDBCrudPolicy",
        actions: &[
            "dynamodb:GetItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
            "dynamodb:ConditionCheckItem",
        ],
        resources: &[TABLE, INDEX],
    },
    Template {
        name: "DynamoDBReadPolicy",
        actions: &[
            "dynamodb:GetItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
        ],
        resources: &[TABLE, INDEX],
    },
    Template {
        name: "DynamoDBStreamReadPolicy",
        actions: &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        resources: &[
            "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}/stream/${StreamName}",
        ],
    },
    Template {
        name: "DynamoDBWritePolicy",
        actions: &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"],
        resources: &[TABLE, INDEX],
    },
    Template {
        name: "EventBridgePutEventsPolicy",
        actions: &["events:PutEvents"],
        resources: &[
            "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBusName}",
        ],
    },
    Template { name: "KMSDecryptPolicy", actions: &["kms:Decrypt"], resources: &[KEY] },
    Template { name: "KMSEncryptPolicy", actions: &["kms:Encrypt"], resources: &[KEY] },
    Template {
        name: "LambdaInvokePolicy",
        actions: &["lambda:InvokeFunction"],
        resources: &[
            "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${FunctionName}*",
        ],
    },
    Template {
        name: "S3CrudPolicy",
        actions: &[
            "s3:GetObject",
            "s3:ListBucket",
            "s3:GetBucketLocation",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:GetLifecycleConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:DeleteObject",
        ],
        resources: &[BUCKET, OBJECTS],
    },
    Template {
        name: "S3ReadPolicy",
        actions: &[
            "s3:GetObject",
            "s3:ListBucket",
            "s3:GetBucketLocation",
            "s3:GetObjectVersion",
            "s3:GetLifecycleConfiguration",
        ],
        resources: &[BUCKET, OBJECTS],
    },
    Template {
        name: "S3WritePolicy",
        actions: &["s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"],
        resources: &[BUCKET, OBJECTS],
    },
    Template {
        name: "SNSPublishMessagePolicy",
        actions: &["sns:Publish"],
        resources: &["arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${TopicName}"],
    },
    Template {
        name: "SQSPollerPolicy",
        actions: &[
            "sqs:ChangeMessageVisibility",
            "sqs:ChangeMessageVisibilityBatch",
            "sqs:DeleteMessage",
            "sqs:DeleteMessageBatch",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        resources: &[QUEUE],
    },
    Template { name: "SQSSendMessagePolicy", actions: &["sqs:SendMessage*"], resources: &[QUEUE] },
    Template {
        name: "SSMParameterReadPolicy",
        actions: &["ssm:GetParameters", "ssm:GetParameter", "ssm:GetParametersByPath"],
        resources: &["arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${ParameterName}"],
    },
    Template {
        name: "SSMParameterWithSlashPrefixReadPolicy",
        actions: &["ssm:GetParameters", "ssm:GetParameter", "ssm:GetParametersByPath"],
        resources: &["arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${ParameterName}"],
    },
    Template {
        name: "StepFunctionsExecutionPolicy",
        actions: &["states:StartExecution"],
        resources: &[
            "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${StateMachineName}",
        ],
    },
    Template {
        name: "VPCAccessPolicy",
        actions: &[
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DetachNetworkInterface",
        ],
        resources: &["*"],
    },
];

/// The statement of a template; `None` if there is no such template.
fn statement(name: &str, parameters: &Document) -> Option<Document> {
    let template = TEMPLATES.iter().find(|template| template.name == name)?;
    let resource = |text: &&str| match *text {
        "*" => Document::from("*"),
        text => json!({ "Fn::Sub": [text, parameters] }),
    };
    let resources: Vec<Document> = template.resources.iter().map(resource).collect();
    Some(json!({ "Effect": "Allow", "Action": template.actions, "Resource": resources }))
}
