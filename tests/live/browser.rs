//! Chromium under orders: `tests/tools/node/page.mjs` drives it, one line of JSON per order and
//! answer.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::tool::{node, root};

/// Starting a browser on a loaded machine.
const BROWSER_LIMIT: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(30);
/// Farthest behind live a viewer of our page may be, in seconds.
pub(crate) const DELAY_MAX: f64 = 2.5;

/// One browser with one page; closed on drop.
pub(crate) struct Browser {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Browser {
    /// Our page at `url`, on a desktop or on a phone.
    pub(crate) fn open(url: &str, phone: bool) -> Self {
        let (width, height) = if phone { (390, 844) } else { (1280, 800) };
        let mut browser = Self::start();
        browser.order(
            json!({"do": "open", "url": url, "width": width, "height": height, "phone": phone}),
        );
        browser
    }

    /// A page of another site, on which `player` plays the stream at `url`.
    pub(crate) fn embed(player: &str, url: &str) -> Self {
        let mut browser = Self::start();
        browser.order(
            json!({"do": "open", "player": player, "url": url, "width": 800, "height": 600}),
        );
        browser
    }

    fn start() -> Self {
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
        Self { child, orders, answers }
    }

    /// Has an order carried out; gives its answer.
    pub(crate) fn order(&mut self, order: Value) -> Value {
        let orders = self.orders.as_mut().expect("open until dropped");
        writeln!(orders, "{order}").expect("the browser's driver runs");
        let line = self.answers.recv_timeout(BROWSER_LIMIT).expect("the driver answers");
        let answer: Value = serde_json::from_str(&line).expect("the driver writes JSON");
        assert!(answer.get("failed").is_none(), "{order}: {}", answer["failed"]);
        answer
    }

    /// What the page and its video say of themselves at the moment.
    pub(crate) fn facts(&mut self) -> Value {
        self.order(json!({"do": "facts"}))
    }

    /// Clicks the button called so.
    pub(crate) fn click(&mut self, name: &str) {
        self.order(json!({"do": "click", "name": name}));
    }

    /// Keeps what is seen as `tests/out/screenshots/NAME.png`.
    pub(crate) fn screenshot(&mut self, name: &str) {
        let folder = root().join("tests/out/screenshots");
        std::fs::create_dir_all(&folder).expect("tests/out is writable");
        self.order(json!({"do": "screenshot", "file": folder.join(format!("{name}.png"))}));
    }

    /// Waits until the page's facts satisfy `condition`; gives them.
    pub(crate) fn wait(
        &mut self,
        what: &str,
        limit: Duration,
        condition: impl Fn(&Value) -> bool,
    ) -> Value {
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

    /// Waits for pictures on our page.
    pub(crate) fn wait_playing(&mut self) -> Value {
        self.wait("pictures on the page", LIMIT, |facts| {
            facts["root"] == "live" && number(facts, "decodedFrames") > 10.0
        })
    }

    /// Waits until our page is as close to live as it should be.
    pub(crate) fn wait_close_to_live(&mut self) -> Value {
        self.wait("close to live", LIMIT, |facts| {
            facts["delaySeconds"].as_f64().is_some_and(|delay| delay > 0.0 && delay < DELAY_MAX)
        })
    }

    fn problems(&mut self) -> Value {
        self.order(json!({"do": "problems"}))["problems"].clone()
    }

    /// Panics when the console had an error, or a host was asked that is not ours or the page's.
    pub(crate) fn assert_no_problems(&mut self) {
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

/// A number among the facts; NaN, which no comparison accepts, where there is none.
pub(crate) fn number(facts: &Value, name: &str) -> f64 {
    facts[name].as_f64().unwrap_or(f64::NAN)
}
