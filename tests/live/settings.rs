//! Every setting at its edges (T11): changed while a broadcast is on, and given at the start by the
//! environment. What is refused changes nothing and is never the server's fault; what is taken is
//! what the next start takes too.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{BASIC, ask, assert_simple, routes, set, wait_for_the_admin};
use crate::publish::Publisher;
use crate::server::{Server, command};
use crate::tool::{run, scratch, wait_for};

const LIMIT: Duration = Duration::from_secs(30);
/// Exit code of a configuration that is not started with.
const EXIT_CONFIG: i32 = 78;

/// A setting by its path below `/api/admin/config/` and the schema of its value.
struct Setting {
    path: String,
    schema: Value,
}

fn settings(server: &Server) -> Vec<Setting> {
    let (_, routes) = routes(server);
    let settings = routes.iter().filter(|route| route.description["tags"] == json!(["settings"]));
    let settings = settings.map(|route| Setting {
        path: route.path.trim_start_matches("/api/admin/config/").to_owned(),
        schema:
            route.description["requestBody"]["content"]["application/json"]["schema"]["properties"]
                ["value"]
                .clone(),
    });
    let settings: Vec<_> = settings.collect();
    assert!(settings.len() > 40, "{} settings", settings.len());
    settings
}

/// A value and whether the schema allows it.
type Edge = (Value, bool);

fn edges(schema: &Value) -> Vec<Edge> {
    if let Some(choices) = schema["anyOf"].as_array() {
        let mut edges = edges(&choices[0]);
        edges.retain(|(value, _)| !value.is_null());
        edges.push((Value::Null, true));
        return edges;
    }
    if let Some(choices) = schema["enum"].as_array() {
        let mut edges: Vec<Edge> = choices.iter().map(|choice| (choice.clone(), true)).collect();
        let strangers = [json!("nosuch"), json!(-1), json!(7), json!([]), Value::Null];
        edges.extend(strangers.into_iter().map(|stranger| (stranger, false)));
        return edges;
    }
    let number = |name: &str| schema[name].as_i64().unwrap_or_else(|| panic!("{name}: {schema}"));
    let many = |name: &str| usize::try_from(number(name)).expect("a count");
    match schema["type"].as_str().expect("a type") {
        "boolean" => vec![
            (json!(true), true),
            (json!(false), true),
            (json!(0), false),
            (json!(1), false),
            (json!("true"), false),
            (json!([true]), false),
            (Value::Null, false),
        ],
        "integer" => vec![
            (json!(number("minimum")), true),
            (json!(number("minimum") + 1), true),
            (json!(number("maximum")), true),
            (json!(number("minimum") - 1), false),
            (json!(number("maximum") + 1), false),
            (json!(1e18), false),
            (json!(0.5), false),
            (json!("1"), false),
            (json!(true), false),
            (Value::Null, false),
        ],
        "string" => vec![
            (json!(""), true),
            (json!("a"), true),
            (json!(letter(many("maxLength")).repeat(many("maxLength"))), true),
            (json!("a".repeat(many("maxLength") + 1)), false),
            (json!(7), false),
            (json!({}), false),
            (Value::Null, false),
        ],
        "array" => vec![
            (json!([]), true),
            (json!([example(&schema["items"])]), true),
            (Value::Array(vec![example(&schema["items"]); many("maxItems") + 1]), false),
            (json!([[]]), false),
            (json!({}), false),
            (json!("a"), false),
            (json!(7), false),
        ],
        "object" => {
            let taken = schema["additionalProperties"].is_object();
            vec![
                (example(schema), true),
                (json!({"nosuch": "x"}), taken),
                (json!({"nosuch": {"deep": [1]}}), false),
                (json!([]), false),
                (json!("a"), false),
                (json!(7), false),
                (Value::Null, false),
            ]
        }
        other => panic!("a type that has no edges here: {other}"),
    }
}

/// Two bytes long, unless so many would not fit into a variable of the environment (128 KiB).
const fn letter(count: usize) -> &'static str {
    if count > 50_000 { "a" } else { "ä" }
}

/// The plainest value that fits.
fn example(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("boolean") => json!(false),
        Some("integer" | "number") => schema["minimum"].clone(),
        Some("string") => json!("a"),
        Some("array") => json!([]),
        Some("object") => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, field)| (name.clone(), example(field))).collect()
        }
        _ => schema["enum"][0].clone(),
    }
}

fn config(server: &Server) -> Value {
    ask(server, "GET", "/api/admin/serverconfig", &[BASIC]).json()
}

