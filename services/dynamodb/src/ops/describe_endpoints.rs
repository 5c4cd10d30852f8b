//! `DescribeEndpoints`: this server, as AWS names the regional endpoint.

use kernel::{Result, Tx};

use crate::api::{DescribeEndpointsInput, DescribeEndpointsOutput, Endpoint};

/// How long AWS lets clients keep the answer.
const CACHE_MINUTES: i64 = 1440;

pub(crate) async fn describe_endpoints(
    tx: &mut Tx,
    _: DescribeEndpointsInput,
) -> Result<DescribeEndpointsOutput> {
    let endpoint = tx.endpoint();
    let address = endpoint.split_once("://").map_or(endpoint, |(_, address)| address).to_owned();
    Ok(DescribeEndpointsOutput {
        endpoints: vec![Endpoint { address, cache_period_in_minutes: CACHE_MINUTES }],
    })
}
