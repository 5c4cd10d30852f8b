//! Real time, and background work, for processes: the code of a function runs in real time whatever the platform's clock says.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::Instant;

#[expect(clippy::disallowed_methods, reason = "log lines and deadlines of real processes carry real time")]
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

pub(super) fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a real process is waited for in real time")]
pub(super) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[expect(clippy::disallowed_methods, reason = "a real process is waited for in real time")]
pub(super) async fn sleep_until(deadline: Instant) {
    tokio::time::sleep_until(deadline).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process has a listener, two pipes and a keeper that outlive a call"
)]
pub(crate) fn background<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(work)
}
