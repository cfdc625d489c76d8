//! The API from outside: every route as the server itself describes it, settings that survive,
//! secrets that stay inside, viewers that are counted once.

use std::time::Duration;

use serde_json::json;

use crate::client::{
    BASIC, FOREIGN, ask, assert_simple, log_in, post, routes, set, wait_for_the_admin,
};
use crate::http;
use crate::publish::Publisher;
use crate::schema::misfits;
use crate::server::{ADMIN_PASSWORD, STREAM_KEY, Server};
use crate::tool::{scratch, wait_for};

const LIMIT: Duration = Duration::from_secs(30);

/// T5 and T35: each route by who asks and from where.
#[test]
fn every_route_lets_in_whom_it_says() {
    let server = Server::start();
    wait_for_the_admin(&server);
    let (_, routes) = routes(&server);
    for route in routes.iter().filter(|route| !route.is_media()) {
        let what = format!("{} {}", route.method, route.path);
        let target = route.target();
        let plain = ask(&server, "OPTIONS", &target, &[]);
        assert_eq!(plain.status, 204, "OPTIONS {}", route.path);
        assert!(plain.header("allow").is_some_and(|allow| allow.contains(&route.method)), "{what}");
        let wrong = ask(&server, "PATCH", &target, &[BASIC]);
        assert_eq!(wrong.status, 405, "PATCH {}", route.path);
        assert_simple(&wrong, false, &what);
        assert!(wrong.header("allow").is_some_and(|allow| allow.contains(&route.method)), "{what}");
        if !is_shared(&server, &target) {
            // T5: no page of another site reads it, whatever the browser sends along.
            for headers in [&[FOREIGN][..], &[FOREIGN, BASIC]] {
                let answer = ask(&server, &route.method, &target, headers);
                assert_eq!(answer.header("access-control-allow-origin"), None, "{what}");
            }
        }
        let guarded = route.path.starts_with("/api/admin/") || route.path == "/metrics";
        if guarded {
            for headers in [&[FOREIGN][..], &[FOREIGN, BASIC], &[("Origin", "null"), BASIC]] {
                let answer = ask(&server, &route.method, &target, headers);
                assert_eq!(answer.status, 403, "{what} {headers:?}");
                assert_eq!(answer.header("access-control-allow-origin"), None, "{what}");
            }
            assert_eq!(ask(&server, "OPTIONS", &target, &[FOREIGN]).status, 403, "{what}");
        }
        if route.is_admin() {
            let marked = [("X-Owncast-CSRF-Protection", "1")];
            let nobody = ask(&server, &route.method, &target, &marked);
            assert_eq!(nobody.status, 401, "{what}");
            assert!(nobody.header("www-authenticate").is_some(), "{what}");
            let session = [marked[0], ("Cookie", "owncast_admin_session=0123456789abcdef")];
            assert_eq!(ask(&server, &route.method, &target, &session).status, 401, "{what}");
        }
        if route.is_coming() {
            let answer = ask(&server, &route.method, &target, &[BASIC]);
            assert_eq!(answer.status, 501, "{what}");
            assert_simple(&answer, false, &what);
        }
    }
}

/// T5: origins by ways of showing who one is. The bodies are empty, so that nothing is changed.
#[test]
fn every_admin_route_by_origin_and_credentials() {
    let server = Server::start();
    wait_for_the_admin(&server);
    let session = log_in(&server, ADMIN_PASSWORD).expect("a session");
    let (_, routes) = routes(&server);
    let origins = [None, Some("http://riverrun.test"), Some("https://evil.example"), Some("null")];
    let bearer = ("Authorization", "Bearer 0123456789abcdef");
    let shown = [None, Some(("Cookie", session.as_str())), Some(bearer), Some(BASIC)];
    for route in routes.iter().filter(|route| route.is_admin()) {
        for origin in origins {
            for credentials in shown {
                let headers: Vec<_> = origin
                    .map(|origin| ("Origin", origin))
                    .into_iter()
                    .chain(credentials)
                    .collect();
                let answer = ask(&server, &route.method, &route.target(), &headers);
                let is_foreign = matches!(origin, Some("https://evil.example" | "null"));
                let changes = route.method != "GET";
                // A browser sends cookies along with what others' pages ask it to send.
                let is_blind = changes && origin.is_none() && credentials != Some(BASIC);
                let is_blind = is_blind && credentials != Some(bearer);
                let is_admin = matches!(credentials, Some(("Cookie", _) | BASIC));
                let what = format!("{} {} {headers:?}", route.method, route.path);
                match answer.status {
                    403 => assert!(is_foreign || is_blind, "{what}"),
                    401 => assert!(!is_foreign && !is_blind && !is_admin, "{what}"),
                    _ => assert!(!is_foreign && !is_blind && is_admin, "{what}"),
                }
                assert_eq!(answer.header("access-control-allow-origin"), None, "{what}");
            }
        }
    }
}

