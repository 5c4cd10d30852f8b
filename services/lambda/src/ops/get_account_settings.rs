//! `GetAccountSettings`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html>

use kernel::{Parts, Result, Tx};

use crate::api::{AccountLimit, AccountUsage, GetAccountSettingsInput, GetAccountSettingsOutput};
use crate::concurrency::ACCOUNT_LIMIT;
use crate::function::ALL;
use crate::keys::{FunctionKey, PackageKey};
use crate::ops::put_function_concurrency::reserved;

/// What all packages together may take, as AWS grants it, in bytes; not enforced here.
const CODE_LIMIT: i64 = 80_530_636_800;
const UNZIPPED_LIMIT: i64 = 262_144_000;
const ZIPPED_LIMIT: i64 = 52_428_800;

/// Limits and what is used of them.
pub(crate) async fn get_account_settings(
    tx: &mut Tx,
    _: GetAccountSettingsInput,
) -> Result<GetAccountSettingsOutput> {
    let functions = tx.scan::<FunctionKey>(Parts::none(), ALL).await?.len();
    let packages = tx.scan::<PackageKey>(Parts::none(), ALL).await?;
    let bytes: u64 = packages.iter().map(|(_, package)| package.bytes).sum();
    let unreserved = ACCOUNT_LIMIT - reserved(tx).await?.min(ACCOUNT_LIMIT);
    Ok(GetAccountSettingsOutput {
        account_limit: Some(AccountLimit {
            total_code_size: Some(CODE_LIMIT),
            code_size_unzipped: Some(UNZIPPED_LIMIT),
            code_size_zipped: Some(ZIPPED_LIMIT),
            concurrent_executions: i32::try_from(ACCOUNT_LIMIT).ok(),
            unreserved_concurrent_executions: i32::try_from(unreserved).ok(),
        }),
        account_usage: Some(AccountUsage {
            total_code_size: i64::try_from(bytes).ok(),
            function_count: i64::try_from(functions).ok(),
        }),
    })
}
