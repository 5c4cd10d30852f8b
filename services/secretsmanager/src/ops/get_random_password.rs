use kernel::{Result, Tx};

use crate::api::{GetRandomPasswordInput, GetRandomPasswordOutput};
use crate::password::password;

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>
pub(crate) async fn get_random_password(
    tx: &mut Tx,
    input: GetRandomPasswordInput,
) -> Result<GetRandomPasswordOutput> {
    let random_password = Some(password(&input, || tx.random())?);
    Ok(GetRandomPasswordOutput { random_password })
}
