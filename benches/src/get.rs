//! Plain GETs: as many as the server answers (closed loop), or at a fixed rate whatever it does
//! (open loop, latency counted from the time a request was meant to leave).

use std::collections::VecDeque;

use crate::engine::{Script, Step, Turn};
use crate::http::Response;
use crate::stamp;

/// GETs of some targets in turn.
#[derive(Debug)]
pub struct Gets {
    targets: Vec<String>,
    next: usize,
    /// Nanoseconds between requests; 0 for the closed loop.
    interval: u64,
    due: u64,
    idle: VecDeque<usize>,
    /// Intended (open loop) or real (closed loop) send time per connection.
    sent: Vec<u64>,
    /// Milliseconds from there to the last byte.
    pub latencies: Vec<f64>,
    /// Requests whose time came while every connection was busy, at the end.
    pub unsent: u64,
}

impl Gets {
    /// `rate` requests per second, or the closed loop without.
    pub fn new(targets: Vec<String>, rate: Option<f64>) -> Self {
        let interval = rate.map_or(0, |rate| (1e9 / rate.max(0.001)) as u64);
        Self {
            targets,
            next: 0,
            interval,
            due: 0,
            idle: VecDeque::new(),
            sent: Vec::new(),
            latencies: Vec::new(),
            unsent: 0,
        }
    }

    fn target(&mut self) -> String {
        self.next += 1;
        self.targets[self.next % self.targets.len()].clone()
    }

    fn free(&mut self, connection: usize) -> Step {
        if self.interval == 0 {
            self.sent[connection] = stamp::now();
            return Step::Get { target: self.target(), keep: false };
        }
        self.idle.push_back(connection);
        Step::Rest
    }
}

impl Script for Gets {
    fn connected(&mut self, connection: usize, _now: u64) -> Step {
        if self.sent.len() <= connection {
            self.sent.resize(connection + 1, 0);
        }
        self.free(connection)
    }

    fn response(&mut self, connection: usize, response: Response<'_>) -> Step {
        let late = response.last_byte.saturating_sub(self.sent[connection]);
        self.latencies.push(late as f64 / 1e6);
        self.free(connection)
    }

    fn lost(&mut self, connection: usize, _now: u64) {
        self.idle.retain(|idle| *idle != connection);
    }

    fn due(&mut self, now: u64) -> Turn {
        if self.interval == 0 {
            return Turn::Never;
        }
        if self.due == 0 {
            if self.idle.is_empty() {
                return Turn::Never;
            }
            self.due = now;
        }
        if now < self.due {
            return Turn::At(self.due);
        }
        let Some(connection) = self.idle.pop_front() else {
            self.unsent = (now - self.due) / self.interval;
            return Turn::Never;
        };
        self.sent[connection] = self.due;
        self.due += self.interval;
        Turn::Now(connection, self.target())
    }
}
