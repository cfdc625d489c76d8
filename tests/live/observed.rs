//! What the operator sees: figures for Prometheus, the health value, players' reports, history over
//! a restart, and the life of a broadcast as the API tells it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{self, Response};
use crate::publish::Publisher;
use crate::server::{ADMIN_PASSWORD, STREAM_KEY, Server};
use crate::tool::{scratch, wait_for};

/// `admin` and the password of every test server.
const BASIC: (&str, &str) = ("Authorization", "Basic YWRtaW46cml2ZXJydW4tdGVzdC1wYXNzd29yZA==");
const LIMIT: Duration = Duration::from_secs(40);

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    http::send(server.http, method, path, headers, b"")
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

fn admin(server: &Server, path: &str) -> Value {
    let answer = wait_for("the admin may log in", LIMIT, || {
        Some(ask(server, "GET", path, &[BASIC])).filter(|answer| answer.status != 503)
    });
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
    http::send(server.http, "POST", path, headers, body.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("POST {path}: {error}"))
}

fn status(server: &Server) -> Value {
    server.get("/api/status").json()
}

/// One viewer more asks for a playlist.
fn watch(server: &Server, agent: &str) {
    let headers = [("User-Agent", agent)];
    let answer = http::fetch(server.http, "GET", "/hls/stream.m3u8", &headers).expect("ok");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The value of a metric without labels.
fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

#[test]
fn figures_are_the_admins_unless_they_are_opened() {
    let server = Server::start();
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    assert_eq!(ask(&server, "GET", "/metrics", &[]).status, 401);
    admin(&server, "/api/admin/status");
    for (method, path) in [
        ("GET", "/metrics"),
        ("GET", "/api/admin/prometheus"),
        ("POST", "/api/admin/prometheus"),
        ("PUT", "/api/admin/prometheus"),
        ("DELETE", "/api/admin/prometheus"),
    ] {
        let answer = ask(&server, method, path, &[BASIC]);
        assert_eq!(answer.status, 200, "{method} {path}");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"), "{path}");
        // Whoever scrapes begins no session.
        assert_eq!(answer.header("set-cookie"), None);
    }
    let text = wait_for("the figures of the broadcast", LIMIT, || {
        let text = ask(&server, "GET", "/metrics", &[BASIC]).text().to_owned();
        value(&text, "riverrun_ingest_pictures_per_second").filter(|rate| *rate > 20.0)?;
        Some(text)
    });
    assert_well_formed(&text);
    assert_eq!(value(&text, "riverrun_on_air"), Some(1.0));
    assert!(value(&text, "riverrun_ingest_video_bits_per_second").is_some_and(|bits| bits > 1e5));
    assert!(value(&text, "process_resident_memory_bytes").is_some_and(|bytes| bytes > 1e6));
    assert!(text.contains("owncast_instance_active_viewer_count{version="), "{text}");
    assert!(text.contains("riverrun_health{part=\"ingest\"} "), "{text}");
    assert!(!text.contains(STREAM_KEY) && !text.contains(ADMIN_PASSWORD), "{text}");

    let open = post(&server, "/api/admin/config/metricspublic", &[BASIC], &json!({"value": true}));
    assert_eq!(open.status, 200, "{}", open.text());
    assert_eq!(ask(&server, "GET", "/metrics", &[]).status, 200);
    assert_eq!(ask(&server, "GET", "/api/admin/prometheus", &[]).status, 401);
    let health = admin(&server, "/api/admin/health");
    assert_eq!(health["ready"], true, "{health}");
    let ingest = health["findings"].as_array().expect("a list").iter();
    assert!(ingest.clone().any(|finding| finding["part"] == "ingest"), "{health}");
    assert!(health["readings"]["ingest"]["pictures"].as_f64().is_some_and(|rate| rate > 20.0));
}

/// As the format says: each sample behind the TYPE of its metric, each metric once.
fn assert_well_formed(text: &str) {
    let mut seen = std::collections::BTreeSet::new();
    let mut current = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            assert!(seen.insert(name.to_owned()), "{name} twice");
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            current = name;
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.contains(' '), "{line}");
        } else {
            let end = line.find(['{', ' ']).expect("a value");
            assert_eq!(&line[..end], current, "{line}");
            let number = line.rsplit_once(' ').expect("a value").1;
            assert!(number.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(seen.len() > 30 && text.ends_with('\n'), "{text}");
}

#[test]
fn what_players_tell_reaches_the_operator() {
    let server = Server::start();
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    admin(&server, "/api/admin/status");
    let agent = |name: &'static str| ("User-Agent", name);
    let cmcd = json!([{"sid": "tab-1", "ltc": 1500, "mtp": 400, "sta": "p", "ttlb": 80},
        {"sid": "tab-1", "e": "e"}]);
    let plain = json!({"errors": 0, "qualityVariantChanges": 1, "latency": 2.5});
    let query = "/api/metrics/cmcd?CMCD=mtp%3D5000%2Cltc%3D3000%2Csid%3D%22x%22";
    let with = wait_for("three players are shown with their figures", LIMIT, || {
        for name in ["page", "owncast", "query"] {
            watch(&server, name);
        }
        let told = [
            post(&server, "/api/metrics/cmcd", &[agent("page")], &cmcd),
            post(&server, "/api/metrics/playback", &[agent("owncast")], &plain),
            ask(&server, "GET", query, &[agent("query")]),
            // Who does not watch is not heard, and need not know.
            post(&server, "/api/metrics/playback", &[agent("stranger")], &plain),
        ];
        for answer in told {
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{}", answer.text());
        }
        let clients = admin(&server, "/api/admin/viewers/playback");
        let with: Vec<Value> = clients.as_array().expect("a list").to_vec();
        let with: Vec<Value> =
            with.into_iter().filter(|client| !client["playback"].is_null()).collect();
        (with.len() == 3).then_some(with)
    });
    let of = |name: &str| with.iter().find(|client| client["userAgent"] == name).expect("shown");
    assert_eq!(of("page")["playback"]["latencySeconds"], 1.5);
    assert_eq!(of("page")["playback"]["playerState"], "p");
    assert!(of("page")["playback"]["errorCount"].as_f64().is_some_and(|errors| errors >= 1.0));
    assert_eq!(of("owncast")["playback"]["latencySeconds"], 2.5);
    assert_eq!(of("query")["playback"]["bandwidthKbps"], 5_000.0);
    assert_ne!(of("page")["clientID"], of("page")["viewerID"]);

    // The series, the sentence and the figures follow within ten seconds.
    wait_for("the overview", LIMIT, || {
        for name in ["page", "owncast", "query"] {
            watch(&server, name);
        }
        let health = admin(&server, "/api/admin/status")["health"].clone();
        (health["healthPercentage"] == 67).then_some(())
    });
    let metrics = admin(&server, "/api/admin/metrics/video");
    let newest = |name: &str| metrics[name].as_array().and_then(|list| list.last()).cloned();
    assert_eq!(newest("highestLatency").expect("a sample")["value"], 3.0, "{metrics}");
    assert_eq!(newest("minPlayerBitrate").expect("a sample")["value"], 400.0, "{metrics}");
    assert!(newest("errors").is_some(), "{metrics}");
    for body in ["", "{}", "[7]", "{\"cid\":\"x\"}"] {
        let answer = http::send(server.http, "POST", "/api/metrics/cmcd", &[], body.as_bytes());
        assert_eq!(answer.expect("an answer").status, 400, "{body}");
    }
    assert_eq!(ask(&server, "GET", "/api/metrics/cmcd", &[]).status, 400);
}

/// F25: many reports of many programs cost neither the count of viewers nor the admin's answers.
#[test]
fn a_flood_of_reports_is_bounded() {
    let server = Server::start();
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    admin(&server, "/api/admin/status");
    let before = server.resident();
    let mut connection = http::Connection::open(server.http).expect("the server listens");
    let body = json!({"errors": 1e300, "qualityVariantChanges": 1e300, "latency": 1e300});
    for number in 0..5_000 {
        let agent = format!("program {number}");
        let length = body.to_string().len().to_string();
        let headers = [("User-Agent", agent.as_str()), ("Content-Length", length.as_str())];
        connection.send("POST", "/api/metrics/playback", &headers).expect("sent");
        connection.send_raw(body.to_string().as_bytes()).expect("sent");
        assert_eq!(connection.receive("POST", LIMIT).expect("an answer").status, 200);
    }
    watch(&server, "who watches");
    wait_for("the viewer is counted", LIMIT, || {
        watch(&server, "who watches");
        let text = ask(&server, "GET", "/metrics", &[BASIC]).text().to_owned();
        assert_eq!(value(&text, "riverrun_player_errors_total"), Some(0.0));
        (value(&text, "riverrun_viewers") >= Some(1.0)).then_some(())
    });
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
}

#[test]
fn history_and_peaks_survive_a_stop_and_a_kill() {
    let folder = scratch("data");
    // What is no database of places is told once, and harms nobody.
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("GeoLite2-City.mmdb"), "not a database").expect("written");
    let mut server = Server::start_in(&folder, &[]);
    assert_eq!(server.log().matches("database of places").count(), 1, "{}", server.log());
    let publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    let title = json!({"value": "Evening"});
    admin(&server, "/api/admin/status");
    assert_eq!(post(&server, "/api/admin/config/streamtitle", &[BASIC], &title).status, 200);
    let history = |server: &Server| admin(server, "/api/admin/viewersOverTime?windowStart=0");
    let watched = |server: &Server| {
        let samples = history(server);
        let samples = samples.as_array().expect("a list").clone();
        samples.iter().any(|sample| sample["value"] == 2.0)
    };
    wait_for("two viewers are in the history", LIMIT, || {
        watch(&server, "first");
        watch(&server, "second");
        watched(&server).then_some(())
    });
    let since = status(&server)["lastConnectTime"].clone();
    assert!(since.is_string());
    server.terminate();
    assert!(server.wait_end(LIMIT).success());
    drop(publisher);

    let server = server.start_again();
    let now = status(&server);
    assert_eq!((&now["streamTitle"], &now["online"]), (&json!("Evening"), &json!(false)));
    assert!(now["lastConnectTime"].is_null() && now["lastDisconnectTime"].is_string(), "{now}");
    assert!(watched(&server), "{}", history(&server));
    let told = admin(&server, "/api/admin/status");
    assert_eq!(
        (&told["sessionPeakViewerCount"], &told["overallPeakViewerCount"]),
        (&json!(2), &json!(2))
    );
    assert!(told["broadcaster"].is_null() && told["health"].is_null(), "{told}");
    let load = admin(&server, "/api/admin/hardwarestats");
    for series in ["cpu", "memory", "disk"] {
        assert!(load[series].as_array().is_some_and(|list| !list.is_empty()), "{load}");
    }

    // A new broadcast counts its own peak; a kill in the middle of it ends it.
    let publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    wait_for("the session's peak begins anew", LIMIT, || {
        let told = admin(&server, "/api/admin/status");
        (told["sessionPeakViewerCount"] == 0).then_some(())
    });
    assert_eq!(admin(&server, "/api/admin/status")["overallPeakViewerCount"], 2);
    let began = status(&server)["lastConnectTime"].as_str().expect("on air").to_owned();
    let folder = server.kill_and_keep_data();
    drop(publisher);
    let server = Server::start_in(&folder, &[]);
    let now = status(&server);
    let ended = now["lastDisconnectTime"].as_str().expect("it has ended");
    assert!(ended >= began.as_str() && now["lastConnectTime"].is_null(), "{now} began {began}");
    assert_eq!(admin(&server, "/api/admin/status")["overallPeakViewerCount"], 2);
}

