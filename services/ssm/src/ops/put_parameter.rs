use std::collections::BTreeMap;

use base::Fault;
use kernel::{Effect, Result, Scope, Tx};
use regex::Regex;

use crate::api::{ParameterTier, ParameterType, PutParameterInput, PutParameterOutput};
use crate::keys::{Parameter, ParameterKey, Version, VersionKey};
use crate::ops::tags;
use crate::secret::{self, DEFAULT_KEY};
use crate::{event, fault, name};

/// The most bytes of a value.
const STANDARD_BYTES_MAX: usize = 4_096;
const ADVANCED_BYTES_MAX: usize = 8_192;
/// The most versions that are kept.
const VERSIONS_MAX: u64 = 100;
/// The data type of parameters that say none.
const TEXT: &str = "text";

/// A parameter's next version. A secure string is encrypted before the transaction that writes it.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
pub(crate) async fn put_parameter(effect: &Effect, input: PutParameterInput) -> Result<PutParameterOutput> {
    let caller = effect.caller();
    let here = Scope { account: caller.account.clone(), region: caller.region.clone() };
    check(&input, &here)?;
    let key = ParameterKey { name: input.name.clone() };
    let put = match input.r#type {
        Some(ParameterType::String | ParameterType::StringList) => Put { input, sealed: None },
        Some(ParameterType::SecureString) | None => {
            let before = effect.transact("LookAtParameter", look, key).await?;
            seal(effect, &here, before, input).await?
        }
    };
    effect.transact("PutParameter", put_version, put).await
}

/// A version to write.
#[derive(Clone, Debug)]
struct Put {
    input: PutParameterInput,
    /// The key and the ciphertext, of a secure string.
    sealed: Option<(String, String)>,
}

async fn look(tx: &mut Tx, key: ParameterKey) -> Result<Option<Version>> {
    Ok(tx.peek(&key).await?.map(|parameter| parameter.latest))
}

async fn seal(
    effect: &Effect,
    here: &Scope,
    before: Option<Version>,
    input: PutParameterInput,
) -> Result<Put> {
    let kind = input.r#type.or_else(|| before.as_ref().map(|before| before.kind));
    if kind != Some(ParameterType::SecureString) {
        return Ok(Put { input, sealed: None });
    }
    let before = before.and_then(|before| before.key_id);
    let key_id = input.key_id.clone().or(before).unwrap_or_else(|| DEFAULT_KEY.to_owned());
    let arn = name::arn(here, &input.name);
    let ciphertext = secret::seal(effect, &key_id, &arn, &input.value).await?;
    Ok(Put { input, sealed: Some((key_id, ciphertext)) })
}

async fn put_version(tx: &mut Tx, put: Put) -> Result<PutParameterOutput> {
    let key = ParameterKey { name: put.input.name.clone() };
    let before = tx.get(&key).await?;
    if before.is_some() && put.input.overwrite != Some(true) {
        return Err(fault::already_exists().into());
    }
    let version = next(tx, before.as_ref().map(|before| &before.latest), &put)?;
    let operation = if before.is_some() { "Update" } else { "Create" };
    let parameter = match before {
        Some(before) => follow(tx, &key, before, version.clone())?,
        None => Parameter {
            oldest: version.number,
            latest: version.clone(),
            labels: BTreeMap::new(),
            tags: tags::checked(put.input.tags.unwrap_or_default())?,
        },
    };
    tx.put(&key, &parameter)?;
    event::emit(tx, operation, &key.name, &version)?;
    Ok(PutParameterOutput { version: i64::try_from(version.number).ok(), tier: Some(version.tier) })
}

/// The version that follows `before`. What the request does not say stays as it was.
fn next(tx: &Tx, before: Option<&Version>, put: &Put) -> Result<Version, Fault> {
    let input = &put.input;
    let kind = match (input.r#type, before.map(|before| before.kind)) {
        (Some(asked), Some(present)) if asked != present => return Err(fault::type_changed()),
        (asked, present) => asked
            .or(present)
            .ok_or_else(|| Fault::validation("A parameter type is required when you create a parameter."))?,
    };
    let (key_id, value) = match (&put.sealed, kind) {
        (Some((key_id, ciphertext)), _) => (Some(key_id.clone()), ciphertext.clone()),
        // The parameter became a secure one since it was looked at; the client tries again.
        (None, ParameterType::SecureString) => {
            return Err(Fault::new("TooManyUpdates", "There are concurrent updates for a resource."));
        }
        (None, _) if input.key_id.is_some() => {
            return Err(Fault::validation("KeyId is required for SecureString type parameter only."));
        }
        (None, _) => (None, input.value.clone()),
    };
    let allowed_pattern =
        input.allowed_pattern.clone().or_else(|| before.and_then(|before| before.allowed_pattern.clone()));
    let allowed_pattern = allowed_pattern.filter(|pattern| !pattern.is_empty());
    if let Some(pattern) = &allowed_pattern {
        allow(pattern, &input.value)?;
    }
    Ok(Version {
        number: before.map_or(1, |before| before.number + 1),
        kind,
        value,
        data_type: before.map_or_else(|| TEXT.to_owned(), |before| before.data_type.clone()),
        tier: tier(input.tier, before.map(|before| before.tier), input.value.len())?,
        description: input.description.clone().or_else(|| before.and_then(|it| it.description.clone())),
        allowed_pattern,
        key_id,
        modified_at: tx.now(),
        modified_by: tx.caller().principal.clone(),
    })
}

