//! The page in Chromium: it plays, stays close to live, rewinds and comes back, survives a
//! publisher that drops, says when the broadcast is over; no console error, no foreign request.
//! Screenshots go to `tests/out/screenshots`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::publish::{Pace, Program, Publisher};
use crate::server::Server;
use crate::tool::{node, root, wait_for};

/// Starting a browser on a loaded machine.
const BROWSER_LIMIT: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(30);
/// From the publisher's start, ffmpeg's own included, to pictures on a page that was open before.
const ON_THE_PAGE_MAX: Duration = Duration::from_secs(3);
/// Farthest behind live a viewer may be, in seconds.
const DELAY_MAX: f64 = 2.5;

struct Browser {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Browser {
    fn open(url: &str, phone: bool) -> Self {
        let mut child = node("page.mjs")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run tests/tools/setup.sh");
        let (sender, answers) = channel();
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let orders = child.stdin.take();
        let mut browser = Self { child, orders, answers };
        let (width, height) = if phone { (390, 844) } else { (1280, 800) };
        browser.order(
            json!({"do": "open", "url": url, "width": width, "height": height, "phone": phone}),
        );
        browser
    }

    fn order(&mut self, order: Value) -> Value {
        let orders = self.orders.as_mut().expect("open until dropped");
        writeln!(orders, "{order}").expect("the browser's driver runs");
        let line = self.answers.recv_timeout(BROWSER_LIMIT).expect("the driver answers");
        let answer: Value = serde_json::from_str(&line).expect("the driver writes JSON");
        assert!(answer.get("failed").is_none(), "{order}: {}", answer["failed"]);
        answer
    }

    fn facts(&mut self) -> Value {
        self.order(json!({"do": "facts"}))
    }

    fn click(&mut self, name: &str) {
        self.order(json!({"do": "click", "name": name}));
    }

    fn screenshot(&mut self, name: &str) {
        let folder = root().join("tests/out/screenshots");
        std::fs::create_dir_all(&folder).expect("tests/out is writable");
        self.order(json!({"do": "screenshot", "file": folder.join(format!("{name}.png"))}));
    }

    /// Waits until the page's facts satisfy `condition`; gives them.
    fn wait(&mut self, what: &str, limit: Duration, condition: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            last = self.facts();
            if condition(&last) {
                return last;
            }
            thread::sleep(Duration::from_millis(100));
        }
        self.screenshot("failed");
        panic!("waited {limit:?} in vain: {what}; last {last}; {}", self.problems());
    }

    fn wait_playing(&mut self) -> Value {
        self.wait("pictures on the page", LIMIT, |facts| {
            facts["root"] == "live" && number(facts, "decodedFrames") > 10.0
        })
    }

    fn wait_close_to_live(&mut self) -> Value {
        self.wait("close to live", LIMIT, |facts| {
            facts["delaySeconds"].as_f64().is_some_and(|delay| delay > 0.0 && delay < DELAY_MAX)
        })
    }

    fn problems(&mut self) -> Value {
        self.order(json!({"do": "problems"}))["problems"].clone()
    }

