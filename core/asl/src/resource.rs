//! The `Resource` of a Task state, read once.

/// How an integration answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Pattern {
    /// The answer of the call is the result.
    RequestResponse,
    /// `.sync`: wait for the job to end; nested executions' output stays text.
    Sync,
    /// `.sync:2`: wait for the job to end; nested executions' output is parsed.
    Sync2,
    /// `.waitForTaskToken`: wait for `SendTaskSuccess` or `SendTaskFailure`.
    WaitForTaskToken,
}

impl Pattern {
    fn suffix(self) -> &'static str {
        match self {
            Self::RequestResponse => "",
            Self::Sync => ".sync",
            Self::Sync2 => ".sync:2",
            Self::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

/// Who does the work of a Task state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Resource {
    /// A function's ARN, perhaps with version or alias: the state's input is the payload, the payload is the result.
    LambdaArn(String),
    /// An activity's ARN: a worker polls for the task.
    Activity(String),
    /// An optimised integration (`arn:aws:states:::lambda:invoke`): AWS shapes the call.
    Integration {
        /// The service as written, for example `lambda` or `states`.
        service: String,
        /// The action in camel case, for example `invoke`.
        action: String,
        /// How it answers.
        pattern: Pattern,
    },
    /// An SDK integration (`arn:aws:states:::aws-sdk:dynamodb:getItem`): the parameters are the API's own.
    AwsSdk {
        /// The service in the SDK's spelling, for example `dynamodb` or `eventbridge`.
        service: String,
        /// The API action in camel case, for example `getItem`.
        action: String,
        /// `RequestResponse` or `WaitForTaskToken`.
        pattern: Pattern,
    },
}

/// Why a `Resource` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadResource {
    /// Not the ARN of a function, an activity or an integration.
    Shape,
    /// An integration that does not exist, or not with this pattern.
    Unknown,
}

const RR: u8 = 1;
const SYNC: u8 = 2;
const SYNC2: u8 = 4;
const TOKEN: u8 = 8;

/// The optimised integrations and their patterns.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html>, as of November 2026.
const OPTIMISED: &[(&str, &str, u8)] = &[
    ("apigateway", "invoke", RR | TOKEN),
    ("athena", "getQueryExecution", RR),
    ("athena", "getQueryResults", RR),
    ("athena", "startQueryExecution", RR | SYNC),
    ("athena", "stopQueryExecution", RR),
    ("batch", "submitJob", RR | SYNC | TOKEN),
    ("bedrock", "createModelCustomizationJob", RR | SYNC),
    ("bedrock", "invokeModel", RR | TOKEN),
    ("codebuild", "batchDeleteBuilds", RR),
    ("codebuild", "batchGetReports", RR),
    ("codebuild", "startBuild", RR | SYNC),
    ("codebuild", "startBuildBatch", RR | SYNC),
    ("codebuild", "stopBuild", RR),
    ("codebuild", "stopBuildBatch", RR),
    ("databrew", "startJobRun", RR | SYNC),
    ("dynamodb", "deleteItem", RR),
    ("dynamodb", "getItem", RR),
    ("dynamodb", "putItem", RR),
    ("dynamodb", "updateItem", RR),
    ("ecs", "runTask", RR | SYNC | TOKEN),
    ("eks", "call", RR),
    ("eks", "createCluster", RR | SYNC),
    ("eks", "createFargateProfile", RR | SYNC),
    ("eks", "createNodegroup", RR | SYNC),
    ("eks", "deleteCluster", RR | SYNC),
    ("eks", "deleteFargateProfile", RR | SYNC),
    ("eks", "deleteNodegroup", RR | SYNC),
    ("eks", "runJob", RR | SYNC | TOKEN),
    ("elasticmapreduce", "addStep", RR | SYNC),
    ("elasticmapreduce", "cancelStep", RR),
    ("elasticmapreduce", "createCluster", RR | SYNC),
    ("elasticmapreduce", "modifyInstanceFleetByName", RR),
    ("elasticmapreduce", "modifyInstanceGroupByName", RR),
    ("elasticmapreduce", "setClusterTerminationProtection", RR),
    ("elasticmapreduce", "terminateCluster", RR | SYNC),
    ("emr-containers", "createVirtualCluster", RR | SYNC),
    ("emr-containers", "deleteVirtualCluster", RR | SYNC),
    ("emr-containers", "startJobRun", RR | SYNC),
    ("emr-serverless", "createApplication", RR | SYNC),
    ("emr-serverless", "deleteApplication", RR | SYNC),
    ("emr-serverless", "startApplication", RR | SYNC),
    ("emr-serverless", "startJobRun", RR | SYNC),
    ("emr-serverless", "stopApplication", RR | SYNC),
    ("events", "putEvents", RR | TOKEN),
    ("glue", "startJobRun", RR | SYNC),
    ("http", "invoke", RR),
    ("lambda", "invoke", RR | TOKEN),
    ("mediaconvert", "createJob", RR | SYNC),
    ("sagemaker", "createEndpoint", RR),
    ("sagemaker", "createEndpointConfig", RR),
    ("sagemaker", "createHyperParameterTuningJob", RR | SYNC),
    ("sagemaker", "createLabelingJob", RR | SYNC),
    ("sagemaker", "createModel", RR),
    ("sagemaker", "createProcessingJob", RR | SYNC),
    ("sagemaker", "createTrainingJob", RR | SYNC),
    ("sagemaker", "createTransformJob", RR | SYNC),
    ("sagemaker", "updateEndpoint", RR),
    ("sns", "publish", RR | TOKEN),
    ("sqs", "sendMessage", RR | TOKEN),
    ("states", "startExecution", RR | SYNC | SYNC2 | TOKEN),
];

