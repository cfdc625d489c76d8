//! Where the figures of the broadcast lie for everybody in the process.
//!
//! One lock, taken once a second by the thread that holds the broadcast to put down an entry, and
//! by whoever wants to know to copy what is there: neither waits for more than a copy, and none of
//! them holds it across an await.
//!
//! The log tells them as well: what of ten seconds there is to know in debug lines, and the sums of
//! the whole broadcast when it ends.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use riverrun_media::health::{Figures, Health};
use riverrun_media::time::UnixTime;

use crate::clock;

/// The log tells the figures of so many seconds together, in debug lines.
const LOG_SECONDS: u64 = 10;

/// Figures of the broadcast that is on air, or of the last one.
#[derive(Clone, Default)]
pub struct HealthBoard(Arc<Mutex<Report>>);

/// What lies there.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Number of the broadcast; 0 before the first.
    pub broadcast: u64,
    /// When the newest second ended. `None` before the first. A broadcast on air gives one each
    /// second, but not while its publisher is away.
    pub at: Option<UnixTime>,
    /// The seconds.
    pub health: Health,
}

/// The right of one broadcast to write.
pub struct HealthWriter {
    board: HealthBoard,
    broadcast: u64,
}

impl HealthBoard {
    /// A broadcast begins; what one before it still writes is void.
    pub fn begin(&self, broadcast: u64) -> HealthWriter {
        let mut report = self.lock();
        report.broadcast = broadcast;
        report.at = None;
        report.health.seconds.clear();
        report.health.closed = 0;
        report.health.total = Figures::default();
        drop(report);
        HealthWriter { board: self.clone(), broadcast }
    }

    /// Since when the newest second lies here, and the newest `seconds` of them together. `None`
    /// before the first of this broadcast.
    pub fn recent(&self, seconds: usize) -> Option<(UnixTime, Figures)> {
        let report = self.lock();
        Some((report.at?, report.health.recent(seconds)))
    }

    /// All seconds of the broadcast together; nothing before the first.
    pub fn total(&self) -> Figures {
        self.lock().health.total.clone()
    }

    /// A copy: some hundred kilobytes, for whoever draws charts.
    pub fn report(&self) -> Report {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HealthWriter {
    /// Puts down a second.
    pub fn write(&self, second: Figures) {
        let at = clock::date();
        let mut report = self.board.lock();
        if report.broadcast != self.broadcast {
            return;
        }
        report.at = Some(at);
        report.health.push(second);
        let due = report.health.closed.is_multiple_of(LOG_SECONDS);
        if due && tracing::enabled!(tracing::Level::DEBUG) {
            let recent = report.health.recent(LOG_SECONDS as usize);
            drop(report);
            tracing::debug!("health: {}", Line(&recent));
        }
    }

    /// The broadcast is over: tells the log what became of its pictures. `rest` is what happened
    /// since the last second.
    pub fn end(&self, rest: &Figures) {
        let mut report = self.board.lock();
        if report.broadcast != self.broadcast {
            return;
        }
        report.health.total.absorb(rest);
        let total = report.health.total.clone();
        drop(report);
        tracing::info!("the broadcast ended: {}", Sums(&total));
    }
}

/// The sums of a broadcast in one line: what an operator wants to know of it afterwards.
struct Sums<'a>(&'a Figures);

impl fmt::Display for Sums<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { seconds, ingest, decoding, renditions } = self.0;
        write!(f, "{seconds} s, {} pictures", ingest.pictures)?;
        if renditions.iter().any(Option::is_some) {
            write!(f, "; decoded {}, skipped {}", decoding.pictures, decoding.skipped)?;
        }
        for (variant, rendition) in renditions.iter().enumerate() {
            let Some(rendition) = rendition else { continue };
            write!(
                f,
                "; variant {variant}: coded {}, dropped {}, late {}, behind {}, lag {:.1?}, \
                 longest lag {:.1?}",
                rendition.pictures,
                rendition.dropped,
                rendition.late,
                rendition.behind,
                rendition.lag_mean().unwrap_or_default(),
                rendition.lag_max,
            )?;
        }
        Ok(())
    }
}

