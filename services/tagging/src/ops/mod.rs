//! One operation a file; adding and removing tags share one.

pub(crate) mod get_resources;
pub(crate) mod get_tag_keys;
pub(crate) mod get_tag_values;
pub(crate) mod tag_resources;