impl Resource {
    pub(crate) fn parse(text: &str) -> Result<Self, BadResource> {
        let parts: Vec<&str> = text.split(':').collect();
        let [arn, partition, service, region, account, rest @ ..] = parts.as_slice() else {
            return Err(BadResource::Shape);
        };
        if *arn != "arn" || !partition.starts_with("aws") || rest.iter().any(|part| part.is_empty()) {
            return Err(BadResource::Shape);
        }
        match (*service, region.is_empty() && account.is_empty(), rest) {
            ("lambda", false, ["function", name] | ["function", name, _]) if is_name(name) => {
                Ok(Self::LambdaArn(text.to_owned()))
            }
            ("states", false, ["activity", name]) if is_name(name) => Ok(Self::Activity(text.to_owned())),
            ("states", true, ["aws-sdk", service, action @ ..]) => sdk(service, &action.join(":")),
            ("states", true, [service, action @ ..]) if !action.is_empty() => {
                optimised(service, &action.join(":"))
            }
            _ => Err(BadResource::Shape),
        }
    }

    /// `resourceType` in history: `lambda`, `aws-sdk:dynamodb`, `activity`.
    pub fn resource_type(&self) -> String {
        match self {
            Self::LambdaArn(_) => "lambda".to_owned(),
            Self::Activity(_) => "activity".to_owned(),
            Self::Integration { service, .. } => service.clone(),
            Self::AwsSdk { service, .. } => format!("aws-sdk:{service}"),
        }
    }

    /// `resource` in history: the ARN, or the action with its pattern, for example `startExecution.sync:2`.
    pub fn resource_name(&self) -> String {
        match self {
            Self::LambdaArn(arn) | Self::Activity(arn) => arn.clone(),
            Self::Integration { action, pattern, .. } | Self::AwsSdk { action, pattern, .. } => {
                format!("{action}{}", pattern.suffix())
            }
        }
    }

    /// The pattern; functions and activities answer by themselves.
    pub fn pattern(&self) -> Pattern {
        match self {
            Self::LambdaArn(_) | Self::Activity(_) => Pattern::RequestResponse,
            Self::Integration { pattern, .. } | Self::AwsSdk { pattern, .. } => *pattern,
        }
    }

    /// Does the task carry a token?
    pub(crate) fn has_token(&self) -> bool {
        matches!(self, Self::Activity(_)) || self.pattern() == Pattern::WaitForTaskToken
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'$'))
}

fn split_pattern(action: &str) -> Result<(&str, Pattern), BadResource> {
    match action.split_once('.') {
        None => Ok((action, Pattern::RequestResponse)),
        Some((action, "sync")) => Ok((action, Pattern::Sync)),
        Some((action, "sync:2")) => Ok((action, Pattern::Sync2)),
        Some((action, "waitForTaskToken")) => Ok((action, Pattern::WaitForTaskToken)),
        Some(_) => Err(BadResource::Unknown),
    }
}

fn optimised(service: &str, action: &str) -> Result<Resource, BadResource> {
    let (action, pattern) = split_pattern(action)?;
    let flag = match pattern {
        Pattern::RequestResponse => RR,
        Pattern::Sync => SYNC,
        Pattern::Sync2 => SYNC2,
        Pattern::WaitForTaskToken => TOKEN,
    };
    let known = OPTIMISED.iter().any(|(s, a, flags)| *s == service && *a == action && flags & flag != 0);
    if !known {
        return Err(BadResource::Unknown);
    }
    Ok(Resource::Integration { service: service.to_owned(), action: action.to_owned(), pattern })
}

fn sdk(service: &str, action: &str) -> Result<Resource, BadResource> {
    let (action, pattern) = split_pattern(action)?;
    let camel = action.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    let service_ok =
        !service.is_empty() && service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let waits = matches!(pattern, Pattern::RequestResponse | Pattern::WaitForTaskToken);
    if !(camel && plain(action) && service_ok && waits) {
        return Err(BadResource::Unknown);
    }
    Ok(Resource::AwsSdk { service: service.to_owned(), action: action.to_owned(), pattern })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arn: &str, expected: &str) {
        let shown = match Resource::parse(arn) {
            Ok(resource) => format!("{} {}", resource.resource_type(), resource.resource_name()),
            Err(bad) => format!("{bad:?}"),
        };
        assert_eq!(shown, expected, "{arn}");
    }

    #[test]
    fn arns() {
        check("arn:aws:states:::lambda:invoke", "lambda invoke");
        check("arn:aws:states:::lambda:invoke.waitForTaskToken", "lambda invoke.waitForTaskToken");
        check("arn:aws:states:::states:startExecution.sync:2", "states startExecution.sync:2");
        check("arn:aws:states:::aws-sdk:eventbridge:putEvents", "aws-sdk:eventbridge putEvents");
        check(
            "arn:aws:states:us-east-1:123456789012:activity:a",
            "activity arn:aws:states:us-east-1:123456789012:activity:a",
        );
        let function = "arn:aws:lambda:us-east-1:123456789012:function:f:live";
        check(function, &format!("lambda {function}"));
        check("arn:aws:states:::sqs:sendMessage.sync", "Unknown");
        check("arn:aws:states:::sqs:receiveMessage", "Unknown");
        check("arn:aws:states:::aws-sdk:sqs:SendMessage", "Unknown");
        check("arn:aws:states:::aws-sdk:sqs:sendMessage.sync", "Unknown");
        check("arn:aws:states:::aws-sdk:sqs", "Unknown");
        for bad in [
            "",
            "lambda",
            "arn:aws:lambda",
            "arn:aws:lambda:::function:f",
            "arn:aws:s3:::bucket",
            "arn:aws:states:::",
        ] {
            check(bad, "Shape");
        }
    }
}
