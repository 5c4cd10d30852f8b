//! Settings about images, which would hold if there were any.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ImageTagMutability, ImageTagMutabilityExclusionFilter, PutImageScanningConfigurationInput,
    PutImageScanningConfigurationOutput, PutImageTagMutabilityInput, PutImageTagMutabilityOutput,
};
use crate::fault;
use crate::repository::{find, registry};

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageScanningConfiguration.html>
pub(crate) async fn put_image_scanning_configuration(
    tx: &mut Tx,
    input: PutImageScanningConfigurationInput,
) -> Result<PutImageScanningConfigurationOutput> {
    let (key, mut repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    repository.scan_on_push = input.image_scanning_configuration.scan_on_push.unwrap_or(false);
    tx.put(&key, &repository)?;
    Ok(PutImageScanningConfigurationOutput {
        registry_id: Some(registry(tx)),
        repository_name: Some(key.name),
        image_scanning_configuration: Some(input.image_scanning_configuration),
    })
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html>
pub(crate) async fn put_image_tag_mutability(
    tx: &mut Tx,
    input: PutImageTagMutabilityInput,
) -> Result<PutImageTagMutabilityOutput> {
    let exclusions = input.image_tag_mutability_exclusion_filters.unwrap_or_default();
    check(input.image_tag_mutability, &exclusions)?;
    let (key, mut repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    repository.mutability = input.image_tag_mutability;
    repository.exclusions.clone_from(&exclusions);
    tx.put(&key, &repository)?;
    Ok(PutImageTagMutabilityOutput {
        registry_id: Some(registry(tx)),
        repository_name: Some(key.name),
        image_tag_mutability: Some(input.image_tag_mutability),
        image_tag_mutability_exclusion_filters: Some(exclusions).filter(|filters| !filters.is_empty()),
    })
}

/// Filters are given with the settings that have exclusions, and only with those.
pub(crate) fn check(
    mutability: ImageTagMutability,
    exclusions: &[ImageTagMutabilityExclusionFilter],
) -> Result<(), Fault> {
    let wants = matches!(
        mutability,
        ImageTagMutability::ImmutableWithExclusion | ImageTagMutability::MutableWithExclusion
    );
    match (wants, exclusions.is_empty()) {
        (true, false) | (false, true) => Ok(()),
        _ => Err(fault::invalid(format!(
            "imageTagMutabilityExclusionFilters do not go with imageTagMutability {mutability}"
        ))),
    }
}
