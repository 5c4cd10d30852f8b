//! Who calls, and in which chain of causes.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The chain of causes that a call belongs to. In AWS's trace header: `Root=1-8hex-24hex;Parent=16hex;Sampled=1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceCx {
    /// What everything in the chain has in common.
    #[serde(rename = "r")]
    pub root: Uuid,
    /// The commit or attempt that caused this; 0 at the root.
    #[serde(rename = "p")]
    pub parent: u64,
    /// How many hops from the root, to bound loops.
    #[serde(rename = "h")]
    pub hop: u16,
}

impl TraceCx {
    /// A chain that begins here.
    pub fn root(root: Uuid) -> TraceCx {
        TraceCx { root, parent: 0, hop: 0 }
    }

    /// The `X-Amzn-Trace-Id` header that hands this chain to a function or a server.
    pub fn to_header(self) -> String {
        let hex = self.root.simple().to_string();
        let (time, rest) = hex.split_at(8);
        format!("Root=1-{time}-{rest};Parent={:016x};Sampled=1;Lineage=1:{:04x}:0", self.parent, self.hop)
    }

    /// From an `X-Amzn-Trace-Id` header, if it names a root.
    pub fn from_header(header: &str) -> Option<TraceCx> {
        let (mut root, mut parent, mut hop) = (None, 0, 0);
        for field in header.split(';') {
            let (name, value) = field.trim().split_once('=')?;
            match name {
                "Root" | "Self" if root.is_none() => root = parse_root(value),
                "Parent" => parent = u64::from_str_radix(value, 16).unwrap_or(0),
                "Lineage" => {
                    hop = value.split(':').nth(1).and_then(|h| u16::from_str_radix(h, 16).ok()).unwrap_or(0)
                }
                _ => {}
            }
        }
        root.map(|root| TraceCx { root, parent, hop })
    }
}

fn parse_root(value: &str) -> Option<Uuid> {
    let (time, rest) = value.strip_prefix("1-")?.split_once('-')?;
    (time.len() == 8 && rest.len() == 24).then(|| Uuid::parse_str(&format!("{time}{rest}")).ok())?
}

/// Who is responsible for a call, as the router established it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The account in which the call happens.
    pub account: AccountId,
    /// The region in which the call happens.
    pub region: Region,
    /// An ARN, or a service principal such as `events.amazonaws.com`.
    pub principal: String,
    /// The chain of causes.
    pub trace: TraceCx,
    /// Names this call in answers and logs.
    pub request_id: Uuid,
}

impl Caller {
    /// The root user of an account, starting a chain of causes of its own.
    pub fn root_user(account: AccountId, region: Region, request_id: Uuid) -> Caller {
        let principal = format!("arn:aws:iam::{account}:root");
        Caller { account, region, principal, trace: TraceCx::root(request_id), request_id }
    }

    /// The account that an access key names: a 12-digit key is its account, any other belongs to the default one.
    pub fn account_of_key(access_key: &str) -> AccountId {
        AccountId::parse(access_key).unwrap_or_default()
    }

    /// The same chain of causes, acting as `service` in `account` and `region`.
    #[must_use]
    pub fn as_service(&self, service: &str, account: AccountId, region: Region) -> Caller {
        Caller { account, region, principal: service.to_owned(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_headers_round_trip() {
        let cx = TraceCx {
            root: Uuid::from_u128(0x0193_4f00_0000_7000_8000_0000_0000_00ff),
            parent: 0xabcd,
            hop: 7,
        };
        assert_eq!(TraceCx::from_header(&cx.to_header()), Some(cx));
        assert_eq!(TraceCx::from_header("Root=1-5759e988-bd862e3fe1be46a994272793").unwrap().parent, 0);
        assert_eq!(TraceCx::from_header("Sampled=1"), None);
        assert_eq!(TraceCx::from_header("nonsense"), None);
    }
}
