use super::*;
use crate::shape::Shape;
use serde_json::{Value, json};

fn change(path: &str, body: &str) -> (Settings, Result<(), SettingError>) {
    let mut settings = Settings::default();
    let result = find(path).unwrap().change(&mut settings, body.as_bytes());
    (settings, result)
}

/// A value that fits `shape`, with texts of `letters` characters and lists of as many items.
fn example(shape: &Shape, letters: usize) -> Value {
    match shape {
        Shape::Bool => json!(letters % 2 == 1),
        Shape::Integer { min, .. } => json!(min),
        Shape::Choice(choices) => json!(choices.last()),
        Shape::Word(words) => json!(words.last()),
        Shape::Amount => json!(0.5),
        Shape::Time => json!("1970-01-01T00:00:00Z"),
        Shape::Text { max } | Shape::Line { max } => json!("a".repeat(letters.min(*max))),
        Shape::Nullable(of) | Shape::OneOrMore { of, .. } => example(of, letters),
        Shape::List { of, max } => {
            Value::Array((0..letters.min(*max)).map(|_| example(of, letters)).collect())
        }
        Shape::Map { of, .. } => json!({"name": example(of, letters)}),
        Shape::Object(fields) => {
            fields.iter().map(|f| (f.name.to_owned(), example(&f.shape, letters))).collect()
        }
    }
}

/// A few settings have rules beyond their shape.
fn fitting(setting: &Setting) -> Value {
    match setting.path {
        _ if setting.shape == Shape::Bool => json!(setting.value(&Settings::default()) == false),
        "webserverip" | "rtmpserverbindaddress" => json!("127.0.0.1"),
        "serverurl" | "videoservingendpoint" => json!("https://live.example.org"),
        "notifications/discord" => json!({"webhook": "https://discord.com/x", "enabled": true}),
        "video/streamoutputvariants" => json!([{"videoPassthrough": true}, {"scaledHeight": 480}]),
        "s3" => json!({"enabled": true, "endpoint": "https://s3.example.org", "accessKey": "a",
            "secret": "b", "region": "c", "bucket": "d"}),
        _ => example(&setting.shape, 3),
    }
}

