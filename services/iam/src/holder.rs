//! What roles, users and groups have in common: a name, inline policies and attached ones.

use std::collections::{BTreeMap, BTreeSet};

use base::Fault;
use kernel::{Key, Result, Tx};

use crate::keys::{Group, GroupKey, Role, RoleKey, User, UserKey};
use crate::{enter_global, fault};

/// The beginning of the paths of roles that belong to AWS's services.
pub(crate) const SERVICE_LINKED: &str = "/aws-service-role/";

/// The key of something that policies are given to.
pub(crate) trait Holder: Key {
    /// What it is called in messages.
    const KIND: &'static str;
    /// The most characters of its inline policies together, white space aside.
    const INLINE_MAX: usize;
    /// The quota of attached policies, by AWS's name.
    const ATTACHED_QUOTA: &'static str;

    /// The key of that name.
    fn named(name: String) -> Self;
    /// The name.
    fn name(&self) -> &str;
    /// The inline policies, by name.
    fn inline(value: &mut Self::Value) -> &mut BTreeMap<String, String>;
    /// The ARNs of the attached policies.
    fn attached(value: &mut Self::Value) -> &mut BTreeSet<String>;
    /// Refuses what only AWS changes.
    fn changeable(&self, _: &Self::Value) -> Result<(), Fault> {
        Ok(())
    }
}

/// What has that name, guarded.
///
/// # Errors
/// `NoSuchEntity`.
pub(crate) async fn find<H: Holder>(tx: &mut Tx, name: String) -> Result<(H, H::Value)> {
    enter_global(tx);
    let key = H::named(name);
    match tx.get(&key).await? {
        Some(value) => Ok((key, value)),
        None => Err(fault::no_such_holder(H::KIND, key.name()).into()),
    }
}

/// What has that name, to be changed.
///
/// # Errors
/// `NoSuchEntity`; `UnmodifiableEntity` if only AWS changes it.
pub(crate) async fn find_to_change<H: Holder>(tx: &mut Tx, name: String) -> Result<(H, H::Value)> {
    let (key, value) = find::<H>(tx, name).await?;
    key.changeable(&value)?;
    Ok((key, value))
}

/// Refuses the deletion of what has policies.
pub(crate) fn has_no_policies<H: Holder>(value: &mut H::Value) -> Result<(), Fault> {
    if !H::attached(value).is_empty() {
        return Err(fault::delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !H::inline(value).is_empty() {
        return Err(fault::delete_conflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}

impl Holder for RoleKey {
    const KIND: &'static str = "role";
    const INLINE_MAX: usize = 10_240;
    const ATTACHED_QUOTA: &'static str = "PoliciesPerRole";

    fn named(name: String) -> RoleKey {
        RoleKey { name }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn inline(role: &mut Role) -> &mut BTreeMap<String, String> {
        &mut role.inline
    }

    fn attached(role: &mut Role) -> &mut BTreeSet<String> {
        &mut role.attached
    }

    fn changeable(&self, role: &Role) -> Result<(), Fault> {
        if role.path.starts_with(SERVICE_LINKED) { Err(fault::protected(&self.name)) } else { Ok(()) }
    }
}

impl Holder for UserKey {
    const KIND: &'static str = "user";
    const INLINE_MAX: usize = 2_048;
    const ATTACHED_QUOTA: &'static str = "PoliciesPerUser";

    fn named(name: String) -> UserKey {
        UserKey { name }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn inline(user: &mut User) -> &mut BTreeMap<String, String> {
        &mut user.inline
    }

    fn attached(user: &mut User) -> &mut BTreeSet<String> {
        &mut user.attached
    }
}

impl Holder for GroupKey {
    const KIND: &'static str = "group";
    const INLINE_MAX: usize = 5_120;
    const ATTACHED_QUOTA: &'static str = "PoliciesPerGroup";

    fn named(name: String) -> GroupKey {
        GroupKey { name }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn inline(group: &mut Group) -> &mut BTreeMap<String, String> {
        &mut group.inline
    }

    fn attached(group: &mut Group) -> &mut BTreeSet<String> {
        &mut group.attached
    }
}
