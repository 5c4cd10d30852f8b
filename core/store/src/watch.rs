//! Hints that something was committed below a prefix.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;

/// Completes when something may have been committed below the watched prefix since it was asked for.
pub struct Wake(BoxFuture<'static, ()>);

impl Wake {
    /// A wake that follows `signal`.
    pub fn new(signal: impl Future<Output = ()> + Send + 'static) -> Wake {
        Wake(Box::pin(signal))
    }
}

impl Future for Wake {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

/// An engine behind a shared handle.
pub type SharedEngine = Arc<dyn crate::engine::Engine>;
