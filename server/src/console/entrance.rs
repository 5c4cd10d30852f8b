//! The console's entrance. In the development profile it is this machine; in the strict one it is the operator's token, which
//! a person types once and the browser then keeps as a cookie.

use askama::Template;
use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::access::Operators;
use crate::front::{Body, plain};

use super::form::Form;
use super::{PATH, goto, guard, html_page};

/// The page on which the token is typed.
const LOGIN: &str = "login";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    to: &'a str,
    failed: bool,
}

/// What a request gets instead of a page; `None` for whom the pages are.
pub(super) fn pass(
    operators: &Operators,
    request: &Request<Bytes>,
    page: &str,
    host: &str,
    endpoint: &str,
) -> Option<Response<Body>> {
    if operators.are_everybody() {
        return (!guard::is_ours(host, endpoint)).then(|| plain(StatusCode::FORBIDDEN, guard::ELSEWHERE));
    }
    if !operators.exist() {
        let closed = "the strict profile opens the console with an operator token: set `operator_token`\n";
        return Some(plain(StatusCode::FORBIDDEN, closed));
    }
    if page == LOGIN {
        return Some(login(operators, request, host));
    }
    if operators.allow(request.headers()) {
        return None;
    }
    if *request.method() != Method::GET {
        return Some(plain(StatusCode::UNAUTHORIZED, "this page is for operators\n"));
    }
    let here = request.uri().path_and_query().map_or(PATH, |here| here.as_str());
    let to: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
    Some(goto(&format!("{PATH}/{LOGIN}?to={to}")))
}

fn login(operators: &Operators, request: &Request<Bytes>, host: &str) -> Response<Body> {
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    if *request.method() != Method::POST {
        return shown(query.get("to"), false);
    }
    if let Err(why) = guard::same_origin(request.headers(), host) {
        return plain(StatusCode::FORBIDDEN, why);
    }
    let form = Form::parse(request.body());
    let cookie = operators.cookie(form.get("token")).and_then(|cookie| HeaderValue::from_str(&cookie).ok());
    let Some(cookie) = cookie else { return shown(form.get("to"), true) };
    // Only to a page of ours, wherever the address came from.
    let to = Some(form.get("to")).filter(|to| to.starts_with(&format!("{PATH}/"))).unwrap_or(PATH);
    let mut answer = goto(to);
    answer.headers_mut().insert(SET_COOKIE, cookie);
    answer
}

fn shown(to: &str, failed: bool) -> Response<Body> {
    let status = if failed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    html_page(status, LoginPage { to, failed }.render().unwrap_or_default())
}
