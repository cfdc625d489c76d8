//! Pictures to access units on the output timeline (TS-2, TS-4, CM-9).

use crate::access_unit::{AccessUnit, TrackKind};
use crate::time::{MediaTime, Timescale};

use super::video::Picture;

/// Decode times of the pictures that left.
#[derive(Debug)]
pub(super) struct PictureTimes {
    last: Option<i64>,
    /// Added to every decode time: the composition time of the last IDR picture, so that it
    /// presents exactly when it decodes and the pictures before it in the segment do not (CM-9).
    reorder: i64,
    /// Last distance of two pictures, for the length of the one that left last.
    distance: i64,
    end: i64,
}

impl Default for PictureTimes {
    fn default() -> Self {
        /// One picture at 30 per second.
        const USUAL_DISTANCE: i64 = 3_000;
        Self { last: None, reorder: 0, distance: USUAL_DISTANCE, end: 0 }
    }
}

impl PictureTimes {
    /// Turns a picture whose message stands at an output time into an access unit. The flag tells
    /// that its decode time had to be moved behind the one before (TS-4).
    pub(super) fn place(&mut self, picture: Picture, output_90k: i64) -> (AccessUnit, bool) {
        let composition = picture.composition_ms * 90;
        if picture.idr {
            self.reorder = composition;
        }
        let told = output_90k + self.reorder;
        let dts = self.last.map_or(told, |last| told.max(last + 1));
        let pts = output_90k + composition + (dts - told);
        if let Some(last) = self.last
            && dts - last > 1
        {
            self.distance = dts - last;
        }
        self.last = Some(dts);
        self.end = self.end.max(pts.max(dts) + self.distance);
        let unit = AccessUnit {
            track: TrackKind::Video,
            dts: MediaTime::new(dts, Timescale::VIDEO),
            pts: MediaTime::new(pts, Timescale::VIDEO),
            sync: picture.idr,
            payload: picture.payload,
        };
        (unit, dts != told)
    }

    /// When everything that left has been shown, in 90 kHz ticks; 0 before the first picture.
    pub(super) const fn end_90k(&self) -> i64 {
        self.end
    }
}