/// Keeps the version that was the latest; beyond a hundred, the oldest goes unless a label holds it.
fn follow(tx: &mut Tx, key: &ParameterKey, before: Parameter, latest: Version) -> Result<Parameter> {
    let mut oldest = before.oldest;
    let place = |number| VersionKey { name: key.name.clone(), number };
    tx.put(&place(before.latest.number), &before.latest)?;
    if latest.number - oldest >= VERSIONS_MAX {
        if before.labels.values().any(|number| *number == oldest) {
            return Err(fault::oldest_is_labelled(&key.name, oldest).into());
        }
        tx.delete(&place(oldest));
        oldest += 1;
    }
    Ok(Parameter { latest, oldest, ..before })
}

/// The tier that the value needs, or that was asked for. A parameter never goes back to the standard tier.
fn tier(
    asked: Option<ParameterTier>,
    before: Option<ParameterTier>,
    bytes: usize,
) -> Result<ParameterTier, Fault> {
    let tier = match (asked, before) {
        (Some(ParameterTier::Standard), Some(ParameterTier::Advanced)) => {
            return Err(Fault::validation(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                 advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced \
                 parameter and recreate it as a standard parameter.",
            ));
        }
        (Some(ParameterTier::IntelligentTiering), None | Some(ParameterTier::Standard)) => {
            if bytes > STANDARD_BYTES_MAX { ParameterTier::Advanced } else { ParameterTier::Standard }
        }
        (Some(ParameterTier::IntelligentTiering), Some(_)) => ParameterTier::Advanced,
        (asked, before) => asked.or(before).unwrap_or(ParameterTier::Standard),
    };
    let (name, most) = match tier {
        ParameterTier::Standard => ("Standard", STANDARD_BYTES_MAX),
        ParameterTier::Advanced | ParameterTier::IntelligentTiering => ("Advanced", ADVANCED_BYTES_MAX),
    };
    if bytes <= most {
        return Ok(tier);
    }
    let mut message =
        format!("{name} tier parameters support a maximum parameter value of {most} characters.");
    if tier == ParameterTier::Standard {
        message.push_str(
            " To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.",
        );
    }
    Err(Fault::validation(message))
}

fn allow(pattern: &str, value: &str) -> Result<(), Fault> {
    let compiled = Regex::new(pattern).map_err(|_| {
        let message = "The request does not meet the regular expression requirement.";
        Fault::new("InvalidAllowedPatternException", message)
    })?;
    if compiled.is_match(value) {
        return Ok(());
    }
    let message = format!("Parameter value, cannot be validated against allowedPattern: {pattern}");
    Err(Fault::new("ParameterPatternMismatchException", message))
}

/// What can be refused without a look at the store.
fn check(input: &PutParameterInput, here: &Scope) -> Result<(), Fault> {
    name::check(&input.name, here)?;
    if input.policies.as_ref().is_some_and(|policies| !matches!(policies.trim(), "" | "[]" | "{}")) {
        return Err(fault::not_honoured("Policies"));
    }
    if let Some(data_type) = input.data_type.as_ref().filter(|it| !matches!(it.as_str(), "" | TEXT)) {
        return Err(fault::not_honoured(&format!("the DataType {data_type}")));
    }
    if input.overwrite == Some(true) && input.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(Fault::validation(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
             remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    if input.value.is_empty() {
        return Err(Fault::validation(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length \
             greater than or equal to 1.",
        ));
    }
    if input.r#type != Some(ParameterType::SecureString) && input.value.contains("{{") {
        return Err(Fault::validation(
            "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.",
        ));
    }
    let empty_item = || input.value.split(',').any(str::is_empty);
    if input.r#type == Some(ParameterType::StringList) && empty_item() {
        return Err(Fault::validation("A StringList has values between its commas."));
    }
    Ok(())
}
