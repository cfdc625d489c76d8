//! How the server is doing, in one value: `/readyz`, the admin, `riverrun doctor` and `/metrics`
//! all tell what stands here.
//!
//! [`Readings`] are plain figures of whoever can take them; what nobody took is not judged. Each
//! finding says in one sentence what is wrong and what to change.

mod readings;

use serde::Serialize;
use serde_json::json;

pub use self::readings::{Decoder, Delivery, Ingest, Machine, Readings, Rendition, Step};
use crate::json;
use crate::metrics::Overview;

/// Time between keyframes from which on viewers join slowly, seconds.
const KEYFRAME_GAP_MAX: f64 = 4.0;
/// Silence of a publisher that viewers may notice, seconds: what players hold back.
const ARRIVAL_GAP_WATCHED: f64 = 1.0;
/// Silence that no player's buffer bridges, seconds.
const ARRIVAL_GAP_MAX: f64 = 3.0;
/// Seconds of media an encoder has to make in a second of its work, to have room for hard scenes.
const SPEED_MIN: f64 = 1.02;
/// Share of pictures whose loss everybody sees.
const LOST_SHARE_MAX: f64 = 0.1;
/// Busy cores, percent: above it encoders begin to be late, and (second) parts do.
const CPU_MAX: [f64; 2] = [85.0, 95.0];
/// Used memory, percent: above it the system begins to write to disk, and (second) ends programs.
const MEMORY_MAX: [f64; 2] = [90.0, 97.0];
/// Free bytes on the disk of the data folder: below it the operator has days, and (second) minutes.
const DISK_FREE_MIN: [u64; 2] = [2 << 30, 256 << 20];
/// Used share of the open files that are allowed.
const OPEN_FILES_MAX: [f64; 2] = [0.8, 0.95];
/// A date before this program was made is wrong: 2026-01-01, ms since 1970.
const DATE_MIN_MS: i64 = 1_767_225_600_000;

/// How well a part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing is to be done.
    Good,
    /// It works, and might soon not.
    Warning,
    /// Somebody suffers.
    Bad,
}

impl Level {
    /// Words for [`Level`] in the API.
    pub const WORDS: &[&str] = &["good", "warning", "bad"];
}

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What the publisher sends.
    Ingest,
    /// The decoder of the ladder.
    Decoder,
    /// An encoded rendition.
    Rendition,
    /// What goes out to viewers.
    Delivery,
    /// What viewers' players tell.
    Players,
    /// Cores.
    Processor,
    /// Memory.
    Memory,
    /// The file system of the data folder.
    Disk,
    /// The store in it.
    Store,
    /// Open files.
    Files,
    /// The date.
    Clock,
}

impl Part {
    /// Words for [`Part`] in the API.
    pub const WORDS: &[&str] = &[
        "ingest",
        "decoder",
        "rendition",
        "delivery",
        "players",
        "processor",
        "memory",
        "disk",
        "store",
        "files",
        "clock",
    ];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What is thought of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which.
    pub part: Part,
    /// Number of the variant of a rendition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<u32>,
    /// How well it does.
    pub level: Level,
    /// What is wrong and what to change; empty when nothing is.
    pub message: String,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// One for each part that could be judged, in the order of the media.
    pub findings: Vec<Finding>,
}

impl Health {
    /// Judges.
    #[must_use]
    pub fn of(readings: &Readings, players: Option<&Overview>) -> Self {
        let mut findings = Vec::new();
        findings.extend(readings.ingest.as_ref().map(ingest));
        findings.extend(readings.decoder.as_ref().map(decoder));
        findings.extend(readings.renditions.iter().map(rendition));
        findings.extend(readings.delivery.as_ref().map(delivery));
        findings.extend(players.map(self::players));
        let Machine { cpu, memory, disk_free, open_files } = readings.machine;
        findings.extend(cpu.map(processor));
        findings.extend(memory.map(self::memory));
        findings.extend(disk_free.map(disk));
        findings.extend(open_files.map(files));
        findings.push(store(readings.store_error.as_deref()));
        findings.extend(readings.date_ms.map(clock));
        Self { findings }
    }

