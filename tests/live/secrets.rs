//! Secrets stay inside (T18): no answer, log line or playlist that the public can read holds a
//! stream key, a password, its hash, a session's token or a secret of another service.

use std::time::Duration;

use serde_json::json;

use crate::client::{MARKED, ask, log_in, post, routes};
use crate::http::Response;
use crate::publish::Publisher;
use crate::server::Server;
use crate::tool::{scratch, wait_for};

const LIMIT: Duration = Duration::from_secs(30);
const KEYS: [&str; 2] = ["tell-nobody-first", "tell-nobody-second"];
const NEW_PASSWORD: &str = "tell-nobody-password";
const GUESSED: &str = "guessed-and-not-logged";

struct Holder {
    secrets: Vec<String>,
}

impl Holder {
    fn check(&self, place: &str, text: &str) {
        for secret in &self.secrets {
            assert!(!text.contains(secret), "{place} holds {secret:?}: {text}");
        }
    }

    fn check_answer(&self, place: &str, answer: &Response) {
        self.check(place, &String::from_utf8_lossy(&answer.body));
        for (name, value) in &answer.headers {
            self.check(&format!("{place}, {name}"), value);
        }
    }
}

/// The admin's password as the first start shows it.
fn first_password(server: &Server) -> String {
    wait_for("the password is shown", LIMIT, || {
        let log = server.log();
        let (_, rest) = log.split_once("user admin, password ")?;
        Some(rest.split_whitespace().next()?.to_owned())
    })
}

#[test]
fn nothing_that_the_public_reads_holds_a_secret() {
    let server = Server::start_without_secrets(&scratch("data"));
    let password = first_password(&server);
    let session = wait_for("the admin may log in", LIMIT, || log_in(&server, &password));
    let admin = [MARKED, ("Cookie", session.as_str())];
    let secret = "tell-nobody-elsewhere";
    let keys = json!([{"key": KEYS[0], "comment": "mine"}, {"key": KEYS[1], "comment": "yours"}]);
    let s3 = json!({"enabled": true, "endpoint": "https://s3.example.org", "accessKey": secret,
        "secret": secret, "region": "r", "bucket": "b"});
    let discord = json!({"enabled": true, "webhook": format!("https://d.example.org/{secret}")});
    for (path, value) in [
        ("streamkeys", keys),
        ("s3", s3),
        ("notifications/discord", discord),
        ("welcomemessage", json!("welcome")),
        ("directoryenabled", json!(true)),
    ] {
        let path = format!("/api/admin/config/{path}");
        let answer = post(&server, &path, &admin, &json!({ "value": value }).to_string());
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    // Who guesses is not written down either: it may be a slip of the finger.
    let guess = Publisher::looped("fps25", &server.publish_url_with(GUESSED));
    assert_eq!(log_in(&server, GUESSED), None);
    let publisher = Publisher::looped("fps25", &server.publish_url_with(KEYS[1]));
    server.wait_live();
    drop(guess);
    let token = session.split_once('=').expect("a value").1.to_owned();
    let mut holder =
        Holder { secrets: vec![password, token, secret.to_owned(), GUESSED.to_owned()] };
    holder.secrets.extend(KEYS.map(str::to_owned));
    holder.secrets.extend(["$argon2", "$2a$", NEW_PASSWORD].map(str::to_owned));

    let (_, routes) = routes(&server);
    for route in &routes {
        let what = format!("{} {}", route.method, route.path);
        // As anybody: what the admin's side says to strangers counts too.
        let answer = match route.method.as_str() {
            "POST" => post(&server, &route.target(), &[MARKED], "{\"value\":1}"),
            method => ask(&server, method, &route.target(), &[]),
        };
        holder.check_answer(&what, &answer);
    }
    for path in [
        "/hls/stream.m3u8",
        "/hls/0/stream.m3u8",
        "/hls/audio/stream.m3u8",
        "/?key=1",
        "/embed/video",
        "/metrics",
        "/nothing",
        "/public/riverrun.redb",
        "/public/../riverrun.redb",
        "/riverrun.redb",
        "/data/riverrun.redb",
    ] {
        holder.check_answer(path, &server.get(path));
    }
    // Of what the admin reads, the settings alone hold what was typed there, and no hash.
    for route in routes.iter().filter(|route| route.method == "GET" && route.is_admin()) {
        if route.path.ends_with("/disconnect") {
            continue;
        }
        let answer = ask(&server, "GET", &route.target(), &admin[1..]);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("$argon2") && !text.contains(&holder.secrets[1]), "{}", route.path);
        if !route.path.ends_with("/serverconfig") {
            holder.check_answer(&route.path, &answer);
        }
    }
    assert_eq!(ask(&server, "POST", "/api/admin/disconnect", &admin).status, 200);
    drop(publisher);
    wait_for("the broadcast is over", LIMIT, || {
        (server.get("/api/status").json()["online"] == false).then_some(())
    });
    let body = json!({ "value": NEW_PASSWORD }).to_string();
    assert_eq!(post(&server, "/api/admin/config/adminpass", &admin, &body).status, 200);
    // The first start shows what it made, once; nothing else is ever written.
    let log = server.log();
    holder.secrets.remove(0);
    holder.check("the log", &log);
}
