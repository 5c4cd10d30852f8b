//! `RemovePermission`: <https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html>

use kernel::{Result, Tx};

use crate::api::{RemovePermissionInput, RemovePermissionOutput, error};
use crate::function::check_revision;
use crate::name::FunctionRef;
use crate::{fault, policy};

/// Removes a statement; the last one takes the policy with it.
pub(crate) async fn remove_permission(
    tx: &mut Tx,
    input: RemovePermissionInput,
) -> Result<RemovePermissionOutput> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), tx.scope())?;
    let key = policy::key(tx, &wanted).await?;
    let mut present = tx.get(&key).await?.ok_or_else(fault::no_such_resource)?;
    check_revision(input.revision_id.as_deref(), present.revision_id)?;
    let before = present.statements.len();
    present.statements.retain(|statement| statement.sid != input.statement_id);
    if present.statements.len() == before {
        let message = format!("Statement {} is not found in resource policy.", input.statement_id);
        return Err(error::resource_not_found_exception(message).into());
    }
    if present.statements.is_empty() {
        tx.delete(&key);
    } else {
        present.revision_id = tx.id();
        tx.put(&key, &present)?;
    }
    Ok(RemovePermissionOutput {})
}
