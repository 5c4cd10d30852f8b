use kernel::{Parts, Result, Tx};

use crate::api::{Filter, ListSecretsInput, ListSecretsOutput, SecretListEntry, SortByType, SortOrderType};
use crate::keys::{Secret, SecretKey};
use crate::{fault, filter};

/// The page size if none is asked for, and the largest.
const PAGE: usize = 100;
/// Secrets read at once.
const SECRETS_MAX: usize = 10_000;

/// Secrets, but for their values.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>
pub(crate) async fn list_secrets(tx: &mut Tx, input: ListSecretsInput) -> Result<ListSecretsOutput> {
    let filters = input.filters.unwrap_or_default();
    let limit = input.max_results.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let (by, order) = (input.sort_by, input.sort_order);
    let sort = |secrets: &mut Vec<(SecretKey, Secret)>| sort(secrets, by, order);
    let deleted = input.include_planned_deletion == Some(true);
    let Page { secrets, next } = page(tx, &filters, deleted, input.next_token, limit, sort).await?;
    let secrets = secrets.into_iter().map(|(key, secret)| show(tx, key, secret)).collect();
    Ok(ListSecretsOutput { secret_list: Some(secrets), next_token: next })
}

/// Some of the secrets, and where the next ones begin.
pub(crate) struct Page {
    pub secrets: Vec<(SecretKey, Secret)>,
    pub next: Option<String>,
}

/// The secrets that keep to the filters, in an order, behind the one that `token` names.
///
/// # Errors
/// `InvalidNextTokenException`.
pub(crate) async fn page(
    tx: &mut Tx,
    filters: &[Filter],
    with_deleted: bool,
    token: Option<String>,
    limit: usize,
    sort: impl FnOnce(&mut Vec<(SecretKey, Secret)>),
) -> Result<Page> {
    let mut secrets = tx.scan::<SecretKey>(Parts::none(), SECRETS_MAX).await?;
    secrets.retain(|(key, secret)| {
        (with_deleted || secret.deletion.is_none()) && filter::holds(filters, &key.name, secret)
    });
    sort(&mut secrets);
    if let Some(token) = token {
        let at = secrets.iter().position(|(key, _)| key.name == token).ok_or_else(fault::invalid_token)?;
        secrets.drain(..=at);
    }
    let more = secrets.len() > limit;
    secrets.truncate(limit);
    let next = secrets.last().filter(|_| more).map(|(key, _)| key.name.clone());
    Ok(Page { secrets, next })
}

/// By the time of their creation, newest first, unless asked for otherwise.
fn sort(secrets: &mut [(SecretKey, Secret)], by: Option<SortByType>, order: Option<SortOrderType>) {
    match by {
        Some(SortByType::Name) => {}
        Some(SortByType::LastChangedDate) => secrets.sort_by_key(|(_, secret)| secret.changed_at),
        Some(SortByType::LastAccessedDate) => secrets.sort_by_key(|(_, secret)| secret.accessed_on),
        None | Some(SortByType::CreatedDate) => secrets.sort_by_key(|(_, secret)| secret.created_at),
    }
    if order.is_none_or(|order| order == SortOrderType::Desc) {
        secrets.reverse();
    }
}

fn show(tx: &Tx, key: SecretKey, secret: Secret) -> SecretListEntry {
    SecretListEntry {
        arn: Some(secret.arn(tx, &key.name)),
        name: Some(key.name),
        description: secret.description.clone(),
        kms_key_id: secret.kms_key.clone(),
        last_changed_date: Some(secret.changed_at),
        last_accessed_date: secret.accessed_on,
        deleted_date: secret.deletion.as_ref().map(|deletion| deletion.asked_at),
        tags: Some(secret.shown_tags()).filter(|tags| !tags.is_empty()),
        secret_versions_to_stages: Some(secret.staged()),
        created_date: Some(secret.created_at),
        ..SecretListEntry::default()
    }
}
