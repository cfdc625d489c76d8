//! When which pictures are taken for stills.

use super::{PreviewPicture, StillJob};
use crate::codec::{Picture, PictureSize, PictureView};
use crate::picture::Colour;
use crate::scale::{Scaler, rung_size};
use crate::time::{MediaTime, Timescale};

/// Length of the preview, in ticks: 1 s.
const PREVIEW_LENGTH: i64 = 90_000;
/// Pictures of a preview.
const PREVIEW_PICTURES: i64 = 8;
/// Longer side of a thumbnail at most, in pixels: what link previews show.
const THUMBNAIL_SIDE_MAX: u32 = 1_280;
/// Longer side of a preview at most, in pixels, as in Owncast.
const PREVIEW_SIDE_MAX: u32 = 480;

/// Picks the pictures of one timeline.
#[derive(Debug, Default)]
pub struct StillCollector {
    /// The last picture offered.
    seen: Option<i64>,
    /// When the next still begins.
    next: Option<i64>,
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    begin: i64,
    job: StillJob,
    scaler: Scaler,
    size: PictureSize,
}

impl StillCollector {
    /// From one still to the next, as in Owncast (API §5.7).
    pub const PERIOD: MediaTime = MediaTime::from_millis(20_000);

    /// Shows the collector a whole picture with the time at which it is shown; most are not wanted
    /// and cost nothing. `display_size` is the size on a screen (MV-2).
    ///
    /// A job is complete with the first picture a second after its beginning, or with its last.
    pub fn offer(
        &mut self,
        pts: MediaTime,
        picture: PictureView<'_>,
        display_size: (u32, u32),
        colour: Option<Colour>,
    ) -> Option<StillJob> {
        let pts = pts.rescale(Timescale::VIDEO).ticks();
        if self.seen.is_some_and(|seen| pts <= seen) {
            // Another timeline.
            *self = Self::default();
        }
        self.seen = Some(pts);
        if self.next.is_none_or(|next| pts >= next) {
            self.under_way = UnderWay::begin(pts, picture, display_size, colour);
            self.next = Some(pts.saturating_add(Self::PERIOD.rescale(Timescale::VIDEO).ticks()));
        }
        let under_way = self.under_way.as_mut()?;
        under_way.add(pts, picture);
        if under_way.is_complete(pts) { self.under_way.take().map(|done| done.job) } else { None }
    }
}

impl UnderWay {
    /// `None` for a picture too narrow for a still.
    fn begin(
        begin: i64,
        picture: PictureView<'_>,
        display_size: (u32, u32),
        colour: Option<Colour>,
    ) -> Option<Self> {
        let size = fitted(display_size, PREVIEW_SIDE_MAX)?;
        let mut thumbnail = Picture::black(fitted(display_size, THUMBNAIL_SIDE_MAX)?);
        Scaler::new(picture.size(), thumbnail.size()).scale(picture, &mut thumbnail);
        let scaler = Scaler::new(picture.size(), size);
        let job = StillJob { thumbnail, preview: Vec::new(), colour };
        Some(Self { begin, job, scaler, size })
    }

    /// Takes the picture if it is the first at or behind a place that has none yet.
    fn add(&mut self, pts: i64, picture: PictureView<'_>) {
        let since = pts.saturating_sub(self.begin);
        let place = |at: i64| at * PREVIEW_PICTURES / PREVIEW_LENGTH;
        let last = self.job.preview.last().map(|last| place(last.at.into()));
        if since >= PREVIEW_LENGTH || last.is_some_and(|last| place(since) <= last) {
            return;
        }
        let mut small = Picture::black(self.size);
        self.scaler.scale(picture, &mut small);
        let at = u32::try_from(since).unwrap_or_default();
        self.job.preview.push(PreviewPicture { at, picture: small });
    }

    fn is_complete(&self, pts: i64) -> bool {
        let since = pts.saturating_sub(self.begin);
        since >= PREVIEW_LENGTH - PREVIEW_LENGTH / PREVIEW_PICTURES
            && self.job.preview.len() as i64 == PREVIEW_PICTURES
            || since >= PREVIEW_LENGTH
    }
}

/// The source's shape with no side longer than this.
fn fitted(display_size: (u32, u32), side_max: u32) -> Option<PictureSize> {
    let (width, height) = display_size;
    let fitted = if width >= height {
        rung_size(display_size, side_max.min(width), 0)
    } else {
        rung_size(display_size, 0, side_max.min(height))
    };
    fitted.ok().map(|fitted| fitted.size)
}
