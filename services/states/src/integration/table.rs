//! The optimised integrations that are served: which call each is, and the parameters that AWS lets through.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html>

use asl::Pattern;
use serde_json::{Map, Value};

use super::Refused;
use super::cased::{is_missing, is_unknown};

/// An optimised integration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Integration {
    pub service: &'static str,
    pub action: &'static str,
    /// The service's name for the router.
    pub signing: &'static str,
    pub operation: &'static str,
    pub patterns: &'static [Pattern],
    /// What precedes the dot in its errors.
    pub error_prefix: &'static str,
    /// The name of its errors that the API does not model.
    pub error_generic: &'static str,
    /// Its name in causes.
    pub client: &'static str,
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
    /// Parameters that are text in the call and may be any JSON in the state.
    pub stringified: &'static [&'static str],
}

const CALL: &[Pattern] = &[Pattern::RequestResponse];
const CALL_OR_TOKEN: &[Pattern] = &[Pattern::RequestResponse, Pattern::WaitForTaskToken];

const DYNAMODB: Integration = Integration {
    service: "dynamodb",
    action: "",
    signing: "dynamodb",
    operation: "",
    patterns: CALL,
    error_prefix: "DynamoDB",
    error_generic: "AmazonDynamoDBException",
    client: "AmazonDynamoDBv2",
    required: &["TableName", "Key"],
    optional: &[],
    stringified: &[],
};

/// All of them.
pub(super) const OPTIMISED: &[Integration] = &[
    Integration {
        service: "lambda",
        action: "invoke",
        signing: "lambda",
        operation: "Invoke",
        patterns: CALL_OR_TOKEN,
        error_prefix: "Lambda",
        error_generic: "AWSLambdaException",
        client: "AWSLambda",
        required: &["FunctionName"],
        optional: &["Payload", "InvocationType", "Qualifier", "ClientContext"],
        stringified: &[],
    },
    Integration {
        service: "sqs",
        action: "sendMessage",
        signing: "sqs",
        operation: "SendMessage",
        patterns: CALL_OR_TOKEN,
        error_prefix: "SQS",
        error_generic: "AmazonSQSException",
        client: "AmazonSQS",
        required: &["QueueUrl", "MessageBody"],
        optional: &["DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId"],
        stringified: &["MessageBody"],
    },
    Integration {
        service: "sns",
        action: "publish",
        signing: "sns",
        operation: "Publish",
        patterns: CALL_OR_TOKEN,
        error_prefix: "SNS",
        error_generic: "AmazonSNSException",
        client: "AmazonSNS",
        required: &["Message"],
        optional: &[
            "TopicArn",
            "TargetArn",
            "PhoneNumber",
            "Subject",
            "MessageAttributes",
            "MessageStructure",
            "MessageDeduplicationId",
            "MessageGroupId",
        ],
        stringified: &["Message"],
    },
    Integration {
        service: "events",
        action: "putEvents",
        signing: "events",
        operation: "PutEvents",
        patterns: CALL_OR_TOKEN,
        error_prefix: "EventBridge",
        error_generic: "AmazonEventBridgeException",
        client: "AmazonEventBridge",
        required: &["Entries"],
        optional: &[],
        stringified: &[],
    },
    Integration {
        action: "getItem",
        operation: "GetItem",
        optional: &[
            "AttributesToGet",
            "ConsistentRead",
            "ExpressionAttributeNames",
            "ProjectionExpression",
            "ReturnConsumedCapacity",
        ],
        ..DYNAMODB
    },
    Integration {
        action: "putItem",
        operation: "PutItem",
        required: &["TableName", "Item"],
        optional: &[
            "ConditionalOperator",
            "ConditionExpression",
            "Expected",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
            "ReturnValues",
        ],
        ..DYNAMODB
    },
    Integration {
        action: "updateItem",
        operation: "UpdateItem",
        optional: &[
            "AttributeUpdates",
            "ConditionalOperator",
            "ConditionExpression",
            "Expected",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
            "ReturnValues",
            "UpdateExpression",
        ],
        ..DYNAMODB
    },
    Integration {
        action: "deleteItem",
        operation: "DeleteItem",
        optional: &[
            "ConditionalOperator",
            "ConditionExpression",
            "Expected",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
            "ReturnValues",
        ],
        ..DYNAMODB
    },
    Integration {
        service: "states",
        action: "startExecution",
        signing: "states",
        operation: "StartExecution",
        patterns: &[Pattern::RequestResponse, Pattern::Sync, Pattern::Sync2, Pattern::WaitForTaskToken],
        error_prefix: "StepFunctions",
        error_generic: "AWSStepFunctionsException",
        client: "AWSStepFunctions",
        required: &["StateMachineArn"],
        optional: &["Input", "Name", "TraceHeader"],
        stringified: &["Input"],
    },
];

/// The integration of that name, if it is served.
pub(super) fn optimised(service: &str, action: &str) -> Option<&'static Integration> {
    OPTIMISED.iter().find(|known| known.service == service && known.action == action)
}

impl Integration {
    /// The parameters, if all that are needed are there and nothing else is.
    pub(super) fn members(&self, parameters: &Value) -> Result<Map<String, Value>, Refused> {
        let Value::Object(members) = parameters else {
            return Err(Refused::parameters(parameters, "The parameters must be an object"));
        };
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        match self.names_that_do_not_fit(&names).first() {
            Some(why) => Err(Refused::parameters(parameters, why)),
            None => Ok(members.clone()),
        }
    }

    /// What is wrong with the names of its parameters, each problem in AWS's words.
    pub(super) fn names_that_do_not_fit(&self, names: &[&str]) -> Vec<String> {
        let missing = self.required.iter().filter(|name| !names.contains(name));
        let known = |name: &&&str| self.required.contains(name) || self.optional.contains(name);
        let unknown = names.iter().filter(|name| !known(name));
        missing.map(|name| is_missing(name)).chain(unknown.map(|name| is_unknown(name))).collect()
    }
}
