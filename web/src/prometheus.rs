//! Prometheus' text format, version 0.0.4: figures with their names, meanings and labels.
//!
//! Names are stable: one that was told is never used for anything else, and units stand at their
//! end (`_seconds`, `_bytes`, `_total`).

use std::fmt::{self, Write as _};

/// `Content-Type` of an [`Exposition`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A document under way. Each metric is begun once, with all its samples behind it.
#[derive(Debug, Default)]
pub struct Exposition(String);

/// What a metric does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It rises and falls.
    Gauge,
    /// It rises, until the process ends.
    Counter,
}

/// A metric whose samples are being written.
#[derive(Debug)]
pub struct Metric<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Exposition {
    /// Begins a metric: lower-case letters, digits and `_`; `help` is one sentence.
    pub fn metric<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Metric<'a> {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {}\n# TYPE {name} {kind}", Help(help));
        Metric { text: &mut self.0, name }
    }

    /// A gauge with one value and no labels; left out while there is none.
    pub fn gauge(&mut self, name: &str, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.metric(name, Kind::Gauge, help).sample(&[], value);
        }
    }

    /// A counter with one value and no labels; left out while there is none.
    pub fn counter(&mut self, name: &str, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.metric(name, Kind::Counter, help).sample(&[], value);
        }
    }

    /// The document.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

impl Metric<'_> {
    /// A value with these labels.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let _ = self.text.write_str(self.name);
        for (place, (label, value)) in labels.iter().enumerate() {
            let open = if place == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{label}=\"{}\"", Label(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {}", Number(value));
        self
    }
}

/// Text of a HELP line.
struct Help<'a>(&'a str);

impl fmt::Display for Help<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(f, self.0, false)
    }
}

/// A label's value.
struct Label<'a>(&'a str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(f, self.0, true)
    }
}

fn escaped(f: &mut fmt::Formatter<'_>, text: &str, is_quoted: bool) -> fmt::Result {
    for char in text.chars() {
        match char {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '"' if is_quoted => f.write_str("\\\"")?,
            other => f.write_char(other)?,
        }
    }
    Ok(())
}

/// A number as Go reads it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            number => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document() {
        let mut text = Exposition::default();
        text.gauge("riverrun_viewers", "Viewers\nnow, with a \\.", Some(3.0));
        text.gauge("riverrun_nothing", "Nobody knows.", None);
        text.metric("riverrun_lost_total", Kind::Counter, "Lost.")
            .sample(&[("variant", "1"), ("why", "a \"b\"\n\\")], 1e9)
            .sample(&[], 0.25);
        text.metric("riverrun_odd", Kind::Gauge, "Odd.")
            .sample(&[], f64::NAN)
            .sample(&[("a", "")], f64::NEG_INFINITY);
        assert_eq!(
            text.finish(),
            "# HELP riverrun_viewers Viewers\\nnow, with a \\\\.\n\
             # TYPE riverrun_viewers gauge\n\
             riverrun_viewers 3\n\
             # HELP riverrun_lost_total Lost.\n\
             # TYPE riverrun_lost_total counter\n\
             riverrun_lost_total{variant=\"1\",why=\"a \\\"b\\\"\\n\\\\\"} 1000000000\n\
             riverrun_lost_total 0.25\n\
             # HELP riverrun_odd Odd.\n\
             # TYPE riverrun_odd gauge\n\
             riverrun_odd NaN\n\
             riverrun_odd{a=\"\"} -Inf\n"
        );
    }
}
