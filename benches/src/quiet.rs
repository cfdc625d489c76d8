//! Connections that do nothing: idle ones after one request, and readers that stop reading (F22).

use crate::engine::{Script, Step};
use crate::http::Response;

/// One request (or none), then silence.
#[derive(Debug, Default)]
pub struct Idle {
    /// What is asked once.
    pub target: Option<String>,
    /// Connections the server ended.
    pub lost: u64,
}

impl Script for Idle {
    fn connected(&mut self, _connection: usize, _now: u64) -> Step {
        match &self.target {
            Some(target) => Step::Get { target: target.clone(), keep: false },
            None => Step::Rest,
        }
    }

    fn response(&mut self, _connection: usize, _response: Response<'_>) -> Step {
        Step::Rest
    }

    fn lost(&mut self, _connection: usize, _now: u64) {
        self.lost += 1;
    }
}

/// Asks for something large and never reads a byte of it.
#[derive(Debug)]
pub struct Stopped {
    target: String,
    started: Vec<u64>,
    /// Seconds from the request to the server's end of the connection.
    pub cut_after: Vec<f64>,
}

impl Stopped {
    /// Readers of `target`.
    pub const fn new(target: String) -> Self {
        Self { target, started: Vec::new(), cut_after: Vec::new() }
    }
}

impl Script for Stopped {
    fn connected(&mut self, connection: usize, now: u64) -> Step {
        if self.started.len() <= connection {
            self.started.resize(connection + 1, now);
        }
        self.started[connection] = now;
        Step::Get { target: self.target.clone(), keep: false }
    }

    fn response(&mut self, _connection: usize, _response: Response<'_>) -> Step {
        Step::Close
    }

    fn lost(&mut self, connection: usize, now: u64) {
        let started = self.started.get(connection).copied().unwrap_or(now);
        self.cut_after.push((now - started) as f64 / 1e9);
    }

    fn reads(&self) -> bool {
        false
    }
}
