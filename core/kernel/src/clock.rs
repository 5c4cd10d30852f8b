//! Time, owned here: the machine's clock, or a virtual one that tests advance.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::Timestamp;
use tokio::sync::Notify;

/// Where `now` comes from and how waiting is done. Clones share one time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real,
    Virtual(Arc<VirtualTime>),
}

#[derive(Debug)]
struct VirtualTime {
    now_ms: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// The machine's clock.
    pub fn real() -> Clock {
        Clock(Source::Real)
    }

    /// A clock that stands still until it is advanced.
    pub fn virtual_at(start: Timestamp) -> Clock {
        let time = VirtualTime { now_ms: AtomicI64::new(start.as_millis()), moved: Notify::new() };
        Clock(Source::Virtual(Arc::new(time)))
    }

    /// The present.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Real => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
                Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Source::Virtual(time) => Timestamp::from_millis(time.now_ms.load(Ordering::SeqCst)),
        }
    }

    /// Whether only [`Clock::set`] moves it.
    pub fn is_virtual(&self) -> bool {
        matches!(self.0, Source::Virtual(_))
    }

    /// Moves a virtual clock forward to `to` and wakes who waits for it. Never moves back; a real clock stays.
    pub fn set(&self, to: Timestamp) {
        if let Source::Virtual(time) = &self.0 {
            time.now_ms.fetch_max(to.as_millis(), Ordering::SeqCst);
            time.moved.notify_waiters();
        }
    }

    /// Returns when `now` is at or behind `until`.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that waits for the machine's clock")]
    pub async fn sleep_until(&self, until: Timestamp) {
        match &self.0 {
            Source::Real => {
                // Re-read after each sleep: the machine's clock may jump while we wait, and timers cannot.
                loop {
                    let left = until.since(self.now());
                    if left.is_zero() {
                        return;
                    }
                    tokio::time::sleep(left.min(Duration::from_secs(60))).await;
                }
            }
            Source::Virtual(time) => loop {
                let moved = time.moved.notified();
                if self.now() >= until {
                    return;
                }
                moved.await;
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_virtual_clock_wakes_its_sleepers_and_never_goes_back() {
        let start = Timestamp::from_millis(1_000);
        let clock = Clock::virtual_at(start);
        let day = start + Duration::from_secs(86_400);
        let sleeper = clock.sleep_until(day);
        tokio::pin!(sleeper);
        assert!(futures::poll!(&mut sleeper).is_pending());
        clock.set(day);
        sleeper.await;
        clock.set(start);
        assert_eq!(clock.now(), day);
    }
}
