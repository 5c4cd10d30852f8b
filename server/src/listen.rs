//! The listener: accepts connections and hands their requests to the front door.
//!
//! One port speaks plain HTTP and TLS. Nothing that waits for a peer, a handshake least of all, happens where connections
//! are accepted: each connection finds out in its own task which of the two it is.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::bail;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::front::Front;
use crate::tls::Tls;
use crate::tls::stream::Sniffed;

/// Listens on `address`.
///
/// # Errors
/// The port is taken, or the address is not one of this machine's.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {} of {} is taken by another process (perhaps another Buswork); choose another with --port, or stop it",
            address.port(),
            address.ip()
        ),
        Err(error) => bail!("cannot listen on {address}: {error}"),
    }
}

/// Serves connections until `stop` completes; then lets the requests that are being answered finish, for `patience`.
#[expect(clippy::disallowed_methods, reason = "a listener owns a task a connection")]
pub async fn serve(
    listener: TcpListener,
    front: Arc<Front>,
    tls: &Tls,
    stop: impl Future<Output = ()>,
    patience: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::task::yield_now().await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Without it, an answer waits for the peer's acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let front = Arc::clone(&front);
        let service = service_fn(move |request| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.answer(request, peer.ip()).await) }
        });
        let builder = auto::Builder::new(TokioExecutor::new());
        let stream = TokioIo::new(Sniffed::new(stream, acceptor.clone()));
        let connection = builder.serve_connection_with_upgrades(stream, service).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = patience => tracing::info!("some requests were still being answered; they are cut off"),
    }
}