/// Whether pages of other sites may read it by what OPTIONS says.
fn is_shared(server: &Server, target: &str) -> bool {
    let preflight = [FOREIGN, ("Access-Control-Request-Method", "GET")];
    let answer = ask(server, "OPTIONS", target, &preflight);
    answer.header("access-control-allow-origin") == Some("*")
}

#[test]
fn every_answer_has_the_shape_that_is_described() {
    let server = Server::start();
    wait_for_the_admin(&server);
    let publisher = Publisher::looped("fps25", &server.publish_url());
    for is_live in [false, true] {
        if is_live {
            server.wait_live();
        }
        let (document, routes) = routes(&server);
        let reads = routes.iter().filter(|route| route.method == "GET" && !route.is_coming());
        for route in reads.filter(|route| !route.is_media() && !route.path.contains('{')) {
            if route.path == "/api/admin/disconnect" {
                continue;
            }
            let answer = ask(&server, "GET", &route.target(), &[BASIC]);
            let expected = match route.path.as_str() {
                "/api/yp" => 404,
                "/embed/chat" | "/embed/chat/" => 307,
                _ => 200,
            };
            assert_eq!(answer.status, expected, "{}", route.path);
            let content = &route.description["responses"]["200"]["content"];
            let schema = &content["application/json"]["schema"];
            if schema.is_object() && answer.status == 200 {
                let found = misfits(schema, &answer.json(), &document);
                assert!(found.is_empty(), "{} live={is_live}: {found:#?}", route.path);
            }
            // T18: what everybody may read holds no secret.
            let text = String::from_utf8_lossy(&answer.body);
            assert!(!text.contains(ADMIN_PASSWORD) && !text.contains("$argon2"), "{}", route.path);
            assert!(!text.contains(STREAM_KEY), "{}", route.path);
        }
    }
    let status = ask(&server, "GET", "/api/admin/status", &[BASIC]).json();
    assert_eq!(status["broadcaster"]["streamDetails"]["videoCodec"], "H.264", "{status}");
    assert_eq!(status["broadcaster"]["streamDetails"]["audioCodec"], "AAC", "{status}");
    // The admin ends the broadcast, and it is over rather than interrupted.
    let ended = ask(&server, "GET", "/api/admin/disconnect", &[BASIC]);
    assert_eq!(ended.status, 200, "{}", ended.text());
    drop(publisher);
    wait_for("the broadcast is over", LIMIT, || {
        server.get("/api/status").json()["lastConnectTime"].is_null().then_some(())
    });
    assert_eq!(ask(&server, "POST", "/api/admin/disconnect", &[BASIC]).status, 400);
}

/// What no setter takes is refused with 400 and changes nothing.
#[test]
fn bad_bodies_are_refused_everywhere() {
    let server = Server::start();
    wait_for_the_admin(&server);
    let (_, routes) = routes(&server);
    let config = || ask(&server, "GET", "/api/admin/serverconfig", &[BASIC]).json();
    let before = config();
    let deep = format!("{{\"value\":{}", "[".repeat(1_000));
    let with_body = routes.iter().filter(|route| route.description["requestBody"].is_object());
    for route in with_body.filter(|route| !route.is_coming()) {
        for body in [
            "",
            "null",
            "[]",
            "{",
            "{}",
            "\"value\"",
            "{\"value\":{\"nosuch\":{}}}",
            "{\"value\":1,\"value\":1}",
            "{\"nosuch\":1}",
            "{\"value\":\"\\ud800\"}",
            deep.as_str(),
        ] {
            let answer = post(&server, &route.target(), &[BASIC], body);
            let what = format!("{} {:?}", route.path, body.get(..40).unwrap_or(body));
            assert_eq!(answer.status, 400, "{what}: {}", answer.text());
            assert_simple(&answer, false, &what);
        }
        let binary =
            http::send(server.http, "POST", &route.target(), &[BASIC], b"{\"value\":\"\xff\"}");
        assert_eq!(binary.expect("an answer").status, 400, "{}", route.path);
        let form = [BASIC, ("Content-Type", "multipart/form-data; boundary=x")];
        assert_eq!(post(&server, &route.target(), &form, "{}").status, 400, "{}", route.path);
        // Told by its length alone.
        let mut connection = http::Connection::open(server.http).expect("the server listens");
        let long = [BASIC, ("Content-Length", "4194304")];
        let answer = connection.exchange("POST", &route.target(), &long, LIMIT);
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 413, "{}", route.path);
        assert_simple(&answer, false, &route.path);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{}", route.path);
    }
    assert_eq!(config(), before);
}

