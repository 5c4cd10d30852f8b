use base::Fault;
use kernel::{Effect, Result};

use crate::api::{GetResourcesInput, GetResourcesOutput, ResourceTagMapping, Tag, TagFilter};
use crate::resource::{self, Tags};
use crate::{fault, page};

/// Resources of a page, if nothing is said, and at most.
const RESOURCES: (i32, i32) = (50, 100);
/// Tags of a page, at least and at most.
const TAGS: (i32, i32) = (100, 500);
/// Filters by type.
const TYPES_MAX: usize = 100;

/// The resources of the region that have tags, by their ARNs.
///
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) async fn get_resources(effect: &Effect, input: GetResourcesInput) -> Result<GetResourcesOutput> {
    let room = check(&input)?;
    let behind = page::behind(input.pagination_token.as_deref())?;
    let types = input.resource_type_filters.as_deref().unwrap_or_default();
    let mut found = match &input.resource_arn_list {
        Some(arns) => resource::named(effect, arns),
        None => resource::all(effect, types).await?,
    };
    found.retain(|resource| resource.kind.is_of(types));
    found.sort_by(|one, other| one.arn.cmp(&other.arn));
    found.dedup_by(|one, other| one.arn == other.arn);
    let mut page = Page { room, mappings: Vec::new(), tags: 0 };
    let filters = input.tag_filters.as_deref().unwrap_or_default();
    for resource in found {
        if behind.as_ref().is_some_and(|behind| resource.arn <= *behind) {
            continue;
        }
        let Some(tags) = resource.tags(effect).await?.filter(|tags| matches(filters, tags)) else { continue };
        if !page.takes(&tags) {
            let last = page.mappings.last().and_then(|mapping| mapping.resource_arn.as_deref());
            let next = page::token(last);
            return Ok(page.answer(next));
        }
        page.push(resource.arn, tags);
    }
    Ok(page.answer(String::new()))
}

/// How much a page holds.
struct Room {
    resources: usize,
    tags: usize,
}

/// A page that is filled. A resource and its tags are never parted.
struct Page {
    room: Room,
    mappings: Vec<ResourceTagMapping>,
    tags: usize,
}

impl Page {
    fn takes(&self, tags: &Tags) -> bool {
        self.mappings.len() < self.room.resources && self.tags + tags.len() <= self.room.tags
    }

    fn push(&mut self, arn: String, tags: Tags) {
        self.tags += tags.len();
        let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        self.mappings.push(ResourceTagMapping {
            resource_arn: Some(arn),
            tags: Some(tags),
            compliance_details: None,
        });
    }

    fn answer(self, next: String) -> GetResourcesOutput {
        GetResourcesOutput { pagination_token: Some(next), resource_tag_mapping_list: Some(self.mappings) }
    }
}

/// What a page holds, if the request can be answered.
fn check(input: &GetResourcesInput) -> Result<Room, Fault> {
    let told = |is: Option<bool>| is == Some(true);
    if told(input.include_compliance_details) || told(input.exclude_compliant_resources) {
        let message = "IncludeComplianceDetails and ExcludeCompliantResources are not implemented by Buswork: there are \
                       no tag policies";
        return Err(fault::invalid(message));
    }
    let paged = input.resources_per_page.is_some()
        || input.tags_per_page.is_some()
        || input.pagination_token.as_deref().is_some_and(|token| !token.is_empty());
    if input.resource_arn_list.is_some() && paged {
        return Err(fault::invalid(
            "ResourceARNList cannot be given with ResourcesPerPage, TagsPerPage or PaginationToken",
        ));
    }
    if input.resource_type_filters.as_ref().is_some_and(|types| types.len() > TYPES_MAX) {
        return Err(fault::invalid(format!("At most {TYPES_MAX} ResourceTypeFilters can be given")));
    }
    if input.tag_filters.iter().flatten().any(|filter| filter.key.is_none()) {
        return Err(fault::invalid("Every TagFilter needs a Key"));
    }
    let resources = input.resources_per_page.unwrap_or(RESOURCES.0);
    if !(1..=RESOURCES.1).contains(&resources) {
        return Err(fault::invalid(format!("ResourcesPerPage must be between 1 and {}", RESOURCES.1)));
    }
    let tags = input.tags_per_page.unwrap_or(TAGS.1);
    if !(TAGS.0..=TAGS.1).contains(&tags) {
        return Err(fault::invalid(format!("TagsPerPage must be between {} and {}", TAGS.0, TAGS.1)));
    }
    // Without a number of tags, that of resources alone ends a page; all named resources make one.
    let tags = input.tags_per_page.map_or(usize::MAX, |_| tags.unsigned_abs() as usize);
    let resources = match input.resource_arn_list {
        Some(_) => usize::MAX,
        None => resources.unsigned_abs() as usize,
    };
    Ok(Room { resources, tags })
}

/// Whether all filters hold: the key is there and, if values are named, has one of them.
fn matches(filters: &[TagFilter], tags: &Tags) -> bool {
    filters.iter().all(|filter| {
        let value = filter.key.as_ref().and_then(|key| tags.get(key));
        let wanted = filter.values.as_deref().unwrap_or_default();
        value.is_some_and(|value| wanted.is_empty() || wanted.contains(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(key: &str, values: &[&str]) -> TagFilter {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        TagFilter { key: Some(key.to_owned()), values: Some(values) }
    }

    #[test]
    fn all_filters_hold_by_any_of_their_values() {
        let tags =
            Tags::from([("team".to_owned(), "red".to_owned()), ("stage".to_owned(), "test".to_owned())]);
        let cases: [(&[TagFilter], bool); 6] = [
            (&[], true),
            (&[filter("team", &[])], true),
            (&[filter("team", &["blue", "red"])], true),
            (&[filter("team", &["Red"])], false),
            (&[filter("team", &["red"]), filter("stage", &["live"])], false),
            (&[filter("Team", &[])], false),
        ];
        for (filters, holds) in cases {
            assert_eq!(matches(filters, &tags), holds, "{filters:?}");
        }
    }
}