#[test]
fn paths_and_keys_are_unique() {
    let mut paths: Vec<_> = all().map(|setting| setting.path).collect();
    let mut keys: Vec<_> = all().map(|setting| setting.key).collect();
    let count = paths.len();
    let mut variables: Vec<_> = all().map(Setting::variable).collect();
    variables.sort_unstable();
    variables.dedup();
    assert_eq!(variables.len(), count);
    for names in [&mut paths, &mut keys] {
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn every_setting_is_set_kept_and_read_back() {
    for setting in all() {
        let value = fitting(setting);
        let (settings, result) = change(setting.path, &json!({ "value": value }).to_string());
        result.unwrap_or_else(|error| panic!("{}: {error}", setting.path));
        // The one codec there is cannot be changed to another.
        let is_fixed = setting.path == "video/codec";
        assert!(is_fixed || settings != Settings::default(), "{} does nothing", setting.path);
        let stored = setting.to_stored(&settings);
        let (loaded, refused) = Settings::load([(setting.key, stored.as_slice())]);
        assert_eq!((loaded, refused), (settings, Vec::new()), "{}", setting.path);
    }
}

#[test]
fn every_default_may_be_set() {
    let defaults = Settings::default();
    for setting in all() {
        let stored = setting.to_stored(&defaults);
        let (loaded, refused) = Settings::load([(setting.key, stored.as_slice())]);
        let unset = matches!(setting.path, "webserverip");
        assert!(refused.is_empty() || unset, "{}: {refused:?}", setting.path);
        assert_eq!(loaded, defaults, "{}", setting.path);
    }
}

/// What no setting takes. The body is refused and nothing has changed.
#[test]
fn bad_bodies_change_nothing() {
    let deep = format!("{{\"value\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for setting in all() {
        let good = fitting(setting);
        let unwanted = if good.is_boolean() { json!("true") } else { json!(true) };
        let twice = format!("{{\"value\":{good},\"value\":{good}}}");
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "{\"value\"",
            "{\"valve\":1}",
            deep.as_str(),
            twice.as_str(),
            &json!({ "value": unwanted }).to_string(),
            &json!({ "value": good, "more": 1 }).to_string(),
            &json!({ "value": {"no": {"such": "field"}} }).to_string(),
        ] {
            let (settings, result) = change(setting.path, body);
            let shown: String = body.chars().take(60).collect();
            assert!(result.is_err(), "{} took {shown}", setting.path);
            assert_eq!(settings, Settings::default(), "{} {shown}", setting.path);
        }
        let mut settings = Settings::default();
        assert!(setting.change(&mut settings, b"{\"value\":\"\xff\"}").is_err());
        assert_eq!(settings, Settings::default());
    }
}

/// One more than each limit allows (T11).
#[test]
fn the_edges_of_every_setting() {
    for setting in all() {
        for (value, good) in edges(&setting.shape) {
            let (_, result) = change(setting.path, &json!({ "value": value }).to_string());
            // A rule of its own may refuse more, never less.
            assert!(good || result.is_err(), "{} took too much", setting.path);
            let free = matches!(setting.shape, Shape::Text { .. } | Shape::Integer { .. });
            if good && free {
                result.unwrap_or_else(|error| panic!("{}: {error}", setting.path));
            }
        }
    }
}

fn edges(shape: &Shape) -> Vec<(Value, bool)> {
    match shape {
        Shape::Text { max } | Shape::Line { max } => {
            vec![(json!("ä".repeat(*max)), true), (json!("a".repeat(max + 1)), false)]
        }
        Shape::Integer { min, max } => vec![
            (json!(min), true),
            (json!(max), true),
            (json!(min - 1), false),
            (json!(max + 1), false),
            (json!(1e18), false),
        ],
        Shape::Choice(choices) => choices
            .iter()
            .map(|choice| (json!(choice), true))
            .chain([(json!(-1), false), (json!(7), false)])
            .collect(),
        Shape::List { of, max } => {
            let items = vec![example(of, 1); max + 1];
            vec![(json!(items), false)]
        }
        Shape::Nullable(of) | Shape::OneOrMore { of, .. } => edges(of),
        Shape::Word(_) => vec![(json!(""), false)],
        Shape::Bool | Shape::Amount | Shape::Time | Shape::Map { .. } | Shape::Object(_) => {
            Vec::new()
        }
    }
}

#[test]
fn a_locked_setting_says_who_holds_it() {
    let mut settings = Settings::default();
    settings.lock("webserverport", 9_000, "--http").unwrap();
    let before = settings.clone();
    let error = find("webserverport").unwrap().change(&mut settings, br#"{"value":80}"#);
    assert!(error.unwrap_err().to_string().contains("--http"));
    assert_eq!(settings, before);
    assert_eq!(settings.network.http_port, 9_000);
    assert_eq!(settings.locks().collect::<Vec<_>>(), [("webserverport", "--http")]);
    assert!(settings.lock("nosuch", 1, "--x").is_err());
    assert!(settings.lock("webserverport", "word", "--http").is_err());
}

#[test]
fn what_people_write_into_the_environment_is_read() {
    for (name, text) in [
        ("NAME", "7"),
        ("CHAT_DISABLE", "true"),
        ("VIDEO_STREAMLATENCYLEVEL", "0"),
        ("TAGS", "[\"art\", \"music\"]"),
        ("AUTOPLAY", "off"),
        ("S3", "{\"enabled\": false}"),
    ] {
        let setting = find_by_variable(name).unwrap();
        let mut settings = Settings::default();
        settings.lock_text(setting.path, text, "the environment").unwrap();
        assert_eq!(settings.locks().collect::<Vec<_>>(), [(setting.path, "the environment")]);
        let kept = setting.value(&settings);
        assert_eq!(kept.is_string(), matches!(name, "NAME" | "AUTOPLAY"), "{kept}");
    }
    let mut settings = Settings::default();
    for (path, text) in [("chat/disable", "1"), ("chat/disable", "yes"), ("tags", "art"), ("x", "")]
    {
        assert!(settings.lock_text(path, text, "it").is_err(), "{path}={text}");
    }
    assert_eq!(settings, Settings::default());
    assert!(find_by_variable("chat/disable").is_none());
}

#[test]
fn rows_of_a_newer_version_leave_the_default() {
    let rows: [(&str, &[u8]); 3] =
        [("server_name", b"\"North\""), ("from_the_future", b"1"), ("nsfw", b"\"yes\"")];
    let (settings, refused) = Settings::load(rows);
    assert_eq!(settings.instance.name, "North");
    let keys: Vec<_> = refused.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["from_the_future", "nsfw"]);
}
