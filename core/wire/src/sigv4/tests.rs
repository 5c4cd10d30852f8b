//! AWS's published examples, and what must not pass.

use http::{HeaderMap, HeaderName};

use super::*;

const SUITE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Case {
    method: &'static str,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Case {
    fn new(method: &'static str, target: &str, headers: &[(&str, &str)]) -> Case {
        let pair = |(name, value): &(&str, &str)| -> (HeaderName, http::HeaderValue) {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            map.append(name, value);
        }
        Case { method, target: target.to_owned(), headers: map, body: Vec::new() }
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Case {
        self.body = body.into();
        self
    }

    fn verify(&self, secret: &str, now: &str) -> Result<(), Fault> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let body = self.body.clone().into();
        let request = Request { method: self.method, path, query, headers: &self.headers, body };
        let signature = Signature::parse(&request)?.expect("the request carries a signature");
        verify(&signature, &request, secret, Timestamp::from_iso(now).unwrap())
    }
}

/// A request of the SigV4 test suite: `us-east-1/service`, on 30 August 2015.
fn suite(method: &'static str, target: &str, more: &[(&str, &str)], signed: &str, signature: &str) -> Case {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, \
         Signature={signature}"
    );
    let mut headers = vec![
        ("host", "example.amazonaws.com"),
        ("x-amz-date", "20150830T123600Z"),
        ("authorization", &authorization),
    ];
    headers.extend_from_slice(more);
    Case::new(method, target, &headers)
}

const SUITE_NOW: &str = "2015-08-30T12:36:00Z";
const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

