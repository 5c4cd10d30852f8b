//! `Fn::Cidr`.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-cidr.html>

use base::Document;
use ipnet::IpNet;

use super::error::TemplateError;

const HOST_BITS_DEFAULT: &str = "8";
const COUNT_MAX: usize = 256;

/// The first `count` blocks of `bits` host bits inside `block`.
pub(super) fn blocks(block: &str, count: &str, bits: Option<&str>) -> Result<Document, TemplateError> {
    let refused = |why: &str| TemplateError::intrinsic(format!("Fn::Cidr of {block}: {why}"));
    let net: IpNet = block.trim().parse().map_err(|_| refused("it is not an address block"))?;
    let count: usize = count.trim().parse().map_err(|_| refused("the count is not a number"))?;
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(refused("the count must be between 1 and 256"));
    }
    let bits: u8 = bits
        .unwrap_or(HOST_BITS_DEFAULT)
        .trim()
        .parse()
        .map_err(|_| refused("the number of host bits is not a number"))?;
    let prefix = net.max_prefix_len().checked_sub(bits).ok_or_else(|| refused("too many host bits"))?;
    let subnets =
        net.trunc().subnets(prefix).map_err(|_| refused("the block is too small for one subnet"))?;
    let found: Vec<Document> = subnets.take(count).map(|subnet| subnet.to_string().into()).collect();
    if found.len() < count {
        return Err(refused("the block is too small for so many subnets"));
    }
    Ok(Document::Array(found))
}