    fn assert_no_problems(&mut self) {
        let problems = self.problems();
        assert_eq!(problems, json!([]), "the console stays clean, no host but ours is asked");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of its orders makes the driver close the browser.
        drop(self.orders.take());
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(facts: &Value, name: &str) -> f64 {
    facts[name].as_f64().unwrap_or(f64::NAN)
}

/// Watches until one whole `span` was smooth. The browser decodes in software on the machine that
/// also runs the server and the encoder, so a moment in which something else takes the processor
/// may cost a span; two in a row are the server's or the page's fault. Gives the worst delay.
fn watch(browser: &mut Browser, span: Duration, rate: f64) -> f64 {
    let mut faults = Vec::new();
    for _ in 0..2 {
        match watch_once(browser, span, rate) {
            Ok(worst) => return worst,
            Err(fault) => faults.push(fault),
        }
        browser.wait_close_to_live();
    }
    panic!("no smooth {span:?}: {faults:#?}");
}

/// Time advances with the clock, pictures are decoded, no stall, never far behind.
fn watch_once(browser: &mut Browser, span: Duration, rate: f64) -> Result<f64, String> {
    let started = Instant::now();
    let first = browser.facts();
    let mut last = first.clone();
    let mut worst: f64 = 0.0;
    while started.elapsed() < span {
        thread::sleep(Duration::from_secs(2));
        let now = browser.facts();
        assert_eq!(now["root"], "live", "{now}");
        must(number(&now, "time") > number(&last, "time"), "time stands still", &now)?;
        let delay = number(&now, "delaySeconds");
        must(delay < DELAY_MAX, "too far behind live", &now)?;
        worst = worst.max(delay);
        last = now;
    }
    let seconds = started.elapsed().as_secs_f64();
    let grown = |name: &str| number(&last, name) - number(&first, name);
    must(grown("stalls") == 0.0, "stalls", &last)?;
    must((grown("time") - seconds).abs() < 2.0 + seconds * 0.1, "not at speed", &last)?;
    must(grown("totalFrames") > seconds * rate * 0.9, "pictures are missing", &last)?;
    must(grown("decodedFrames") > seconds * rate * 0.9, "the page counts too few", &last)?;
    let text = last["delayText"].as_str().unwrap_or_default();
    assert!(text.chars().any(|char| char.is_ascii_digit()), "the delay is shown: {text:?}");
    Ok(worst)
}

fn must(holds: bool, fault: &str, facts: &Value) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{fault}: {facts}")) }
}

#[test]
fn plays_a_minute_rewinds_and_comes_back() {
    let server = Server::start();
    let mut browser = Browser::open(&server.url("/"), false);
    browser.wait("offline before the broadcast", LIMIT, |facts| facts["root"] == "offline");
    browser.screenshot("offline-desktop");

    let published = Instant::now();
    let _publisher = Publisher::looped("long", &server.publish_url());
    browser.wait_playing();
    let after = published.elapsed();
    eprintln!("on the page {after:?} after the publisher's start");
    assert!(after < ON_THE_PAGE_MAX, "on the page only after {after:?}");
    browser.wait_close_to_live();

    let worst = watch(&mut browser, Duration::from_secs(60), 25.0);
    eprintln!("worst delay in a minute: {worst:.2} s");
    assert_eq!(number(&browser.facts(), "width"), 1280.0);
    let picture = browser.order(json!({"do": "picture"}));
    assert!(number(&picture, "deviation") > 10.0, "a picture is on the screen: {picture}");
    browser.screenshot("live-desktop");

    let names = browser.order(json!({"do": "labels"}));
    for name in ["Go to live", "Full screen", "Quality", "Volume", "Rewind", "Pause"] {
        assert_eq!(names[name], 1, "{name}: {names}");
    }
    assert_eq!(number(&names, "Mute") + number(&names, "Unmute"), 1.0, "{names}");

    let before = number(&browser.facts(), "time");
    let bar = browser.order(json!({"do": "rewind", "seconds": 30}));
    assert!(number(&bar, "length") > 40.0, "a minute may be rewound: {bar}");
    let back = browser.wait("half a minute ago", LIMIT, |facts| {
        let moved = before - number(facts, "time");
        (20.0..40.0).contains(&moved) && facts["paused"] == false
    });
    browser.wait("playing on there", LIMIT, |facts| {
        number(facts, "time") > number(&back, "time") + 2.0
    });
    browser.screenshot("rewound-desktop");
    browser.click("Go to live");
    browser.wait_close_to_live();
    watch(&mut browser, Duration::from_secs(6), 25.0);

    browser.click("Pause");
    browser.wait("paused", LIMIT, |facts| facts["paused"] == true);
    browser.click("Play");
    browser.wait("playing", LIMIT, |facts| facts["paused"] == false);
    let muted = browser.facts()["muted"] == true;
    browser.click(if muted { "Unmute" } else { "Mute" });
    browser.wait("sound toggled", LIMIT, |facts| facts["muted"] == !muted);
    browser.order(json!({"do": "press", "key": "k"}));
    browser.wait("paused by keyboard", LIMIT, |facts| facts["paused"] == true);
    browser.order(json!({"do": "press", "key": "k"}));
    browser.wait("playing by keyboard", LIMIT, |facts| facts["paused"] == false);
    browser.assert_no_problems();
}

#[test]
fn publisher_drops_returns_and_ends() {
    let server = Server::start();
    let publisher = Publisher::looped("long", &server.publish_url());
    server.wait_live();
    let mut browser = Browser::open(&server.url("/"), false);
    browser.wait_playing();
    browser.wait_close_to_live();
    publisher.kill();
    let down_for = Instant::now();
    while down_for.elapsed() < Duration::from_secs(5) {
        let facts = browser.facts();
        assert_eq!(facts["root"], "live", "a drop is not the end: {facts}");
        thread::sleep(Duration::from_millis(200));
    }
    let dropped = browser.facts();
    let publisher = Publisher::looped("long", &server.publish_url());
    browser.wait("pictures again", LIMIT, |facts| {
        number(facts, "totalFrames") > number(&dropped, "totalFrames") + 50.0
    });
    browser.wait_close_to_live();
    watch(&mut browser, Duration::from_secs(8), 25.0);
    browser.screenshot("returned-desktop");
    browser.assert_no_problems();
    publisher.interrupt(LIMIT);
    browser.wait("offline after the end", LIMIT, |facts| facts["root"] == "offline");
    browser.screenshot("ended-desktop");
    browser.assert_no_problems();
}

#[test]
fn gstreamer_on_the_page() {
    let server = Server::start();
    let publisher =
        Publisher::start(Program::Gstreamer, "minute", Pace::Live, &server.publish_url());
    server.wait_live();
    let mut browser = Browser::open(&server.url("/"), false);
    browser.wait_playing();
    browser.wait_close_to_live();
    let worst = watch(&mut browser, Duration::from_secs(30), 25.0);
    eprintln!("worst delay with GStreamer: {worst:.2} s");
    browser.assert_no_problems();
    drop(publisher);
}

#[test]
fn demo_on_a_phone() {
    let started = Instant::now();
    let server = Server::start_with(&["--demo"]);
    server.wait_live();
    let live_after = started.elapsed();
    let mut browser = Browser::open(&server.url("/"), true);
    let opened = Instant::now();
    browser.wait_playing();
    eprintln!("demo live after {live_after:?}, on the page {:?} after opening", opened.elapsed());
    assert!(live_after < Duration::from_secs(10), "live only after {live_after:?}");
    browser.wait_close_to_live();
    watch(&mut browser, Duration::from_secs(10), 20.0);
    let facts = browser.facts();
    assert!(number(&facts, "overflow") <= 0.0, "it scrolls sideways on a phone: {facts}");
    let picture = browser.order(json!({"do": "picture"}));
    assert!(number(&picture, "deviation") > 10.0, "a picture is on the screen: {picture}");
    browser.screenshot("demo-phone");
    browser.assert_no_problems();
}

#[test]
fn server_that_goes_and_comes_back() {
    let mut server = Server::start();
    let mut browser = Browser::open(&server.url("/"), false);
    browser.wait("offline", LIMIT, |facts| facts["root"] == "offline");
    server.terminate();
    server.wait_end(LIMIT);
    browser.wait("the page says that the server is away", LIMIT, |facts| facts["root"] == "error");
    browser.screenshot("error-desktop");
    let _again = server.start_again();
    browser.wait("offline again", Duration::from_secs(60), |facts| facts["root"] == "offline");
}

#[test]
fn page_states_its_policy() {
    let server = Server::start();
    let answer = server.wait_ok("/", LIMIT);
    let policy = answer.header("content-security-policy").expect("a content security policy");
    assert!(policy.contains("default-src"), "{policy}");
    for weak in ["unsafe-inline", "unsafe-eval", "*"] {
        let script = policy.split(';').find(|rule| rule.trim().starts_with("script-src"));
        let script = script.expect("a rule for scripts");
        assert!(!script.contains(weak), "{policy}");
    }
    assert!(answer.text().contains("data-state=\"offline\""), "rendered with the true state");
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    wait_for("the page is rendered live", LIMIT, || {
        server.get("/").text().contains("data-state=\"loading\"").then_some(())
    });
    let status = server.get("/api/status").json();
    assert_eq!(status["online"], true, "{status}");
    let config = server.get("/api/config").json();
    assert!(config["version"].is_string(), "{config}");
}