    /// The worst of all parts.
    #[must_use]
    pub fn level(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Good)
    }

    /// What is worst; of equals the first, which is nearer to the source of the trouble.
    #[must_use]
    pub fn worst(&self) -> Option<&Finding> {
        let troubles = self.findings.iter().filter(|finding| finding.level > Level::Good);
        troubles.rev().max_by_key(|finding| finding.level)
    }

    /// `GET /api/admin/health`: what is thought, and what it was judged by.
    #[must_use]
    pub fn to_json(&self, readings: &Readings, players: Option<&Overview>) -> Vec<u8> {
        json::write(&json!({
            "level": self.level(),
            "ready": self.is_ready(),
            "findings": self.findings,
            "readings": readings,
            "players": players,
        }))
    }

    /// Whether new viewers are served. Nothing else counts: a server whose disk is full still is of
    /// use to those who watch.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.findings.iter().any(|f| f.part == Part::Delivery && f.level == Level::Bad)
    }
}

fn found(part: Part, level: Level, message: String) -> Finding {
    Finding { part, variant: None, level, message }
}

fn good(part: Part) -> Finding {
    found(part, Level::Good, String::new())
}

/// Warning from the first limit on, bad from the second.
fn above(value: f64, limits: [f64; 2]) -> Level {
    match limits {
        [_, bad] if value >= bad => Level::Bad,
        [warning, _] if value >= warning => Level::Warning,
        _ => Level::Good,
    }
}

/// The sentence where there is a need for one.
fn judged(part: Part, level: Level, message: impl FnOnce() -> String) -> Finding {
    let message = if level == Level::Good { String::new() } else { message() };
    found(part, level, message)
}

fn ingest(ingest: &Ingest) -> Finding {
    let silence = above(ingest.arrival_gap, [ARRIVAL_GAP_WATCHED, ARRIVAL_GAP_MAX]);
    if ingest.is_away {
        let words = "The publisher is away and the broadcast waits for it: look at its line.";
        return found(Part::Ingest, Level::Bad, words.to_owned());
    }
    if silence > Level::Good {
        let words = format!(
            "Nothing came from the publisher for {:.1} s: its line does not carry what it sends, \
             or its machine is too slow; lower its bit rate or its picture size.",
            ingest.arrival_gap
        );
        return found(Part::Ingest, silence, words);
    }
    match ingest.keyframe_gap {
        Some(gap) if gap > KEYFRAME_GAP_MAX => {
            let words = format!(
                "A keyframe comes only every {gap:.1} s, so viewers join and change quality \
                 slowly: set the keyframe interval of the publisher to 2 s."
            );
            found(Part::Ingest, Level::Warning, words)
        }
        _ => good(Part::Ingest),
    }
}

fn decoder(decoder: &Decoder) -> Finding {
    let lost = share(decoder.skipped, decoder.pictures);
    judged(Part::Decoder, above(lost, [f64::MIN_POSITIVE, LOST_SHARE_MAX]), || {
        format!(
            "The publisher's pictures are not decoded in time, {:.0} % are left out of all encoded \
             renditions: send a smaller picture, or offer the publisher's own alone.",
            (lost * 100.0).max(1.0)
        )
    })
}

fn rendition(rendition: &Rendition) -> Finding {
    let lost = share(rendition.lost, rendition.pictures);
    let slow = rendition.speed.is_some_and(|speed| speed < SPEED_MIN);
    let level = match rendition.step {
        _ if rendition.is_paused => Level::Good,
        Step::Suspended => Level::Bad,
        Step::Full if !slow => above(lost, [f64::MIN_POSITIVE, LOST_SHARE_MAX]),
        Step::Full | Step::Half | Step::Cheap => {
            above(lost, [f64::MIN_POSITIVE, LOST_SHARE_MAX]).max(Level::Warning)
        }
    };
    let finding = judged(Part::Rendition, level, || {
        let fault = match rendition.step {
            Step::Suspended => "stands still".to_owned(),
            _ if lost > 0.0 => {
                format!("lacks {:.0} % of its pictures", (lost * 100.0).max(1.0))
            }
            Step::Half | Step::Cheap => "has half of its pictures".to_owned(),
            Step::Full => {
                format!("is encoded at {:.2} times real time", rendition.speed.unwrap_or_default())
            }
        };
        format!(
            "Variant {} {fault}: this machine is too slow for it; make it smaller, lower its CPU \
             level, or offer fewer variants.",
            rendition.variant
        )
    });
    Finding { variant: Some(rendition.variant), ..finding }
}

