//! The sentence about viewers: Owncast's rules (API §5.6), in our words.

use serde::Serialize;

/// Cores, busy, percent: from here on a source that is larger than needed is spoken of.
const CPU_BUSY: f64 = 80.0;
/// Cores, busy, percent: from here on nothing else is.
const CPU_FULL: f64 = 90.0;
/// A line has to carry this much more than what is played.
const LINE_MARGIN: f64 = 1.1;
/// Players that told before their errors mean something.
const PLAYERS_MIN: usize = 3;
/// Percent of players without errors above which all is well.
const HEALTHY_ABOVE: u32 = 75;

/// `health` of the admin's status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// What an operator could do about it; empty when all is well.
    pub message: String,
    /// Players without errors, of those that told, in percent.
    pub health_percentage: u32,
    /// Players that told of their line, of all viewers, in percent.
    pub representation: u32,
    /// More than three quarters are without errors.
    pub healthy: bool,
}

/// What the overview is judged by beside the reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Circumstances {
    /// Viewers now.
    pub viewers: u32,
    /// Mean of some minutes, percent.
    pub cpu_percent: f64,
    /// What the publisher sends, kbit/s; 0 when unknown.
    pub ingest_kbit: f64,
    /// Lowest bit rate on offer, kbit/s; 0 when unknown.
    pub bitrate_min_kbit: u32,
    /// Highest bit rate on offer, kbit/s; 0 when unknown.
    pub bitrate_max_kbit: u32,
    /// One of the variants is the publisher's own.
    pub has_source: bool,
    /// Wanted length of a segment, seconds.
    pub segment_seconds: u32,
}

/// Of the players that told something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// All of them.
    pub(super) players: usize,
    /// With an error in the last minutes.
    pub(super) with_errors: usize,
    /// That measured their line.
    pub(super) with_line: usize,
    /// Whose line does not carry the smallest variant with some margin.
    pub(super) with_slow_line: usize,
}

/// The line that a player needs, kbit/s.
pub(super) fn line_min(circumstances: &Circumstances) -> f64 {
    f64::from(circumstances.bitrate_min_kbit) * LINE_MARGIN
}

/// `None`: nobody watches, nobody told, or everybody has errors, which says more of the players
/// than of the server.
pub(super) fn overview(told: Told, circumstances: &Circumstances) -> Option<Overview> {
    let Circumstances { viewers, cpu_percent, ingest_kbit, bitrate_max_kbit, .. } = *circumstances;
    if viewers == 0 || told.players == 0 {
        return None;
    }
    let health_percentage = 100 - share(told.with_errors, told.players);
    if health_percentage < 1 {
        return None;
    }
    let is_large = bitrate_max_kbit > 0 && ingest_kbit > f64::from(bitrate_max_kbit);
    let message = if cpu_percent >= CPU_BUSY && is_large && !circumstances.has_source {
        format!(
            "The machine is busy, and the publisher sends {ingest_kbit:.0} kbit/s where the best \
             variant has {bitrate_max_kbit}: lower the bit rate of the publisher."
        )
    } else if cpu_percent >= CPU_FULL {
        "The machine is busier than it should be: offer fewer or smaller variants.".to_owned()
    } else if told.with_slow_line > 0 {
        format!(
            "{} of {} players ({} %) have lines too slow for the smallest variant: offer a smaller \
             one.",
            told.with_slow_line,
            told.with_line,
            share(told.with_slow_line, told.with_line)
        )
    } else if told.with_errors > 0 && told.players >= PLAYERS_MIN {
        let cause = if circumstances.has_source {
            "one variant is the publisher's own pictures; an encoded one is steadier."
        } else if circumstances.segment_seconds < 3 {
            "more delay would give players more to go on with."
        } else {
            "a smaller variant might help."
        };
        format!("{} of {} players had errors: {cause}", told.with_errors, told.players)
    } else {
        String::new()
    };
    let representation = share(told.with_line, usize::try_from(viewers).unwrap_or(usize::MAX));
    let healthy = health_percentage > HEALTHY_ABOVE;
    Some(Overview { message, health_percentage, representation, healthy })
}

fn share(count: usize, of: usize) -> u32 {
    u32::try_from(count.saturating_mul(100) / of.max(1)).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_is_told() {
        let calm = Circumstances { viewers: 10, bitrate_min_kbit: 1_000, ..Default::default() };
        let full = Circumstances { cpu_percent: 95.0, ..calm };
        let large = Circumstances { ingest_kbit: 8_000.0, bitrate_max_kbit: 3_000, ..calm };
        let large_and_busy = Circumstances { cpu_percent: 81.0, ..large };
        let source = Circumstances { has_source: true, ..calm };
        let long = Circumstances { segment_seconds: 4, ..calm };
        let good = Told { players: 4, with_line: 4, ..Told::default() };
        let slow = Told { players: 2, with_line: 2, with_slow_line: 1, with_errors: 0 };
        let faulty = Told { with_errors: 1, ..good };
        let one_faulty = Told { players: 2, with_errors: 1, ..good };
        for (told, circumstances, words, healthy) in [
            (good, &calm, "", true),
            (good, &full, "busier", true),
            (good, &large, "", true),
            (good, &large_and_busy, "sends 8000 kbit/s where the best variant has 3000", true),
            (slow, &calm, "1 of 2 players (50 %)", true),
            (faulty, &source, "publisher's own", false),
            (faulty, &calm, "more delay", false),
            (faulty, &long, "smaller variant", false),
            (one_faulty, &calm, "", false),
        ] {
            let overview = overview(told, circumstances).unwrap();
            assert!(overview.message.contains(words), "{overview:?}");
            assert_eq!(overview.message.is_empty(), words.is_empty(), "{overview:?}");
            assert_eq!(overview.healthy, healthy, "{overview:?}");
        }
        assert_eq!(overview(Told::default(), &calm), None);
        assert_eq!(overview(good, &Circumstances::default()), None);
        assert_eq!(overview(Told { with_errors: 4, ..good }, &calm), None);
    }
}
