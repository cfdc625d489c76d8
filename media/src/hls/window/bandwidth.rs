//! BANDWIDTH and AVERAGE-BANDWIDTH of a rendition (MV-1).
//!
//! Before a segment has been measured the announced rate is taken with a margin; after that, the
//! highest segment rate seen, which never falls.

use super::segment::Segment;
use crate::hls::update::{Rendition, RenditionMedia};

/// Bit rates in bits per second, container included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rates {
    pub(super) peak: u64,
    pub(super) average: u64,
}

/// Measures complete segments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bandwidth {
    peak: u64,
    bits: u64,
    millis: u64,
}

/// Assumed for a video track that announces nothing and has not been measured.
const UNKNOWN_VIDEO: u64 = 6_000_000;
/// The same for audio.
const UNKNOWN_AUDIO: u64 = 160_000;

impl Bandwidth {
    /// Counts a segment. Rates count from half of TARGETDURATION up, as the definition of the peak
    /// asks; the average counts everything.
    pub(super) fn measure(&mut self, segment: &Segment, target_duration: u32) {
        let millis = u64::try_from(segment.duration().millis()).unwrap_or(0);
        if segment.gap || millis == 0 {
            return;
        }
        let bits = segment.byte_len() * 8;
        self.bits += bits;
        self.millis += millis;
        if millis * 2 >= u64::from(target_duration) * 1_000 {
            self.peak = self.peak.max((bits * 1_000).div_ceil(millis));
        }
    }

    /// What the multivariant playlist says, in whole kilobits.
    pub(super) fn rates(&self, rendition: &Rendition, open: Option<&Segment>) -> Rates {
        let rates = if self.peak > 0 { self.measured() } else { estimate(rendition, open) };
        let kilo = |bits: u64| bits.div_ceil(1_000).max(1) * 1_000;
        Rates { peak: kilo(rates.peak), average: kilo(rates.average) }
    }

    /// Mean over the broadcast, 0 before the first segment.
    pub(super) fn average(&self) -> u64 {
        (self.bits * 1_000).checked_div(self.millis).unwrap_or(0)
    }

    fn measured(&self) -> Rates {
        let average = self.average();
        Rates { peak: self.peak.max(average), average }
    }
}

fn estimate(rendition: &Rendition, open: Option<&Segment>) -> Rates {
    let announced = rendition.bitrate.filter(|rate| *rate > 0).map(u64::from);
    let base = announced.or_else(|| open.and_then(rate_so_far)).unwrap_or(match rendition.media {
        RenditionMedia::Video { .. } => UNKNOWN_VIDEO,
        RenditionMedia::Audio { .. } => UNKNOWN_AUDIO,
    });
    Rates { peak: base * 5 / 4, average: base * 11 / 10 }
}

fn rate_so_far(open: &Segment) -> Option<u64> {
    let millis = u64::try_from(open.duration().millis()).ok().filter(|millis| *millis > 0)?;
    Some(open.byte_len() * 8_000 / millis)
}
