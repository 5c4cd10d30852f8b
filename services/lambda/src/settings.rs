//! What a caller asks of a function: taken over where it is honoured, refused by name where it is not.

use std::collections::BTreeMap;

use base::{Arn, Fault};
use kernel::{Result, Tx};

use crate::api::{
    ApplicationLogLevel, Architecture, CreateFunctionInput, DeadLetterConfig, Environment, EphemeralStorage,
    LogFormat, LoggingConfig, PackageType, SnapStart, SnapStartApplyOn, SystemLogLevel, TracingConfig,
    TracingMode, UpdateFunctionConfigurationInput, VpcConfig,
};
use crate::fault;
use crate::keys::{JsonLogs, LayerKey, LayerUse, PackageUse, Version};

/// The size of all environment variables together, in bytes.
const ENVIRONMENT_LIMIT: usize = 4096;

/// The largest values of a function that runs on no capacity of the caller's own: the model's are those of functions that do.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const TIMEOUT_S_MAX: i32 = 900;
const MEMORY_MB_MAX: i32 = 10_240;
const EPHEMERAL_MB_MAX: i32 = 10_240;

/// The most layers of a function.
const LAYERS_MAX: usize = 5;

/// Variables that only Lambda sets.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// A new function's `$LATEST`, its package stored already.
pub(crate) async fn created(
    tx: &mut Tx,
    input: &CreateFunctionInput,
    package: PackageUse,
) -> Result<Version> {
    refuse_unsupported(&[
        ("VpcConfig", has_vpc(input.vpc_config.as_ref())),
        ("PackageType Image", input.package_type == Some(PackageType::Image)),
        ("ImageConfig", input.image_config.is_some()),
        ("KMSKeyArn", is_text(input.kms_key_arn.as_deref())),
        ("FileSystemConfigs", is_list(input.file_system_configs.as_deref())),
        ("CodeSigningConfigArn", input.code_signing_config_arn.is_some()),
        ("SnapStart", is_snap_start(input.snap_start.as_ref())),
        ("TenancyConfig", input.tenancy_config.is_some()),
        ("CapacityProviderConfig", input.capacity_provider_config.is_some()),
        ("DurableConfig", input.durable_config.is_some()),
        ("RuntimeConfig", input.runtime_config.is_some()),
        ("AcceleratorConfig", input.accelerator_config.is_some()),
        ("PublishTo", input.publish_to.is_some()),
    ])?;
    sizes(input.timeout, input.memory_size, input.ephemeral_storage.as_ref())?;
    let (Some(runtime), Some(handler)) = (input.runtime, input.handler.clone()) else {
        let message =
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.";
        return Err(fault::invalid(message).into());
    };
    Ok(Version {
        runtime,
        role: input.role.clone(),
        handler,
        description: input.description.clone().unwrap_or_default(),
        timeout_s: number(input.timeout, 3),
        memory_mb: number(input.memory_size, 128),
        ephemeral_mb: number(input.ephemeral_storage.as_ref().map(|storage| storage.size), 512),
        environment: environment(input.environment.as_ref())?,
        layers: layers(tx, input.layers.as_deref().unwrap_or_default()).await?,
        architecture: architecture(input.architectures.as_deref())?,
        dead_letter: dead_letter(tx, input.dead_letter_config.as_ref())?,
        tracing: tracing(input.tracing_config.as_ref()),
        log_group: input.logging_config.as_ref().and_then(|config| config.log_group.clone()),
        json_logs: json_logs(input.logging_config.as_ref())?,
        package,
        last_modified: tx.now(),
        revision_id: tx.id(),
    })
}

