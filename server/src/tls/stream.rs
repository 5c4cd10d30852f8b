//! A connection that turns out to be plain or TLS with its first byte: every HTTP request begins with a letter, and every TLS
//! connection with the type of a handshake's record, which is none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Timeout, timeout};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// The first byte of a TLS connection.
const HANDSHAKE: u8 = 0x16;
/// How long a handshake may take from its first byte on.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Reads and writes what the peer means, whether it is encrypted or not.
pub struct Sniffed(State);

enum State {
    /// Nothing has come yet. It may take as long as with a plain connection.
    Silent(Option<TcpStream>, TlsAcceptor),
    Plain(TcpStream),
    Handshake(Pin<Box<Timeout<Accept<TcpStream>>>>),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Sniffed {
    /// A connection whose peer speaks first, as in HTTP and in TLS.
    pub fn new(stream: TcpStream, acceptor: TlsAcceptor) -> Sniffed {
        Sniffed(State::Silent(Some(stream), acceptor))
    }

    /// Ready once it is known how the peer speaks.
    fn poll_known(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let next = match &mut self.0 {
                State::Plain(_) | State::Tls(_) => return Poll::Ready(Ok(())),
                State::Silent(stream, acceptor) => {
                    let peeked = stream.as_mut().ok_or_else(early)?;
                    let mut first = [0];
                    let count = ready!(peeked.poll_peek(cx, &mut ReadBuf::new(&mut first)))?;
                    let stream = stream.take().ok_or_else(early)?;
                    if count == 1 && first[0] == HANDSHAKE {
                        State::Handshake(Box::pin(timeout(HANDSHAKE_LIMIT, acceptor.accept(stream))))
                    } else {
                        State::Plain(stream)
                    }
                }
                State::Handshake(handshake) => match ready!(handshake.as_mut().poll(cx)) {
                    Ok(accepted) => State::Tls(Box::new(accepted?)),
                    Err(_) => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                },
            };
            self.0 = next;
        }
    }

    /// The stream to write to. A server speaks second, so it is known by then.
    fn known(&mut self) -> io::Result<Pin<&mut dyn Stream>> {
        match &mut self.0 {
            State::Plain(stream) => Ok(Pin::new(stream)),
            State::Tls(stream) => Ok(Pin::new(stream.as_mut())),
            State::Silent(..) | State::Handshake(_) => Err(early()),
        }
    }
}

fn early() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl AsyncRead for Sniffed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_known(cx))?;
        self.known()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Sniffed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.known()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.known()?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            State::Tls(stream) => stream.is_write_vectored(),
            // It is asked once, before it is known; a TLS stream copes with slices, too.
            State::Plain(_) | State::Silent(..) | State::Handshake(_) => true,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.known() {
            Ok(stream) => stream.poll_flush(cx),
            Err(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.known() {
            Ok(stream) => stream.poll_shutdown(cx),
            Err(_) => Poll::Ready(Ok(())),
        }
    }
}