/// Every test server has its own.
fn without_ports(mut config: Value) -> Value {
    for name in ["webServerPort", "rtmpServerPort"] {
        config[name] = Value::Null;
    }
    config
}

/// Number of the segment that is being written.
fn newest_segment(server: &Server) -> u64 {
    let playlist = server.get("/hls/0/stream.m3u8");
    let files = playlist.text().lines().filter_map(|line| line.strip_suffix(".m4s"));
    files.filter_map(|name| name.parse().ok()).max().unwrap_or(0)
}

#[test]
fn every_setting_at_its_edges_while_a_broadcast_is_on_and_at_the_next_start() {
    let data = scratch("data");
    let server = Server::start_in(&data, &[]);
    wait_for_the_admin(&server);
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    let first = newest_segment(&server);
    let presentation = server.get("/api/status").json()["presentation"].clone();
    let mut taken = Vec::new();
    for Setting { path, schema } in settings(&server) {
        for (value, fits) in edges(&schema) {
            let before = config(&server);
            let answer = set(&server, &path, &value);
            let shown: String = value.to_string().chars().take(60).collect();
            let what = format!("{path} {shown}: {} {}", answer.status, answer.text());
            assert!(matches!(answer.status, 200 | 400), "{what}");
            assert!(fits || answer.status == 400, "took too much: {what}");
            assert_simple(&answer, answer.status == 200, &what);
            if answer.status == 200 {
                taken.push((path.clone(), value));
            } else {
                assert_eq!(config(&server), before, "refused, and changed: {what}");
            }
        }
    }
    // Nobody who watches felt anything.
    wait_for("the broadcast goes on", LIMIT, || (newest_segment(&server) > first).then_some(()));
    let status = server.get("/api/status").json();
    assert_eq!((&status["online"], &status["presentation"]), (&json!(true), &presentation));

    let last = without_ports(config(&server));
    drop(server.kill_and_keep_data());
    let server = Server::start_in(&data, &[]);
    wait_for_the_admin(&server);
    assert_eq!(without_ports(config(&server)), last, "a restart keeps all of it");
    drop(server);
    // The first and the last value that each took, out of the environment.
    let mut firsts: Vec<(String, Value)> = Vec::new();
    for (path, value) in &taken {
        if firsts.last().is_none_or(|(last, _)| last != path) {
            firsts.push((path.clone(), value.clone()));
        }
    }
    taken.reverse();
    taken.dedup_by(|next, kept| next.0 == kept.0);
    for values in [firsts, taken] {
        let variables: Vec<(String, String)> =
            values.iter().map(|(path, value)| (variable(path), text(value))).collect();
        let environment: Vec<(&str, &str)> =
            variables.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let server = Server::start_with_environment(&[], &environment);
        wait_for_the_admin(&server);
        let locked = &config(&server)["lockedSettings"];
        for (path, value) in values {
            assert_eq!(locked[&path], "the environment", "{path}");
            let answer = set(&server, &path, &value);
            assert_eq!(answer.status, 400, "{path}");
            assert!(answer.text().contains("the environment"), "{}", answer.text());
        }
    }
}

/// As people write it into the environment.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn variable(path: &str) -> String {
    format!("RIVERRUN_SETTINGS_{}", path.replace('/', "_").to_uppercase())
}

/// The server with this in its environment; it must refuse to start.
fn refuses(name: &str, value: &str) -> String {
    let mut command: Command = command();
    // Nothing of it is opened before the settings are right.
    command.arg("--data").arg(scratch("data")).args(["--http", "127.0.0.1:0"]);
    command.env(name, value).stdin(Stdio::null());
    let outcome = run(&mut command, LIMIT);
    let shown: String = value.chars().take(60).collect();
    assert_eq!(outcome.status.code(), Some(EXIT_CONFIG), "{name}={shown}: {}", outcome.stderr);
    outcome.stderr
}

#[test]
fn what_no_setting_takes_is_refused_at_the_start() {
    let server = Server::start();
    for Setting { path, schema } in settings(&server) {
        // What the environment can say: where text is wanted all is text, elsewhere JSON.
        let is_text = schema["type"] == "string" || schema["enum"][0].is_string();
        let refused = edges(&schema).into_iter();
        let refused = refused.filter(|(value, fits)| !fits && value.is_string() == is_text);
        for (value, _) in refused.take(3) {
            let said = refuses(&variable(&path), &text(&value));
            assert!(said.contains(&path), "{path}: {said}");
        }
    }
    let said = refuses("RIVERRUN_SETTINGS_NAEM", "North");
    assert!(said.contains("RIVERRUN_SETTINGS_NAEM"), "{said}");
}