/// Of all that were due.
fn share(lost: u32, there: u32) -> f64 {
    if lost == 0 { 0.0 } else { f64::from(lost) / (f64::from(lost) + f64::from(there)) }
}

fn delivery(delivery: &Delivery) -> Finding {
    let Delivery { shards, late, .. } = *delivery;
    let level = match late {
        0 => Level::Good,
        late if late < shards => Level::Warning,
        _ => Level::Bad,
    };
    judged(Part::Delivery, level, || {
        format!(
            "Parts go out late on {late} of {shards} cores, and who comes there is asked to come \
             again: let a cache or a second machine serve a part of the viewers."
        )
    })
}

fn players(overview: &Overview) -> Finding {
    let level = match overview {
        overview if !overview.healthy => Level::Bad,
        overview if !overview.message.is_empty() => Level::Warning,
        _ => Level::Good,
    };
    judged(Part::Players, level, || {
        if overview.message.is_empty() {
            format!("{} % of the players told of errors.", 100 - overview.health_percentage)
        } else {
            overview.message.clone()
        }
    })
}

fn processor(cpu: f64) -> Finding {
    judged(Part::Processor, above(cpu, CPU_MAX), || {
        format!("The cores are {cpu:.0} % busy: offer fewer or smaller variants.")
    })
}

fn memory(memory: f64) -> Finding {
    judged(Part::Memory, above(memory, MEMORY_MAX), || {
        format!(
            "{memory:.0} % of the memory are used: end other programs, or let viewers rewind less \
             (rewind_seconds)."
        )
    })
}

fn disk(free: u64) -> Finding {
    let [warning, bad] = DISK_FREE_MIN;
    let level = match free {
        free if free < bad => Level::Bad,
        free if free < warning => Level::Warning,
        _ => Level::Good,
    };
    judged(Part::Disk, level, || {
        format!(
            "{} MB are free where the data folder is: delete or move something, or changes of \
             settings will be refused.",
            free >> 20
        )
    })
}

fn files((open, allowed): (u64, u64)) -> Finding {
    #[allow(clippy::cast_precision_loss)] // A share.
    let share = open as f64 / allowed.max(1) as f64;
    judged(Part::Files, above(share, OPEN_FILES_MAX), || {
        format!(
            "{open} of {allowed} allowed files are open, and each viewer needs one or two: raise \
             LimitNOFILE, ulimit -n."
        )
    })
}

fn store(error: Option<&str>) -> Finding {
    let level = if error.is_some() { Level::Bad } else { Level::Good };
    judged(Part::Store, level, || {
        format!(
            "The data folder took nothing the last time ({}): look at the disk and at who may \
             write there.",
            error.unwrap_or_default()
        )
    })
}