#[test]
fn the_test_suite_verifies() {
    let plain = "host;x-amz-date";
    let cases = [
        suite("GET", "/", &[], plain, VANILLA),
        suite("GET", "/./", &[], plain, VANILLA),
        suite("GET", "//", &[], plain, VANILLA),
        suite("GET", "/example/..", &[], plain, VANILLA),
        suite(
            "GET",
            "/?Param2=value2&Param1=value1",
            &[],
            plain,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        suite(
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            &[],
            plain,
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        suite(
            "GET",
            "/",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        suite("POST", "/", &[], plain, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        suite(
            "POST",
            "/",
            &[("content-type", "application/x-www-form-urlencoded")],
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        )
        .body("Param1=value1"),
    ];
    for case in cases {
        assert_eq!(case.verify(SUITE_SECRET, SUITE_NOW), Ok(()), "{} {}", case.method, case.target);
    }
}

#[test]
fn what_was_changed_is_refused() {
    let cases = [
        suite("POST", "/", &[], "host;x-amz-date", VANILLA),
        suite("GET", "/x", &[], "host;x-amz-date", VANILLA),
        suite("GET", "/?a=b", &[], "host;x-amz-date", VANILLA),
        suite("GET", "/", &[], "host;x-amz-date", VANILLA).body("more"),
        suite("GET", "/", &[("x-a", "b")], "host;x-a;x-amz-date", VANILLA),
        suite("GET", "/", &[], "host;x-amz-date", "00"),
        suite("GET", "/", &[], "host;x-amz-date", "not hexadecimal"),
    ];
    for case in cases {
        let fault = case.verify(SUITE_SECRET, SUITE_NOW).unwrap_err();
        assert_eq!(
            (fault.code.as_ref(), fault.status),
            ("InvalidSignatureException", 403),
            "{}",
            case.target
        );
        assert!(fault.message.starts_with("The request signature we calculated does not match"));
    }
    let case = suite("GET", "/", &[], "host;x-amz-date", VANILLA);
    assert!(case.verify("another secret", SUITE_NOW).is_err());
}

#[test]
fn the_clock_decides() {
    let case = suite("GET", "/", &[], "host;x-amz-date", VANILLA);
    assert_eq!(case.verify(SUITE_SECRET, "2015-08-30T12:41:00Z"), Ok(()));
    let late = case.verify(SUITE_SECRET, "2015-08-30T12:41:01Z").unwrap_err();
    assert_eq!(
        late.message,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    let early = case.verify(SUITE_SECRET, "2015-08-30T12:30:59Z").unwrap_err();
    assert_eq!(
        early.message,
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
}

#[test]
fn what_is_incomplete_is_said() {
    let parse = |authorization: &str, date: Option<&str>| {
        let mut headers = vec![("host", "h"), ("authorization", authorization)];
        headers.extend(date.map(|date| ("x-amz-date", date)));
        let case = Case::new("GET", "/", &headers);
        case.verify("s", SUITE_NOW).unwrap_err().to_string()
    };
    let date = Some("20150830T123600Z");
    assert_eq!(
        parse("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", None),
        "IncompleteSignatureException: Authorization header requires 'Signature' parameter. Authorization header requires \
         'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
         Authorization=AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request"
    );
    assert_eq!(
        parse("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", date),
        "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. \
         keyid/date/region/service/term, got 'a/b'"
    );
    assert_eq!(
        parse("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0", date),
        "IncompleteSignatureException: Credential should be scoped with a valid terminator: 'aws4_request', not 'e'."
    );
    assert_eq!(
        parse("AWS4-HMAC-SHA256 nonsense", date),
        "IncompleteSignatureException: 'nonsense' not a valid key=value pair (missing equal-sign) in Authorization header: \
         'AWS4-HMAC-SHA256 nonsense'."
    );
    assert_eq!(
        parse("AWS4-HMAC-SHA1 x", date),
        "IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'."
    );
    let scoped =
        "AWS4-HMAC-SHA256 Credential=a/20150830/c/d/aws4_request, SignedHeaders=x-amz-date, Signature=0";
    assert_eq!(
        parse(scoped, date),
        "IncompleteSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );
    assert!(parse(scoped, Some("yesterday")).contains("Got 'yesterday'"));
    assert!(parse(scoped, Some("20150831T123600Z")).contains("'20150830' != '20150831'"));
}

#[test]
fn other_authorisations_are_no_signatures() {
    for authorization in ["Bearer eyJ", "eyJ.eyJ.abc", "Basic eDp5", ""] {
        let case = Case::new("GET", "/", &[("authorization", authorization)]);
        let request =
            Request { method: "GET", path: "/", query: "", headers: &case.headers, body: Default::default() };
        assert_eq!(Signature::parse(&request), Ok(None), "{authorization}");
    }
}

const S3_NOW: &str = "2013-05-24T00:00:00Z";

fn s3(
    method: &'static str,
    target: &str,
    more: &[(&str, &str)],
    hash: &str,
    signed: &str,
    signature: &str,
) -> Case {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed},\
         Signature={signature}"
    );
    let mut headers = vec![
        ("x-amz-date", "20130524T000000Z"),
        ("authorization", &authorization),
        ("x-amz-content-sha256", hash),
    ];
    headers.extend_from_slice(more);
    Case::new(method, target, &headers)
}

#[test]
fn the_examples_of_s3_verify() {
    let bucket = ("host", "examplebucket.s3.amazonaws.com");
    let get = s3(
        "GET",
        "/test.txt",
        &[bucket, ("range", "bytes=0-9")],
        EMPTY_HASH,
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
    assert_eq!(get.verify(S3_SECRET, S3_NOW), Ok(()));
    let put = s3(
        "PUT",
        "/test%24file.text",
        &[bucket, ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
    assert_eq!(put.body("Welcome to Amazon S3.").verify(S3_SECRET, S3_NOW), Ok(()));
    let skewed = get.verify(S3_SECRET, "2013-05-24T00:15:01Z").unwrap_err();
    assert_eq!(skewed.code, "RequestTimeTooSkewed");
    assert_eq!(get.body("x").verify(S3_SECRET, S3_NOW).unwrap_err().code, "XAmzContentSHA256Mismatch");
}

#[test]
fn presigned_urls_hold_for_their_time() {
    let case = Case::new(
        "GET",
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3\
         %2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=\
         aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        &[("host", "examplebucket.s3.amazonaws.com")],
    );
    assert_eq!(case.verify(S3_SECRET, "2013-05-24T23:59:59Z"), Ok(()));
    assert_eq!(case.verify(S3_SECRET, "2013-05-25T00:00:01Z").unwrap_err().code, "AccessDenied");
}

fn chunks(sizes: &[(usize, &str)], trailers: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (size, signature) in sizes {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', *size));
        if *size > 0 {
            body.extend_from_slice(b"\r\n");
        }
    }
    body.extend_from_slice(trailers.as_bytes());
    body
}

#[test]
fn signed_chunks_verify_one_by_one() {
    let headers = [
        ("host", "s3.amazonaws.com"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
    ];
    let case = |body: Vec<u8>| {
        s3(
            "PUT",
            "/examplebucket/chunkObject.txt",
            &headers,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
             x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        )
        .body(body)
    };
    let first = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    let second = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497";
    let last = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9";
    let good = chunks(&[(65536, first), (1024, second), (0, last)], "\r\n");
    assert_eq!(case(good.clone()).verify(S3_SECRET, S3_NOW), Ok(()));
    let swapped = chunks(&[(65536, second), (1024, first), (0, last)], "\r\n");
    assert!(case(swapped.clone()).verify(S3_SECRET, S3_NOW).is_err());
    let shortened = chunks(&[(65536, first), (0, last)], "\r\n");
    assert!(case(shortened.clone()).verify(S3_SECRET, S3_NOW).is_err());

    // The same while they come, in pieces of any length.
    let head = case(Vec::new());
    let read = |body: &[u8], piece: usize| {
        let path = head.target.as_str();
        let head =
            Request { method: "PUT", path, query: "", headers: &head.headers, body: Default::default() };
        let signature = Signature::parse(&head).unwrap().unwrap();
        let proof = verify_head(&signature, &head, S3_SECRET, Timestamp::from_iso(S3_NOW).unwrap()).unwrap();
        let mut reader = BodyReader::new(head.headers, proof);
        let mut taken = 0;
        for piece in body.chunks(piece) {
            let found = reader.push(bytes::Bytes::copy_from_slice(piece))?;
            taken += found.iter().map(bytes::Bytes::len).sum::<usize>();
        }
        reader.finish().map(|trailers| (taken, trailers.len()))
    };
    for piece in [1, 7, 4096, 100_000] {
        assert_eq!(read(&good, piece), Ok((66_560, 0)), "{piece}");
        assert_eq!(read(&swapped, piece).unwrap_err().code, "InvalidSignatureException", "{piece}");
        assert!(read(&shortened, piece).is_err(), "{piece}");
    }
    assert_eq!(read(&good[..good.len() / 2], 4096).unwrap_err().code, "IncompleteBody");
}

#[test]
fn signed_trailers_verify() {
    let headers = [
        ("host", "s3.amazonaws.com"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
    ];
    let case = |trailers: &str| {
        let sizes = [
            (65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
            (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
            (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
        ];
        s3(
            "PUT",
            "/examplebucket/chunkObject.txt",
            &headers,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;\
             x-amz-trailer",
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        )
        .body(chunks(&sizes, trailers))
    };
    let signature =
        "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
    let good = format!("x-amz-checksum-crc32c:sOO8/Q==\r\n{signature}");
    assert_eq!(case(&good).verify(S3_SECRET, S3_NOW), Ok(()));
    let changed = format!("x-amz-checksum-crc32c:AAAA/Q==\r\n{signature}");
    assert!(case(&changed).verify(S3_SECRET, S3_NOW).is_err());
    assert!(case("x-amz-checksum-crc32c:sOO8/Q==\r\n").verify(S3_SECRET, S3_NOW).is_err());
}

#[test]
fn broken_framing_is_an_error() {
    for framed in [
        "",
        "5\r\nab",
        "zz\r\n",
        "2\r\nabX\r\n0\r\n\r\n",
        "2\r\nab\r\n",
        "0\r\nno colon",
        "ffffffffffffffff\r\n",
    ] {
        assert!(Chunks::parse(&framed.to_owned().into()).is_err(), "{framed:?}");
    }
    let plain = Chunks::parse(&"2\r\nab\r\n1\r\nc\r\n0\r\nX-T: v\r\n\r\n".to_owned().into()).unwrap();
    assert_eq!(
        (plain.body.as_ref(), plain.trailers),
        (b"abc".as_ref(), vec![("x-t".to_owned(), "v".to_owned())])
    );
}

/// A request of our own making, signed now, and then changed on its way.
fn sent(service: &str, body: &str, change: impl FnOnce(&mut Case)) -> Result<(), Fault> {
    let headers = [
        ("host", "127.0.0.1:4566"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "AmazonSQS.X"),
    ];
    let mut case = Case::new("POST", "/a%20b/?q=1%2F2", &headers).body(body);
    let body = case.body.clone().into();
    let signer = Signer {
        access_key: "AKIDEXAMPLE",
        secret: SUITE_SECRET,
        session_token: Some("token"),
        region: "eu-central-1",
        service,
    };
    let now = Timestamp::from_iso(SUITE_NOW).unwrap();
    let headers = &mut case.headers;
    sign(Unsigned { method: "POST", path: "/a%20b/", query: "q=1%2F2", headers, body: &body }, &signer, now)?;
    change(&mut case);
    case.verify(SUITE_SECRET, SUITE_NOW)
}

#[test]
fn what_we_sign_verifies_and_not_when_it_was_changed() {
    for service in ["sqs", "s3"] {
        assert_eq!(sent(service, "{}", |_| {}), Ok(()), "{service}");
        let refused = |change: fn(&mut Case)| sent(service, "{}", change).unwrap_err().code.into_owned();
        let digest = if service == "s3" { "XAmzContentSHA256Mismatch" } else { "InvalidSignatureException" };
        assert_eq!(refused(|case| case.body = b"{ }".to_vec()), digest);
        let header = |name: &'static str, value: &'static str| {
            move |case: &mut Case| {
                case.headers.insert(name, value.parse().unwrap());
            }
        };
        for change in [header("x-amz-target", "AmazonSQS.Y"), header("x-amz-security-token", "other")] {
            assert_eq!(sent(service, "{}", change).unwrap_err().code, "InvalidSignatureException");
        }
        assert_eq!(refused(|case| case.target = "/a%20b/?q=2".to_owned()), "InvalidSignatureException");
        assert_eq!(refused(|case| case.method = "PUT"), "InvalidSignatureException");
        // A body with its own right hash in the header: then the header is not what was signed.
        let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let swapped = sent(service, "{\"a\":1}", |case| {
            case.body = b"{}".to_vec();
            case.headers.insert("x-amz-content-sha256", hash.parse().unwrap());
        });
        assert_eq!(swapped.unwrap_err().code, "InvalidSignatureException");
    }
}

#[test]
fn a_head_is_proven_before_its_body_comes() {
    let case = s3(
        "PUT",
        "/test%24file.text",
        &[
            ("host", "examplebucket.s3.amazonaws.com"),
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
    let (path, body) = (case.target.as_str(), Default::default());
    let head = Request { method: "PUT", path, query: "", headers: &case.headers, body };
    let signature = Signature::parse(&head).unwrap().unwrap();
    let check =
        |secret: &str, now: &str| verify_head(&signature, &head, secret, Timestamp::from_iso(now).unwrap());
    assert!(check(S3_SECRET, S3_NOW).is_ok());
    assert!(check("another", S3_NOW).is_err());
    assert_eq!(check(S3_SECRET, "2013-05-24T00:15:01Z").unwrap_err().code, "RequestTimeTooSkewed");
}

#[test]
fn what_changes_a_request_must_be_signed() {
    let added = |service: &str, name: &'static str| {
        sent(service, "{}", |case| {
            case.headers.insert(name, "x".parse().unwrap());
        })
    };
    let fault = added("s3", "x-amz-copy-source").unwrap_err();
    assert_eq!((fault.code.as_ref(), fault.status), ("AccessDenied", 403));
    assert_eq!(added("s3", "x-forwarded-for"), Ok(()));
    assert_eq!(added("sqs", "x-amzn-trace-id"), Ok(()));
    let headers = [("x-amz-target", "DynamoDB_20120810.DeleteTable")];
    let unsigned = suite("GET", "/", &headers, "host;x-amz-date", VANILLA);
    let fault = unsigned.verify(SUITE_SECRET, SUITE_NOW).unwrap_err();
    assert!(fault.message.contains("'x-amz-target' must be a 'SignedHeader'"), "{fault}");
}
