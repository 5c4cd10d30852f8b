//! `GetFunction`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>

use kernel::{Result, Tx};

use crate::api::{Concurrency, FunctionCodeLocation, GetFunctionInput, GetFunctionOutput};
use crate::download;
use crate::function;
use crate::name::FunctionRef;
use crate::ops::get_function_configuration::shown;

/// Configuration, tags, reserved concurrency, and where the code can be downloaded.
pub(crate) async fn get_function(tx: &mut Tx, input: GetFunctionInput) -> Result<GetFunctionOutput> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), tx.scope())?;
    let found = function::find(tx, &wanted, u64::MAX).await?;
    let configuration = shown(tx, &wanted, &found);
    let location = download::location(tx, &found.version.package)?;
    let reserved = found.function.reserved.and_then(|reserved| i32::try_from(reserved).ok());
    let tags = found.function.tags;
    Ok(GetFunctionOutput {
        configuration: Some(configuration),
        code: Some(FunctionCodeLocation {
            repository_type: Some("S3".to_owned()),
            location: Some(location),
            ..FunctionCodeLocation::default()
        }),
        tags: (!tags.is_empty()).then_some(tags),
        tags_error: None,
        concurrency: reserved.map(|reserved| Concurrency { reserved_concurrent_executions: Some(reserved) }),
    })
}