/// `$LATEST` with the changes that the caller asks for.
pub(crate) async fn updated(
    tx: &mut Tx,
    input: &UpdateFunctionConfigurationInput,
    mut version: Version,
) -> Result<Version> {
    refuse_unsupported(&[
        ("VpcConfig", has_vpc(input.vpc_config.as_ref())),
        ("ImageConfig", input.image_config.is_some()),
        ("KMSKeyArn", is_text(input.kms_key_arn.as_deref())),
        ("FileSystemConfigs", is_list(input.file_system_configs.as_deref())),
        ("SnapStart", is_snap_start(input.snap_start.as_ref())),
        ("CapacityProviderConfig", input.capacity_provider_config.is_some()),
        ("DurableConfig", input.durable_config.is_some()),
        ("RuntimeConfig", input.runtime_config.is_some()),
        ("AcceleratorConfig", input.accelerator_config.is_some()),
    ])?;
    sizes(input.timeout, input.memory_size, input.ephemeral_storage.as_ref())?;
    version.runtime = input.runtime.unwrap_or(version.runtime);
    replace(&mut version.role, input.role.as_ref());
    replace(&mut version.handler, input.handler.as_ref());
    replace(&mut version.description, input.description.as_ref());
    version.timeout_s = number(input.timeout, version.timeout_s);
    version.memory_mb = number(input.memory_size, version.memory_mb);
    let storage = input.ephemeral_storage.as_ref().map(|storage| storage.size);
    version.ephemeral_mb = number(storage, version.ephemeral_mb);
    if input.environment.is_some() {
        version.environment = environment(input.environment.as_ref())?;
    }
    if let Some(arns) = &input.layers {
        version.layers = layers(tx, arns).await?;
    }
    if input.dead_letter_config.is_some() {
        version.dead_letter = dead_letter(tx, input.dead_letter_config.as_ref())?;
    }
    if input.tracing_config.is_some() {
        version.tracing = tracing(input.tracing_config.as_ref());
    }
    if let Some(config) = &input.logging_config {
        version.log_group.clone_from(&config.log_group);
        version.json_logs = json_logs(Some(config))?;
    }
    version.last_modified = tx.now();
    version.revision_id = tx.id();
    Ok(version)
}

fn sizes(
    timeout: Option<i32>,
    memory_size: Option<i32>,
    storage: Option<&EphemeralStorage>,
) -> Result<(), Fault> {
    let over: Vec<String> = [
        ("timeout", timeout, TIMEOUT_S_MAX),
        ("memorySize", memory_size, MEMORY_MB_MAX),
        ("ephemeralStorage.size", storage.map(|storage| storage.size), EPHEMERAL_MB_MAX),
    ]
    .into_iter()
    .filter_map(|(member, value, most)| {
        let value = value.filter(|value| *value > most)?;
        Some(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: Member must have value less than or equal to {most}"
        ))
    })
    .collect();
    match over.len() {
        0 => Ok(()),
        1 => Err(Fault::validation(format!("1 validation error detected: {}", over[0]))),
        many => Err(Fault::validation(format!("{many} validation errors detected: {}", over.join("; ")))),
    }
}

/// The one architecture of a function.
pub(crate) fn architecture(wanted: Option<&[Architecture]>) -> Result<Architecture, Fault> {
    match wanted {
        None | Some([]) => Ok(Architecture::X8664),
        Some([one]) => Ok(*one),
        Some(_) => Err(fault::invalid("Architectures must have one value: x86_64 or arm64.")),
    }
}

fn refuse_unsupported(asked: &[(&str, bool)]) -> Result<(), Fault> {
    match asked.iter().find(|(_, asked)| *asked) {
        Some((property, _)) => Err(fault::unsupported(property)),
        None => Ok(()),
    }
}

fn has_vpc(config: Option<&VpcConfig>) -> bool {
    config.is_some_and(|vpc| is_list(vpc.subnet_ids.as_deref()) || is_list(vpc.security_group_ids.as_deref()))
}

fn is_list<T>(list: Option<&[T]>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

fn is_text(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

fn is_snap_start(config: Option<&SnapStart>) -> bool {
    config.is_some_and(|snap| snap.apply_on.is_some_and(|on| on != SnapStartApplyOn::None))
}

fn number(wanted: Option<i32>, otherwise: u32) -> u32 {
    wanted.and_then(|number| u32::try_from(number).ok()).unwrap_or(otherwise)
}

fn replace(text: &mut String, by: Option<&String>) {
    if let Some(by) = by {
        text.clone_from(by);
    }
}

fn tracing(config: Option<&TracingConfig>) -> TracingMode {
    config.and_then(|config| config.mode).unwrap_or(TracingMode::PassThrough)
}

/// The levels of JSON logs; lines of text have none.
fn json_logs(config: Option<&LoggingConfig>) -> Result<Option<JsonLogs>, Fault> {
    let Some(config) = config else { return Ok(None) };
    if config.log_format == Some(LogFormat::Json) {
        return Ok(Some(JsonLogs {
            application_level: config.application_log_level.unwrap_or(ApplicationLogLevel::Info),
            system_level: config.system_log_level.unwrap_or(SystemLogLevel::Info),
        }));
    }
    if config.application_log_level.is_some() || config.system_log_level.is_some() {
        let message = "ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON.";
        return Err(fault::invalid(message));
    }
    Ok(None)
}

fn environment(wanted: Option<&Environment>) -> Result<BTreeMap<String, String>, Fault> {
    let variables = wanted.and_then(|environment| environment.variables.clone()).unwrap_or_default();
    let refused: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !refused.is_empty() {
        let message = format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            refused.join(", ")
        );
        return Err(fault::invalid(message));
    }
    let measured = serde_json::to_string(&variables).unwrap_or_default();
    if measured.len() > ENVIRONMENT_LIMIT {
        let message = format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {measured}"
        );
        return Err(fault::invalid(message));
    }
    Ok(variables)
}