/// `online` is what a player finds, from the first part to the end of the grace period.
#[test]
fn online_is_what_can_be_played() {
    let server = Server::start_with(&["--grace-seconds", "60"]);
    let offline = json!({"value": "back *soon*"});
    admin(&server, "/api/admin/status");
    assert_eq!(post(&server, "/api/admin/config/offlinemessage", &[BASIC], &offline).status, 200);
    assert_eq!(server.get("/api/config").json()["offlineMessage"], "<p>back <em>soon</em></p>");
    let before = status(&server);
    assert!(before["lastConnectTime"].is_null() && before["lastDisconnectTime"].is_null());
    assert_eq!(ask(&server, "POST", "/api/admin/disconnect", &[BASIC]).status, 400);

    let publisher = Publisher::looped("fps25", &server.publish_url());
    wait_for("the broadcast is on", LIMIT, || {
        let is_online = status(&server)["online"] == true;
        // Asked second: what is online stays playable.
        let playlist = server.get("/hls/stream.m3u8");
        assert!(!is_online || playlist.status == 200, "online, and {}", playlist.status);
        is_online.then_some(())
    });
    let on = status(&server);
    assert!(on["lastConnectTime"].is_string() && on["lastDisconnectTime"].is_null(), "{on}");
    let told = admin(&server, "/api/admin/status");
    assert_eq!(told["broadcaster"]["streamDetails"]["videoCodec"], "H.264", "{told}");
    assert!(told["broadcaster"]["remoteAddr"].as_str().is_some_and(|a| a.starts_with("127.")));

    // While the publisher is away the broadcast waits and can be played, and the operator is told,
    // once a second of it was judged.
    wait_for("the broadcast is judged", LIMIT, || {
        let health = admin(&server, "/api/admin/health");
        let parts = health["findings"].as_array()?;
        parts.iter().any(|finding| finding["part"] == "ingest").then_some(())
    });
    publisher.kill();
    wait_for("the operator is told", LIMIT, || {
        let health = admin(&server, "/api/admin/health");
        let findings = health["findings"].as_array()?.clone();
        let away = |finding: &Value| {
            finding["message"].as_str().is_some_and(|words| words.contains("is away"))
        };
        findings.iter().any(away).then_some(())
    });
    let waiting = status(&server);
    assert_eq!(
        (&waiting["online"], &waiting["lastConnectTime"]),
        (&json!(true), &on["lastConnectTime"])
    );
    assert_eq!(server.get("/hls/stream.m3u8").status, 200);

    // The admin ends it without its publisher.
    assert_eq!(ask(&server, "POST", "/api/admin/disconnect", &[BASIC]).status, 200);
    wait_for("the broadcast is over", LIMIT, || (status(&server)["online"] == false).then_some(()));
    let over = status(&server);
    assert!(over["lastConnectTime"].is_null() && over["lastDisconnectTime"].is_string(), "{over}");
    assert!(admin(&server, "/api/admin/status")["broadcaster"].is_null());
}
