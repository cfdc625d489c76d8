//! The page switches between encoded renditions, by the menu and by what the line carries, without
//! a stall and without a jump in time.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::{Browser, number};
use crate::line::Line;
use crate::publish::Publisher;
use crate::server::Server;

const LIMIT: Duration = Duration::from_secs(40);
/// Widths of the source, 1.9 Mbit/s with its sound, and of the rung, 0.4 Mbit/s.
const WIDE: f64 = 1280.0;
const NARROW: f64 = 320.0;
/// Of the rung in AV1: few and small pictures, since a browser and a debug build share the cores.
const TINY: f64 = 160.0;

/// Waits for a picture of this width while time runs on as the clock does.
fn becomes(browser: &mut Browser, what: &str, width: f64) -> Value {
    let (started, first) = (Instant::now(), browser.facts());
    let seen = browser.wait(what, LIMIT, |facts| number(facts, "width") == width);
    let (passed, shown) =
        (started.elapsed().as_secs_f64(), number(&seen, "time") - number(&first, "time"));
    // Catching up with live is a tenth faster.
    assert!((shown - passed).abs() < 1.0 + passed / 10.0, "{what}: {shown} s in {passed} s");
    seen
}

fn opened(url: &str) -> Browser {
    let mut browser = Browser::open(url, false);
    browser.wait_playing();
    browser.wait_close_to_live();
    becomes(&mut browser, "the source", WIDE);
    browser
}

fn server() -> (Server, Publisher) {
    let server = Server::start_with(&["--renditions", "source,180p@300"]);
    let publisher = Publisher::looped("long", &server.publish_url());
    server.wait_live();
    (server, publisher)
}

#[test]
fn by_the_menu() {
    let (server, _publisher) = server();
    let mut browser = opened(&server.url("/"));
    let stalls = number(&browser.facts(), "stalls");
    for (name, width) in [("180p", NARROW), ("720p", WIDE), ("180p", NARROW), ("Auto", WIDE)] {
        browser.order(json!({"do": "choose", "name": name}));
        becomes(&mut browser, name, width);
        thread::sleep(Duration::from_secs(2));
    }
    let last = browser.facts();
    assert!(number(&last, "stalls") <= stalls + 1.0, "switching stalls: {last}");
    browser.assert_no_problems();
}

/// AV1 beside H.264: nobody is given it unasked, and whoever chooses it sees it.
#[test]
fn to_av1_and_back() {
    let server = Server::start_with(&["--renditions", "source,180p@200/8,90p@50/8:av1"]);
    let _publisher = Publisher::looped("long", &server.publish_url());
    server.wait_live();
    let mut browser = opened(&server.url("/"));
    for (name, width) in [("90p · AV1", TINY), ("720p", WIDE), ("Auto", WIDE)] {
        browser.order(json!({"do": "choose", "name": name}));
        becomes(&mut browser, name, width);
        thread::sleep(Duration::from_secs(2));
    }
    browser.assert_no_problems();
}

#[test]
fn by_the_line() {
    let (server, _publisher) = server();
    let line = Line::to(server.http);
    let mut browser = opened(&format!("http://{}/", line.address));
    line.carry(1_500_000);
    becomes(&mut browser, "the rung on a narrow line", NARROW);
    line.carry(0);
    becomes(&mut browser, "the source on a wide line", WIDE);
    browser.assert_no_problems();
}
