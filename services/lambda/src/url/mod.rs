//! Function URLs: an HTTP request for a function's own host becomes an invocation with payload format 2.0.
//!
//! Knows no socket: the server hands over the request and sends the answer. Hosts are
//! `<url-id>.lambda-url.<region>.localhost`, with AWS's own suffixes understood as well.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

mod answer;
mod cors;
mod event;

use base::{AccountId, Region};
use bytes::Bytes;
use kernel::{Caller, Kernel, Result, Scope, TraceCx, Tx};

use crate::api::FunctionUrlAuthType;
use crate::keys::{Url, UrlIdKey, UrlKey, UrlOwner};
use crate::name::FunctionRef;
use crate::run::{Order, run_recorded};
use crate::state::Functions;

/// A request for a function's host.
#[derive(Clone, Debug, Default)]
pub struct UrlRequest {
    /// `GET`.
    pub method: String,
    /// The Host header, with or without a port.
    pub host: String,
    /// The path as it was sent, percent-encoded.
    pub path: String,
    /// What follows `?`, as it was sent; empty if nothing does.
    pub query: String,
    /// `HTTP/1.1`.
    pub protocol: String,
    /// All headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// The client's address.
    pub source_ip: String,
    /// Who signed the request, if its signature was found good.
    pub signer: Option<Caller>,
}

/// What to send back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlResponse {
    /// The HTTP status.
    pub status: u16,
    /// Headers; a name may come several times.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The id and the region in a function URL's host; `None` if it is no such host.
pub fn parse_host(host: &str) -> Option<(String, Region)> {
    let host = host.split(':').next()?.to_ascii_lowercase();
    let (id, rest) = host.split_once(".lambda-url.")?;
    let suffixes = [".localhost", ".on.aws", ".amazonaws.com"];
    let region = suffixes.iter().find_map(|suffix| rest.strip_suffix(suffix))?;
    Some((id.to_owned(), Region::parse(region)?))
}

/// The address of a function URL: reached where the server is reached.
pub(crate) fn text(endpoint: &str, scope: &Scope, id: &str) -> String {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("http", endpoint));
    let port = rest.rsplit_once(':').map(|(_, port)| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{id}.lambda-url.{}.localhost{port}/", scope.region)
}

/// Where the rows stand that say which function a host belongs to.
pub(crate) fn directory(region: &Region) -> Scope {
    Scope { account: AccountId::default(), region: region.clone() }
}

/// Answers a request for a function's host.
pub async fn handle(kernel: &Kernel, functions: &Functions, request: UrlRequest) -> UrlResponse {
    let Some((id, region)) = parse_host(&request.host) else { return answer::message(404, "Not Found") };
    let root = kernel.new_id();
    let caller = Caller {
        account: AccountId::default(),
        region: region.clone(),
        principal: "lambda.amazonaws.com".to_owned(),
        trace: TraceCx::root(root),
        request_id: root,
    };
    let found = kernel.transact(crate::NAME, caller.clone(), "FindUrl", find, (id.clone(), region)).await;
    match found {
        Ok(Some((owner, url))) => serve(kernel, functions, caller, owner, url, request).await,
        Ok(None) => answer::message(403, "Forbidden"),
        Err(error) => answer::fault(&kernel.to_fault(error)),
    }
}

async fn find(tx: &mut Tx, (id, region): (String, Region)) -> Result<Option<(UrlOwner, Url)>> {
    tx.enter(directory(&region));
    let Some(owner) = tx.peek(&UrlIdKey { id }).await? else { return Ok(None) };
    tx.enter(Scope { account: owner.account.clone(), region });
    let key = UrlKey { name: owner.name.clone(), qualifier: owner.qualifier.clone() };
    Ok(tx.peek(&key).await?.map(|url| (owner, url)))
}

async fn serve(
    kernel: &Kernel,
    functions: &Functions,
    caller: Caller,
    owner: UrlOwner,
    url: Url,
    request: UrlRequest,
) -> UrlResponse {
    let cors = url.cors.as_ref().map(|config| cors::headers(config, &request));
    if let (Some(headers), true) = (&cors, cors::is_preflight(&request)) {
        return UrlResponse { status: 200, headers: headers.clone(), body: Bytes::new() };
    }
    if url.auth_type == FunctionUrlAuthType::AwsIam && request.signer.is_none() {
        return answer::message(403, "Forbidden");
    }
    let caller = match &request.signer {
        Some(signer) => {
            Caller { account: owner.account.clone(), region: caller.region.clone(), ..signer.clone() }
        }
        None => Caller { account: owner.account.clone(), ..caller },
    };
    let request_id = caller.request_id.to_string();
    let arrival = event::Arrival {
        request_id: &request_id,
        at: kernel.clock().now(),
        endpoint: kernel.endpoint(),
        trace: &caller.trace.to_header(),
    };
    let payload = event::document(&request, &url, &owner, &arrival);
    let qualifier = Some(owner.qualifier).filter(|qualifier| !qualifier.is_empty());
    let order = Order {
        wanted: FunctionRef { name: owner.name, qualifier },
        payload: payload.to_string().into(),
        client_context: None,
        request_id,
    };
    let mut response = match run_recorded(kernel, functions, &caller, order).await {
        Ok(ran) => answer::response(ran.invoked),
        Err(error) => answer::fault(&kernel.to_fault(error)),
    };
    response.headers.extend(cors.unwrap_or_default());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        let region = Region::parse("eu-central-1").unwrap();
        for host in [
            "abc.lambda-url.eu-central-1.localhost:4566",
            "abc.lambda-url.eu-central-1.localhost",
            "ABC.lambda-url.eu-central-1.on.aws",
            "abc.lambda-url.eu-central-1.amazonaws.com",
        ] {
            assert_eq!(parse_host(host), Some(("abc".to_owned(), region.clone())), "{host}");
        }
        assert_eq!(parse_host("lambda.eu-central-1.amazonaws.com"), None);
        assert_eq!(parse_host("abc.lambda-url.eu-central-1.example.org"), None);
    }

    #[test]
    fn addresses_are_where_the_server_is() {
        let scope = Scope { account: AccountId::default(), region: Region::parse("eu-west-1").unwrap() };
        let found = text("http://127.0.0.1:4566", &scope, "abc");
        assert_eq!(found, "http://abc.lambda-url.eu-west-1.localhost:4566/");
    }
}
