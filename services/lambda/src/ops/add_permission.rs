//! `AddPermission`: <https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>

use kernel::{Result, Tx};

use crate::api::{AddPermissionInput, AddPermissionOutput};
use crate::function::check_revision;
use crate::keys::Policy;
use crate::name::FunctionRef;
use crate::policy;

/// Adds a statement to the policy of a function, a version or an alias.
pub(crate) async fn add_permission(tx: &mut Tx, input: AddPermissionInput) -> Result<AddPermissionOutput> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), tx.scope())?;
    let key = policy::key(tx, &wanted).await?;
    let present = tx.get(&key).await?;
    if let Some(present) = &present {
        check_revision(input.revision_id.as_deref(), present.revision_id)?;
    }
    let mut policy = present.unwrap_or_else(|| Policy { statements: Vec::new(), revision_id: tx.id() });
    let statement = policy::statement(&input, &wanted.arn(tx.scope()))?;
    let json = statement.json.clone();
    policy.add(statement)?;
    policy.revision_id = tx.id();
    tx.put(&key, &policy)?;
    Ok(AddPermissionOutput { statement: Some(json) })
}
