//! TLS and plain HTTP on one port, as clients that verify certificates meet it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::server::{Server, command, refusal, run};

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The authority of a data directory, as a server's first start makes it.
fn make_authority(data_dir: &Path) {
    ::server::tls::authority::Authority::open(&data_dir.join("tls"), &Default::default()).unwrap();
}

/// A client that trusts one authority and nothing else.
fn trusting(authority: &Path, protocols: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

async fn connect(
    server: &Server,
    connector: &TlsConnector,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", server.port().parse().unwrap())).await?;
    connector.connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// The answer to a GET of `/_buswork/ready`, by HTTP/1.1.
async fn ready(mut stream: TlsStream<TcpStream>, host: &str) -> String {
    let request = format!("GET /_buswork/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn one_port_speaks_both() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data-dir", path_text(home.path())]);
    assert_eq!(server.get("/_buswork/ready").await.text, "ready\n");
    let authority = home.path().join("tls/ca.pem");
    let connector = trusting(&authority, &["http/1.1"]);
    let names = ["localhost", "127.0.0.1", "::1", "b.s3.localhost", "s3.eu-central-1.amazonaws.com"];
    for name in names {
        let stream = connect(&server, &connector, name).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert!(ready(stream, name).await.ends_with("ready\n"), "{name}");
    }
    let refused = connect(&server, &connector, "elsewhere.example").await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    // Another start has the same authority.
    assert_eq!(server.stop().0, Some(0));
    let again = Server::start(&["--data-dir", path_text(home.path())]);
    let stream = connect(&again, &connector, "localhost").await.unwrap();
    assert!(ready(stream, "localhost").await.ends_with("ready\n"));
}

#[tokio::test]
async fn http_2_is_offered() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data-dir", path_text(home.path())]);
    let connector = trusting(&home.path().join("tls/ca.pem"), &["h2", "http/1.1"]);
    let stream = connect(&server, &connector, "localhost").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    let mut connections = tokio::task::JoinSet::new();
    connections.spawn(connection);
    let request = Request::get("https://localhost/_buswork/ready").body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ready\n");
}

#[tokio::test]
async fn who_is_slow_holds_up_nobody() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data-dir", path_text(home.path())]);
    let port: u16 = server.port().parse().unwrap();
    let mut slow = Vec::new();
    for n in 0..64 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        if n % 2 == 0 {
            // The beginning of a handshake that never goes on.
            stream.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
        }
        slow.push(stream);
    }
    let connector = trusting(&home.path().join("tls/ca.pem"), &[]);
    let answered = async {
        let stream = connect(&server, &connector, "localhost").await.unwrap();
        ready(stream, "localhost").await
    };
    assert!(tokio::time::timeout(Duration::from_secs(5), answered).await.unwrap().ends_with("ready\n"));
    assert_eq!(server.get("/_buswork/ready").await.text, "ready\n");
    // And none of them keeps the server from stopping: all have asked for nothing.
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    assert!(!log.contains("cut off"), "{log}");
}

#[tokio::test]
async fn a_certificate_can_be_given() {
    let home = tempfile::tempdir().unwrap();
    // Another data directory's authority stands for the operator's.
    make_authority(home.path());
    let (cert, key) = (home.path().join("tls/ca.pem"), home.path().join("tls/ca-key.pem"));
    let config = home.path().join("buswork.toml");
    let text = format!("[tls]\ncert = \"{}\"\nkey = \"{}\"\n", cert.display(), key.display());
    std::fs::write(&config, text).unwrap();
    let server = Server::start(&["--in-memory", "--config", path_text(&config)]);
    let stream = connect(&server, &trusting(&cert, &[]), "localhost").await;
    // It is shown as it is; that it is an authority's and no server's is the client's to complain about.
    assert!(stream.unwrap_err().to_string().contains("CaUsedAsEndEntity"));
    let other = home.path().join("other");
    make_authority(&other);
    let foreign = other.join("tls/ca-key.pem");
    let arguments = ["start", "--in-memory", "--port", "0", "--tls-cert", path_text(&cert), "--tls-key"];
    let said = refusal(&[&arguments[..], &[path_text(&foreign)]].concat());
    assert!(said.contains("is not the key of"), "{said}");
    let said = refusal(&[&arguments[..], &[path_text(&home.path().join("nowhere"))]].concat());
    assert!(said.contains("cannot use"), "{said}");
}

#[tokio::test]
async fn the_command_line_speaks_tls() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data-dir", path_text(home.path())]);
    let call = |bundle: &Path| {
        let mut command = command(&["call", "sqs", "ListQueues", "{}"]);
        command.env("AWS_ENDPOINT_URL", format!("https://localhost:{}", server.port()));
        command.env("AWS_CA_BUNDLE", bundle).output().unwrap()
    };
    let answered = call(&home.path().join("tls/ca.pem"));
    assert!(answered.status.success(), "{answered:?}");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&answered.stdout).unwrap(), json!({}));
    let other = tempfile::tempdir().unwrap();
    make_authority(other.path());
    let refused = call(&other.path().join("tls/ca.pem"));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("UnknownIssuer") && said.contains("buswork trust"), "{said}");
    assert!(!said.contains("no server answers"), "{said}");
}

#[test]
fn trust_says_where_the_authority_is() {
    let home = tempfile::tempdir().unwrap();
    make_authority(home.path());
    let directory = path_text(home.path());
    let printed = String::from_utf8(run(&["trust", "--data-dir", directory]).stdout).unwrap();
    assert_eq!(printed.trim(), path_text(&home.path().canonicalize().unwrap().join("tls/ca.pem")));
    let pem = String::from_utf8(run(&["trust", "--data-dir", directory, "--pem"]).stdout).unwrap();
    assert_eq!(pem.trim(), std::fs::read_to_string(printed.trim()).unwrap().trim());
}

#[test]
fn no_authority_is_made_where_no_server_has_made_one() {
    let home = tempfile::tempdir().unwrap();
    let absent = home.path().join("typo");
    for (directory, more) in
        [(home.path(), None), (&absent, Some("--install")), (&absent, Some("--uninstall"))]
    {
        let arguments = ["trust", "--data-dir", path_text(directory)];
        let said = refusal(&arguments.into_iter().chain(more).collect::<Vec<_>>());
        assert!(said.contains("there is no local authority in") && said.contains("--data-dir"), "{said}");
    }
    assert!(!absent.exists() && !home.path().join("tls").exists());
    let said = refusal(&["verify", "--data-dir", path_text(&absent)]);
    assert!(said.contains("there is no store at"), "{said}");
    let said = refusal(&["trace", "--endpoint", "foo", "x"]);
    assert!(said.contains("--endpoint (or AWS_ENDPOINT_URL) is `foo`"), "{said}");
    let said = refusal(&["redeliver", "nope"]);
    assert!(said.contains("no event that is kept has the id nope"), "{said}");
}