#[test]
fn what_was_set_is_shown_and_survives_a_kill() {
    let server = Server::start();
    wait_for_the_admin(&server);
    for (setting, value) in [
        ("name", json!("North <b>")),
        ("streamtitle", json!("Evening")),
        ("tags", json!(["#art", "music"])),
        ("offlinemessage", json!("back *soon*")),
        ("hideviewercount", json!(true)),
        ("directoryenabled", json!(true)),
        ("video/streamlatencylevel", json!(9)),
        ("schedule/chatopenminutes", json!(30)),
        ("s3", json!({"enabled": false, "secret": "s3cret-of-the-bucket"})),
    ] {
        let answer = set(&server, setting, &value);
        assert_eq!(answer.status, 200, "{setting}: {}", answer.text());
        assert_simple(&answer, true, setting);
    }
    let gif = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    let emoji = json!({"name": "party.gif", "data": format!("data:image/gif;base64,{gif}")});
    assert_eq!(post(&server, "/api/admin/emoji/upload", &[BASIC], &emoji.to_string()).status, 200);
    assert_eq!(post(&server, "/api/admin/emoji/upload", &[BASIC], &emoji.to_string()).status, 400);
    assert_eq!(set(&server, "logo", &emoji["data"]).status, 200);

    let folder = server.kill_and_keep_data();
    let server = Server::start_in(&folder, &[]);
    let config = server.get("/api/config").json();
    assert_eq!(config["name"], "North <b>");
    assert_eq!(config["streamTitle"], "Evening");
    assert_eq!(config["tags"], json!(["art", "music"]));
    assert_eq!(config["offlineMessage"], "<p>back <em>soon</em></p>");
    assert_eq!(config["hideViewerCount"], true);
    assert!(!server.get("/api/config").text().contains("s3cret"));
    assert_eq!(server.get("/api/yp").json()["name"], "North <b>");
    assert_eq!(
        server.get("/api/emoji").json(),
        json!([{"name": "party.gif", "url": "/img/emoji/party.gif"}])
    );
    for path in ["/img/emoji/party.gif", "/logo", "/logo/external"] {
        let picture = server.get(path);
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/gif")));
    }
    assert!(server.get("/").text().contains("North &lt;b&gt;"));
    wait_for_the_admin(&server);
    let shown = ask(&server, "GET", "/api/admin/serverconfig", &[BASIC]).json();
    assert_eq!(shown["videoSettings"]["latencyLevel"], 4);
    assert_eq!(shown["schedule"]["chatOpenMinutesBefore"], 30);
    assert_eq!(shown["s3"]["secret"], "s3cret-of-the-bucket");
    assert_eq!(
        (&shown["streamKeyOverridden"], &shown["adminPassword"]),
        (&json!(true), &json!(""))
    );
    // The command line decides these, and says so.
    assert_eq!(shown["lockedSettings"]["webserverport"], "--http");
    let locked = set(&server, "webserverport", &json!(80));
    assert_eq!(locked.status, 400);
    assert!(locked.text().contains("--http"), "{}", locked.text());
    assert_eq!(set(&server, "adminpass", &json!("another-password")).status, 400);
}

/// Two admins at once: every acknowledged change is there, none is half.
#[test]
fn two_admins_at_once_are_served_one_after_the_other() {
    let server = Server::start();
    wait_for_the_admin(&server);
    std::thread::scope(|scope| {
        for admin in 0..2 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..10 {
                    let value = json!(format!("admin {admin} round {round}"));
                    let setting = ["name", "serversummary"][admin];
                    assert_eq!(set(server, setting, &value).status, 200);
                }
            });
        }
    });
    let config = server.get("/api/config").json();
    assert_eq!(
        (&config["name"], &config["summary"]),
        (&json!("admin 0 round 9"), &json!("admin 1 round 9"))
    );
}