/// Figures in one line of the log.
struct Line<'a>(&'a Figures);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.0;
        let per_second = |amount: u64| figures.per_second(amount);
        let kbit = |bits: u64| per_second(bits) / 1_000.0;
        let (ingest, decoding) = (&figures.ingest, &figures.decoding);
        write!(
            f,
            "ingest: rate {:.1}/s, video {:.0} kbit/s, audio {:.0} kbit/s, keyframe gap {:.1?}, \
             jitter {:.1?}, longest wait {:.1?}; decoding: rate {:.1}/s, decode {:.1?}, scale \
             {:.1?}, skipped {}",
            per_second(ingest.pictures.into()),
            kbit(ingest.video_bits),
            kbit(ingest.audio_bits),
            ingest.keyframe_gap.unwrap_or_default(),
            ingest.jitter,
            ingest.arrival_gap_max,
            per_second(decoding.pictures.into()),
            decoding.decode_time_mean().unwrap_or_default(),
            decoding.scale_time_mean().unwrap_or_default(),
            decoding.skipped,
        )?;
        for (variant, rendition) in figures.renditions.iter().enumerate() {
            let Some(rendition) = rendition else { continue };
            write!(
                f,
                "; variant {variant} {:?}: rate {:.1}/s, media {:.2} s/s, speed {:.2}, coded {:.0} \
                 kbit/s, lag {:.1?}, longest lag {:.1?}, behind {}, waiting {}, dropped {}, \
                 late {}",
                rendition.step,
                per_second(rendition.pictures.into()),
                rendition.media.as_secs_f64() / f64::from(figures.seconds.max(1)),
                rendition.speed().unwrap_or_default(),
                kbit(rendition.bits),
                rendition.lag_mean().unwrap_or_default(),
                rendition.lag_max,
                rendition.behind,
                rendition.waiting_max,
                rendition.dropped,
                rendition.late,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use riverrun_media::health::RenditionFigures;
    use riverrun_media::ladder::Step;

    use super::*;

    #[test]
    fn only_the_newest_broadcast_writes() {
        let board = HealthBoard::default();
        assert_eq!(board.report().broadcast, 0);
        let first = board.begin(7);
        let second = || Figures { seconds: 1, ..Figures::default() };
        first.write(second());
        first.write(second());
        let report = board.report();
        assert_eq!((report.broadcast, report.health.closed), (7, 2));
        assert!(report.at.is_some());
        assert_eq!(board.recent(10).map(|(_, figures)| figures.seconds), Some(2));
        assert_eq!(board.total().seconds, 2);

        let next = board.begin(9);
        first.write(second());
        let report = board.report();
        assert_eq!((report.broadcast, report.at, report.health.closed), (9, None, 0));
        assert!(report.health.seconds.is_empty());
        next.write(second());
        assert_eq!(board.report().health.seconds.len(), 1);
    }

    #[test]
    fn the_sums_of_a_broadcast_in_one_line() {
        let board = HealthBoard::default();
        let writer = board.begin(1);
        let mut second = Figures { seconds: 1, ..Figures::default() };
        second.ingest.pictures = 30;
        assert_eq!(Sums(&second).to_string(), "1 s, 30 pictures");
        second.decoding.pictures = 29;
        second.decoding.skipped = 1;
        second.renditions[2] = Some(RenditionFigures {
            step: Step::Half,
            paused: false,
            pictures: 20,
            bits: 1_000,
            media: Duration::from_secs(1),
            encode_time: Duration::from_millis(100),
            lag: Duration::from_millis(400),
            lag_max: Duration::from_millis(33),
            behind: 1,
            waiting_max: 2,
            dropped: 7,
            late: 2,
        });
        writer.write(second.clone());
        writer.end(&Figures { seconds: 0, ..second });
        assert_eq!(
            Sums(&board.report().health.total).to_string(),
            "1 s, 60 pictures; decoded 58, skipped 2; variant 2: coded 40, dropped 14, late 4, \
             behind 2, lag 20.0ms, longest lag 33.0ms"
        );
    }
}