fn clock(date_ms: i64) -> Finding {
    let level = if date_ms < DATE_MIN_MS { Level::Bad } else { Level::Good };
    judged(Part::Clock, level, || {
        format!(
            "The clock says {}: set it, for example by NTP; players reckon their delay by it.",
            crate::rfc3339::millis(date_ms)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Readings {
        Readings {
            ingest: Some(Ingest { pictures: 30.0, keyframe_gap: Some(2.0), ..Ingest::default() }),
            decoder: Some(Decoder { pictures: 300, skipped: 0 }),
            renditions: vec![Rendition { pictures: 300, speed: Some(3.0), ..Rendition::default() }],
            delivery: Some(Delivery { shards: 2, ..Delivery::default() }),
            machine: Machine {
                cpu: Some(50.0),
                memory: Some(50.0),
                disk_free: Some(100 << 30),
                open_files: Some((100, 1_000)),
            },
            store_error: None,
            date_ms: Some(DATE_MIN_MS),
        }
    }

    #[test]
    fn what_is_fine_needs_no_words() {
        let overview = Overview { healthy: true, health_percentage: 100, ..Overview::default() };
        let health = Health::of(&fine(), Some(&overview));
        assert_eq!((health.level(), health.worst(), health.is_ready()), (Level::Good, None, true));
        assert_eq!(health.findings.len(), Part::WORDS.len());
        assert!(health.findings.iter().all(|finding| finding.message.is_empty()));
        // Nobody is on air, and nothing is known.
        let health = Health::of(&Readings::default(), None);
        assert_eq!((health.level(), health.is_ready()), (Level::Good, true));
        for (part, word) in health.findings.iter().map(|f| (f.part, f.part.word())) {
            assert_eq!(serde_json::to_value(part).unwrap(), word);
        }
    }

    #[test]
    fn each_trouble_says_what_to_change() {
        use Level::{Bad, Warning};
        type Break = fn(&mut Readings);
        let table: [(Break, Level, &str); 19] = [
            (|r| r.ingest.as_mut().unwrap().keyframe_gap = Some(8.3), Warning, "every 8.3 s"),
            (|r| r.ingest.as_mut().unwrap().arrival_gap = 1.5, Warning, "for 1.5 s"),
            (|r| r.ingest.as_mut().unwrap().arrival_gap = 3.5, Bad, "lower its bit rate"),
            (|r| r.ingest.as_mut().unwrap().is_away = true, Bad, "waits for it"),
            (|r| r.decoder.as_mut().unwrap().skipped = 1, Warning, "1 % are left out"),
            (|r| r.decoder.as_mut().unwrap().skipped = 100, Bad, "25 % are left out"),
            (|r| r.renditions[0].lost = 3, Warning, "lacks 1 %"),
            (|r| r.renditions[0].lost = 300, Bad, "lacks 50 %"),
            (|r| r.renditions[0].speed = Some(1.0), Warning, "1.00 times real time"),
            (|r| r.renditions[0].step = Step::Half, Warning, "half of its pictures"),
            (|r| r.renditions[0].step = Step::Suspended, Bad, "stands still"),
            (|r| r.delivery.as_mut().unwrap().late = 1, Warning, "1 of 2 cores"),
            (|r| r.delivery.as_mut().unwrap().late = 2, Bad, "2 of 2 cores"),
            (|r| r.machine.cpu = Some(91.0), Warning, "91 % busy"),
            (|r| r.machine.memory = Some(98.0), Bad, "rewind_seconds"),
            (|r| r.machine.disk_free = Some(1 << 30), Warning, "1024 MB"),
            (|r| r.machine.disk_free = Some(0), Bad, "0 MB"),
            (|r| r.machine.open_files = Some((96, 100)), Bad, "96 of 100"),
            (|r| r.store_error = Some("disk full".to_owned()), Bad, "(disk full)"),
        ];
        for (spoil, level, words) in table {
            let mut readings = fine();
            spoil(&mut readings);
            let health = Health::of(&readings, None);
            let worst = health.worst().unwrap();
            assert_eq!((health.level(), worst.level), (level, level), "{worst:?}");
            assert!(worst.message.contains(words), "{worst:?}");
            assert!(worst.message.ends_with('.') && worst.message.contains(':'), "{worst:?}");
            assert_eq!(health.is_ready(), worst.part != Part::Delivery || level != Bad);
        }
        let mut readings = fine();
        readings.date_ms = Some(0);
        assert!(Health::of(&readings, None).worst().unwrap().message.contains("1970-01-01"));
        // A rendition that nobody asks for is not late.
        readings = fine();
        readings.renditions[0].is_paused = true;
        readings.renditions[0].lost = 300;
        assert_eq!(Health::of(&readings, None).level(), Level::Good);
    }

    #[test]
    fn of_several_troubles_the_worst_and_first_is_told() {
        let mut readings = fine();
        readings.machine.cpu = Some(99.0);
        readings.renditions[0].lost = 300;
        readings.decoder = Some(Decoder { pictures: 300, skipped: 1 });
        let health = Health::of(&readings, None);
        assert_eq!(health.worst().map(|finding| finding.part), Some(Part::Rendition));
        let poor = Overview { health_percentage: 50, ..Overview::default() };
        let health = Health::of(&fine(), Some(&poor));
        assert!(health.worst().unwrap().message.contains("50 %"));
    }
}
