//! One line per figure: ours, the peer's, the ratio, the goals, reached or not.

use std::fmt;

use crate::stats::{median, paired_ratio};

/// A figure with its goals.
#[derive(Clone, Debug)]
pub struct Row {
    /// P1 to P24, and what exactly was measured.
    pub what: String,
    /// Unit of ours and peer's.
    pub unit: &'static str,
    /// One value per repeat.
    pub ours: Vec<f64>,
    /// One value per repeat, in the same order; empty without a peer.
    pub peer: Vec<f64>,
    /// The level that must hold before 1.0.
    pub must: Goal,
    /// The stretch level.
    pub stretch: Goal,
}

/// What a level asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Goal {
    /// Ours over the peer's is at most this.
    RatioMost(f64),
    /// Ours over the peer's is at least this.
    RatioLeast(f64),
    /// Ours is at most this.
    Most(f64),
    /// Ours is at least this.
    Least(f64),
    /// The row is a note.
    None,
}

impl Goal {
    /// Whether the goal is met: a ratio with its whole interval, a value with its median.
    fn is_met(self, value: f64, interval: (f64, f64)) -> Option<bool> {
        match self {
            Self::RatioMost(goal) => Some(interval.1 <= goal),
            Self::RatioLeast(goal) => Some(interval.0 >= goal),
            Self::Most(goal) => Some(value <= goal),
            Self::Least(goal) => Some(value >= goal),
            Self::None => None,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RatioMost(goal) => write!(f, "≤ {goal} ×"),
            Self::RatioLeast(goal) => write!(f, "≥ {goal} ×"),
            Self::Most(goal) => write!(f, "≤ {}", short(*goal)),
            Self::Least(goal) => write!(f, "≥ {}", short(*goal)),
            Self::None => Ok(()),
        }
    }
}

impl Row {
    /// A row without a peer.
    pub fn alone(
        what: impl Into<String>,
        unit: &'static str,
        ours: Vec<f64>,
        must: Goal,
        stretch: Goal,
    ) -> Self {
        Self { what: what.into(), unit, ours, peer: Vec::new(), must, stretch }
    }
}

impl fmt::Display for Row {
    /// A line of a Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = median(&self.ours);
        let (ratio, low, high) = paired_ratio(&self.ours, &self.peer);
        let met = |goal: Goal| match goal.is_met(value, (low, high)) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        write!(f, "| {} | {} {} |", self.what, short(value), self.unit)?;
        if self.peer.is_empty() {
            write!(f, " | |")?;
        } else {
            let peer = short(median(&self.peer));
            write!(f, " {peer} | {ratio:.2} ({low:.2} to {high:.2}) |")?;
        }
        write!(f, " {} | {} |", self.must, self.stretch)?;
        match (met(self.must), met(self.stretch)) {
            (must, "") => write!(f, " {must} |"),
            (must, stretch) => write!(f, " M {must}, S {stretch} |"),
        }
    }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1.0 && value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.5}"),
    }
}

/// The heading that belongs to the rows.
pub const HEADING: &str = "\
| what | ours | peer | ratio (95 %) | M | S | reached |
|---|---|---|---|---|---|---|";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_needs_the_whole_interval() {
        let row = |peer: Vec<f64>, must, stretch| Row {
            what: "P1".to_owned(),
            unit: "s",
            ours: vec![1.0, 1.0, 1.0],
            peer,
            must,
            stretch,
        };
        let clear = row(vec![2.0, 2.1, 1.9], Goal::RatioMost(0.9), Goal::RatioMost(0.3));
        assert!(clear.to_string().ends_with("M yes, S no |"), "{clear}");
        let wide = row(vec![0.5, 2.0, 1.0], Goal::RatioMost(1.0), Goal::None);
        assert!(wide.to_string().ends_with("| no |"), "{wide}");
        let alone = row(Vec::new(), Goal::Most(1.0), Goal::None);
        assert!(alone.to_string().ends_with("| yes |"), "{alone}");
    }
}