#[test]
fn a_login_begins_a_session_and_a_new_password_ends_it() {
    let folder = scratch("data");
    let server = Server::start_without_secrets(&folder);
    let password = wait_for("the password is shown", LIMIT, || {
        let log = server.log();
        let (_, rest) = log.split_once("user admin, password ")?;
        Some(rest.split_whitespace().next()?.to_owned())
    });
    let key = |log: &str| {
        let (_, rest) = log.split_once("Stream key")?;
        Some(rest.split_whitespace().next()?.to_owned())
    };
    let stream_key = key(&server.log()).expect("the key is shown");
    let marked = ("X-Owncast-CSRF-Protection", "1");
    let login = |password: &str| {
        let body = json!({ "password": password }).to_string();
        post(&server, "/api/admin/login", &[marked], &body)
    };
    let welcome = wait_for("the login is answered", LIMIT, || {
        Some(login(&password)).filter(|answer| answer.status != 503)
    });
    assert_eq!(welcome.status, 200, "{}", welcome.text());
    let cookie = welcome.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a value").to_owned();
    let session = ("Cookie", cookie.as_str());
    let shown = ask(&server, "GET", "/api/admin/serverconfig", &[session]).json();
    assert_eq!(shown["streamKeys"][0]["key"], json!(stream_key));
    // A session changes nothing for a page that does not say where it is from.
    let name = "{\"value\":\"x\"}";
    assert_eq!(post(&server, "/api/admin/config/name", &[session], name).status, 403);
    assert_eq!(post(&server, "/api/admin/config/name", &[session, marked], name).status, 200);
    assert_eq!(login("wrong-password").status, 401);

    // The list of keys counts at once.
    let _publisher = Publisher::looped("fps25", &server.publish_url_with(&stream_key));
    server.wait_live();
    let keys = json!({"value": [{"key": "another-key-of-mine", "comment": "new"}]}).to_string();
    assert_eq!(
        post(&server, "/api/admin/config/streamkeys", &[session, marked], &keys).status,
        200
    );
    assert_eq!(ask(&server, "POST", "/api/admin/disconnect", &[session, marked]).status, 200);
    let _renamed = Publisher::looped("fps25", &server.publish_url_with("another-key-of-mine"));
    server.wait_live();

    let new = "{\"value\":\"a-new-password\"}";
    let changed = post(&server, "/api/admin/config/adminpass", &[session, marked], new);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(ask(&server, "GET", "/api/admin/status", &[session]).status, 401);
    assert_eq!(login(&password).status, 401);
    assert_eq!(login("a-new-password").status, 200);
    let log = server.log();
    assert!(!log.contains("a-new-password") && !log.contains("another-key-of-mine"), "{log}");
}

/// Clients that know the API's description and nothing of this server (`tests/tools/clients.py`).
#[test]
fn clients_written_from_the_description_are_content() {
    let server = Server::start();
    wait_for_the_admin(&server);
    let mut script = crate::tool::python();
    script.arg("tests/tools/clients.py").args([&server.url(""), ADMIN_PASSWORD]);
    let output = script.output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn guessing_the_password_is_locked_out() {
    let server = Server::start();
    wait_for_the_admin(&server);
    let wrong = ("Authorization", "Basic YWRtaW46Z3Vlc3M=");
    let statuses: Vec<u16> =
        (0..12).map(|_| ask(&server, "GET", "/api/admin/status", &[wrong]).status).collect();
    assert!(statuses.starts_with(&[401; 10]) && statuses.ends_with(&[429]), "{statuses:?}");
}

#[test]
fn viewers_are_counted_once_and_forged_addresses_are_not_believed() {
    // This test's own connections come from no proxy.
    let server = Server::start_with(&["--trusted-proxies", "192.0.2.1"]);
    wait_for_the_admin(&server);
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    let watch = |agent: &str, forged: &str| {
        for path in ["/hls/stream.m3u8", "/hls/0/stream.m3u8", "/api/ping"] {
            let headers = [("User-Agent", agent), ("X-Forwarded-For", forged)];
            assert_eq!(http::fetch(server.http, "GET", path, &headers).expect("ok").status, 200);
        }
    };
    wait_for("two viewers are counted", LIMIT, || {
        watch("first", "203.0.113.1");
        watch("first", "203.0.113.2");
        watch("second", "203.0.113.3");
        // Whoever only loads media is no viewer.
        let _ = http::fetch(server.http, "GET", "/hls/0/1.m4s", &[("User-Agent", "third")]);
        (server.get("/api/status").json()["viewerCount"] == 2).then_some(())
    });
    let viewers = ask(&server, "GET", "/api/admin/viewers", &[BASIC]).json();
    let mut agents: Vec<_> =
        viewers.as_array().expect("a list").iter().map(|viewer| &viewer["userAgent"]).collect();
    agents.sort_by_key(|agent| agent.to_string());
    assert_eq!(agents, [&json!("first"), &json!("second")]);
    assert!(viewers[0]["ipAddress"] == "127.0.0.1" && viewers[0]["geo"].is_null(), "{viewers}");
    let status = ask(&server, "GET", "/api/admin/status", &[BASIC]).json();
    assert_eq!(status["sessionPeakViewerCount"], 2);
    // Hidden from everybody but the admin.
    assert_eq!(set(&server, "hideviewercount", &json!(true)).status, 200);
    assert!(server.get("/api/status").json().get("viewerCount").is_none());
}
