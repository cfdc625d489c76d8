//! A client of the API that knows the server's own description, and the admin's password.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{self, Response};
use crate::server::Server;
use crate::tool::wait_for;

/// `admin` and the password of every test server.
pub(crate) const BASIC: (&str, &str) =
    ("Authorization", "Basic YWRtaW46cml2ZXJydW4tdGVzdC1wYXNzd29yZA==");
/// A page of another site.
pub(crate) const FOREIGN: (&str, &str) = ("Origin", "https://evil.example");
/// What pages of other sites cannot send.
pub(crate) const MARKED: (&str, &str) = ("X-Owncast-CSRF-Protection", "1");
const LIMIT: Duration = Duration::from_secs(30);

/// An operation of the description.
pub(crate) struct Route {
    pub(crate) path: String,
    pub(crate) method: String,
    pub(crate) description: Value,
}

impl Route {
    pub(crate) fn is_admin(&self) -> bool {
        self.description["security"][0].get("basic").is_some()
    }

    pub(crate) fn is_coming(&self) -> bool {
        self.description["responses"].get("501").is_some()
    }

    /// The path with something harmless for its names, and what its query needs.
    pub(crate) fn target(&self) -> String {
        let path = self.path.replace(['{', '}'], "");
        match self.path.rsplit('/').next() {
            Some("viewersOverTime") => format!("{path}?windowStart=0"),
            Some("cmcd") if self.method == "GET" => format!("{path}?CMCD=mtp%3D5000"),
            _ => path,
        }
    }

    /// Those that media is fetched by have tests of their own.
    pub(crate) fn is_media(&self) -> bool {
        self.path.starts_with("/hls/")
    }
}

/// The description and its operations.
pub(crate) fn routes(server: &Server) -> (Value, Vec<Route>) {
    let document = server.get("/api/openapi.json").json();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, description) in operations.as_object().expect("operations") {
            routes.push(Route {
                path: path.clone(),
                method: method.to_uppercase(),
                description: description.clone(),
            });
        }
    }
    assert!(routes.len() > 140, "{} routes", routes.len());
    (document, routes)
}

/// A request without a body.
pub(crate) fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    http::send(server.http, method, path, headers, b"")
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// A request with a body.
pub(crate) fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    http::send(server.http, "POST", path, headers, body.as_bytes())
        .unwrap_or_else(|error| panic!("POST {path}: {error}"))
}

/// Sets a setting as the admin.
pub(crate) fn set(server: &Server, setting: &str, value: &Value) -> Response {
    let path = format!("/api/admin/config/{setting}");
    post(server, &path, &[BASIC], &json!({ "value": value }).to_string())
}

/// The first password is hashed while the server is ready already.
pub(crate) fn wait_for_the_admin(server: &Server) {
    wait_for("the admin may log in", LIMIT, || {
        (ask(server, "GET", "/api/admin/status", &[BASIC]).status == 200).then_some(())
    });
}

/// The envelope without an object (API §1.1).
pub(crate) fn assert_simple(answer: &Response, success: bool, what: &str) {
    let body = answer.json();
    assert_eq!(body["success"], success, "{what}: {body}");
    assert!(body["message"].as_str().is_some_and(|words| !words.is_empty()), "{what}: {body}");
}

/// `NAME=TOKEN` of a new session.
pub(crate) fn log_in(server: &Server, password: &str) -> Option<String> {
    let body = json!({ "password": password }).to_string();
    let answer = post(server, "/api/admin/login", &[MARKED], &body);
    let cookie = answer.header("set-cookie")?;
    Some(cookie.split(';').next()?.to_owned())
}
