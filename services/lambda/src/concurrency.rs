//! How many invocations run at once, by function: reserved concurrency and the account's limit.
//!
//! Counted in memory: a restart ends all processes, and so all invocations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::Fault;
use kernel::Scope;

use crate::fault;

/// How many invocations an account may have at once in a region, as AWS grants it at first.
pub(crate) const ACCOUNT_LIMIT: u32 = 1000;

/// What must stay unreserved.
pub(crate) const UNRESERVED_MIN: u32 = 100;

#[derive(Default)]
pub(crate) struct Concurrency(Mutex<HashMap<String, u32>>);

/// Room for one invocation, until dropped.
pub(crate) struct Room {
    concurrency: Arc<Concurrency>,
    key: String,
}

impl Concurrency {
    /// Room for one more invocation of the function; `reserved` is its own share, if it has one.
    ///
    /// # Errors
    /// `TooManyRequestsException`, with AWS's reason.
    pub(crate) fn enter(
        self: &Arc<Self>,
        scope: &Scope,
        name: &str,
        reserved: Option<u32>,
    ) -> Result<Room, Fault> {
        let (key, limit, reason) = match reserved {
            Some(limit) => (
                format!("{}/{}/{name}", scope.account, scope.region),
                limit,
                "ReservedFunctionConcurrentInvocationLimitExceeded",
            ),
            None => (
                format!("{}/{}", scope.account, scope.region),
                ACCOUNT_LIMIT,
                "ConcurrentInvocationLimitExceeded",
            ),
        };
        let mut running = self.running();
        let count = running.entry(key.clone()).or_default();
        if *count >= limit {
            return Err(fault::throttled(reason));
        }
        *count += 1;
        drop(running);
        Ok(Room { concurrency: Arc::clone(self), key })
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut running = self.concurrency.running();
        if let Some(count) = running.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};

    use super::*;

    #[test]
    fn a_reserved_function_has_its_share_and_no_more() {
        let concurrency = Arc::new(Concurrency::default());
        let scope = Scope { account: AccountId::default(), region: Region::default() };
        let first = concurrency.enter(&scope, "f", Some(1)).unwrap_or_else(|_| unreachable!());
        let fault = concurrency.enter(&scope, "f", Some(1)).err().unwrap_or_else(|| unreachable!());
        assert_eq!(
            (fault.code.as_ref(), fault.message.as_str(), fault.status),
            ("TooManyRequestsException", "Rate Exceeded.", 429)
        );
        assert_eq!(
            fault.members.unwrap_or_default()["Reason"],
            "ReservedFunctionConcurrentInvocationLimitExceeded"
        );
        assert!(concurrency.enter(&scope, "g", None).is_ok());
        drop(first);
        assert!(concurrency.enter(&scope, "f", Some(1)).is_ok());
        assert!(concurrency.enter(&scope, "f", Some(0)).is_err());
    }
}
