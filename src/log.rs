//! The log: lines to standard error, and the newest of them in memory for the admin.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use riverrun_web::admin::LogLine;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock;
use crate::config::LogLevel;

/// Lines kept, and of warnings as many again: a chatty hour must not push them out.
const LINES_MAX: usize = 500;
/// Longest line that is kept, bytes; the rest of it is cut.
const LINE_BYTES_MAX: usize = 1_000;

/// The newest lines, oldest first.
#[derive(Clone, Debug, Default)]
pub struct LogRing(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    all: VecDeque<LogLine>,
    warnings: VecDeque<LogLine>,
}

impl LogRing {
    /// The newest lines.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.lock().all.iter().cloned().collect()
    }

    /// The newest of those that need a person.
    #[must_use]
    pub fn warnings(&self) -> Vec<LogLine> {
        self.lock().warnings.iter().cloned().collect()
    }

    fn push(&self, line: LogLine) {
        let mut lines = self.lock();
        if matches!(line.level, "error" | "warning") {
            put(&mut lines.warnings, line.clone());
        }
        put(&mut lines.all, line);
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(lines: &mut VecDeque<LogLine>, line: LogLine) {
    if lines.len() >= LINES_MAX {
        lines.pop_front();
    }
    lines.push_back(line);
}

impl<S: Subscriber> Layer<S> for LogRing {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut words = Words::default();
        event.record(&mut words);
        let mut message = words.message + &words.fields;
        let mut end = message.len().min(LINE_BYTES_MAX);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        self.push(LogLine { at_ms: clock::date().millis(), message, level });
    }
}

/// An event in one line, its fields behind its sentence.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// Starts the log of the process.
pub fn start(level: LogLevel) -> LogRing {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Colours are for people: not for files and journals, and not where they are unwanted
    // (no-color.org).
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|unwanted| unwanted.is_empty());
    let ring = LogRing::default();
    let lines = tracing_subscriber::fmt::layer().with_ansi(coloured).with_writer(std::io::stderr);
    let log = tracing_subscriber::registry().with(level).with(lines).with(ring.clone());
    // Fails only when a test in this process has set one already.
    let _ = log.try_init();
    ring
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_fields_and_warnings_stay_longer() {
        let ring = LogRing::default();
        let log = tracing_subscriber::registry().with(LevelFilter::INFO).with(ring.clone());
        tracing::subscriber::with_default(log, || {
            tracing::warn!(peer = %"192.0.2.1", "a publisher was turned away");
            tracing::debug!("not heard");
            for count in 0..LINES_MAX {
                tracing::info!(count, "{}", "ä".repeat(LINE_BYTES_MAX));
            }
        });
        let warnings = ring.warnings();
        assert_eq!(warnings[0].message, "a publisher was turned away peer=192.0.2.1");
        assert_eq!((warnings[0].level, warnings.len()), ("warning", 1));
        let lines = ring.lines();
        assert_eq!(lines.len(), LINES_MAX);
        assert!(lines.iter().all(|line| line.level == "info"));
        assert!(lines.iter().all(|line| line.message.len() <= LINE_BYTES_MAX));
    }
}
