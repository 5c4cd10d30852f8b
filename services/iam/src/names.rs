//! Names that are taken. Within the account, two of a kind differ by more than the case of their letters.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names>

use kernel::{Result, Tx};

use crate::keys::NameKey;

/// What has names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named {
    Role,
    User,
    Group,
    Policy,
}

/// Takes the name; `false` if it is taken.
pub(crate) async fn take(tx: &mut Tx, kind: Named, name: &str) -> Result<bool> {
    let key = key(kind, name);
    let is_free = tx.get(&key).await?.is_none();
    if is_free {
        tx.put(&key, &())?;
    }
    Ok(is_free)
}

/// Gives the name free.
pub(crate) fn release(tx: &mut Tx, kind: Named, name: &str) {
    tx.delete(&key(kind, name));
}

fn key(kind: Named, name: &str) -> NameKey {
    NameKey { kind: format!("{kind:?}"), folded: name.to_lowercase() }
}