/// A queue or topic that this platform can deliver to.
fn dead_letter(tx: &Tx, config: Option<&DeadLetterConfig>) -> Result<Option<String>, Fault> {
    let Some(arn) = config.and_then(|config| config.target_arn.clone()).filter(|arn| !arn.is_empty()) else {
        return Ok(None);
    };
    let parsed: Arn =
        arn.parse().map_err(|_| fault::invalid(format!("The provided target ARN {arn} is not valid.")))?;
    match matches!(parsed.service.as_str(), "sqs" | "sns") && tx.targets().find(&parsed).is_some() {
        true => Ok(Some(arn)),
        false => Err(fault::unsupported(&format!("The DeadLetterConfig target {arn}"))),
    }
}

async fn layers(tx: &mut Tx, arns: &[String]) -> Result<Vec<LayerUse>> {
    if arns.len() > LAYERS_MAX {
        return Err(fault::invalid("Cannot reference more than 5 layers.").into());
    }
    let mut used: Vec<LayerUse> = Vec::with_capacity(arns.len());
    let mut names = BTreeMap::new();
    for arn in arns {
        let missing = || fault::invalid(format!("Layer version {arn} does not exist."));
        let key = layer_key(tx, arn).ok_or_else(missing)?;
        if let Some(other) = names.insert(key.name.clone(), arn) {
            let why = format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. \
                 {other} and {arn} are versions of the same layer."
            );
            return Err(fault::invalid(why).into());
        }
        let layer = tx.get(&key).await?.ok_or_else(missing)?;
        used.push(LayerUse { arn: arn.clone(), package: layer.package });
    }
    Ok(used)
}

/// The layer version of an ARN `arn:aws:lambda:region:account:layer:name:number` of this account and region.
pub(crate) fn layer_key(tx: &Tx, arn: &str) -> Option<LayerKey> {
    let parsed: Arn = arn.parse().ok()?;
    let here = parsed.account == tx.scope().account.as_str() && parsed.region == tx.scope().region.as_str();
    let (name, number) = parsed.resource_after("layer").filter(|_| here)?.split_once(':')?;
    Some(LayerKey { name: name.to_owned(), number: number.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Option<Environment> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Some(Environment { variables: Some(pairs.collect()) })
    }

    #[test]
    fn reserved_and_oversized_environments_are_refused() {
        assert_eq!(environment(variables(&[("A", "b")]).as_ref()).unwrap()["A"], "b");
        let fault = environment(variables(&[("AWS_REGION", "x"), ("Z", "")]).as_ref()).unwrap_err();
        assert!(fault.message.ends_with("used in this request: AWS_REGION"), "{fault}");
        let large = "x".repeat(4096);
        let fault = environment(variables(&[("A", &large)]).as_ref()).unwrap_err();
        assert!(fault.message.contains("exceeded the 4KB limit"), "{fault}");
    }

    #[test]
    fn what_is_not_honoured_is_refused_by_name() {
        let vpc = VpcConfig { subnet_ids: Some(vec!["s".into()]), ..VpcConfig::default() };
        assert!(has_vpc(Some(&vpc)) && !has_vpc(Some(&VpcConfig::default())));
    }

    #[test]
    fn levels_are_those_of_json_logs() {
        let json = LoggingConfig { log_format: Some(LogFormat::Json), ..LoggingConfig::default() };
        let info =
            JsonLogs { application_level: ApplicationLogLevel::Info, system_level: SystemLogLevel::Info };
        assert_eq!(json_logs(Some(&json)).unwrap(), Some(info));
        let level = Some(ApplicationLogLevel::Fatal);
        let text = LoggingConfig { application_log_level: level, ..LoggingConfig::default() };
        let fault = json_logs(Some(&text)).unwrap_err();
        assert_eq!(fault.code, "InvalidParameterValueException");
    }
}
