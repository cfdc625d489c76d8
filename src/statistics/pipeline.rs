//! The figures of the broadcast ([`crate::health`]) in the words of the health value and of the
//! history.

use riverrun_media::health::{Figures, RenditionFigures};
use riverrun_media::ladder;
use riverrun_web::health::{Decoder, Ingest, Rendition, Step};
use riverrun_web::history::{Series, Values};

/// What the publisher sent in this time.
pub(super) fn ingest(figures: &Figures, is_away: bool) -> Ingest {
    let ingest = &figures.ingest;
    Ingest {
        is_away,
        pictures: figures.per_second(ingest.pictures.into()),
        video_kbit: figures.per_second(ingest.video_bits) / 1e3,
        audio_kbit: figures.per_second(ingest.audio_bits) / 1e3,
        keyframe_gap: ingest.keyframe_gap.map(|gap| gap.as_secs_f64()),
        jitter: ingest.jitter.as_secs_f64(),
        arrival_gap: ingest.arrival_gap_max.as_secs_f64(),
    }
}

/// The ladder's decoder, where there is a ladder. Stills alone are decoded too seldom to judge.
pub(super) fn decoder(figures: &Figures) -> Option<Decoder> {
    let has_ladder = figures.renditions.iter().any(Option::is_some);
    let decoding = &figures.decoding;
    has_ladder.then_some(Decoder { pictures: decoding.pictures, skipped: decoding.skipped })
}

/// The encoded renditions.
pub(super) fn renditions(figures: &Figures) -> Vec<Rendition> {
    let numbered = (0_u32..).zip(&figures.renditions);
    let of = |(variant, rendition): (u32, &Option<RenditionFigures>)| {
        let rendition = rendition.as_ref()?;
        Some(Rendition {
            variant,
            is_paused: rendition.paused,
            step: match rendition.step {
                ladder::Step::Full => Step::Full,
                ladder::Step::Half => Step::Half,
                ladder::Step::Cheap => Step::Cheap,
                ladder::Step::Suspended => Step::Suspended,
            },
            pictures: rendition.pictures,
            lost: rendition.dropped.saturating_add(rendition.late),
            kbit: figures.per_second(rendition.bits) / 1e3,
            speed: rendition.speed(),
            lag: rendition.lag_mean().map(|lag| lag.as_secs_f64()),
            lag_max: rendition.lag_max.as_secs_f64(),
        })
    };
    numbered.filter_map(of).collect()
}

/// Puts what a second of the broadcast says into the point of that second.
#[allow(clippy::cast_possible_truncation)] // As close as a chart needs.
pub(super) fn put(figures: &Figures, values: &mut Values) {
    let mut put = |series: Series, value: Option<f64>| {
        values[series as usize] = value.map_or(f32::NAN, |value| value as f32);
    };
    let ingest = ingest(figures, false);
    put(Series::IngestVideo, Some(ingest.video_kbit));
    put(Series::IngestAudio, Some(ingest.audio_kbit));
    put(Series::IngestPictures, Some(ingest.pictures));
    put(Series::KeyframeGap, ingest.keyframe_gap);
    put(Series::ArrivalGap, Some(ingest.arrival_gap));
    let renditions = renditions(figures);
    if renditions.is_empty() {
        return;
    }
    let working = || renditions.iter().filter(|rendition| !rendition.is_paused);
    put(Series::EncodeLag, working().map(|rendition| rendition.lag_max).max_by(f64::total_cmp));
    put(
        Series::EncodeSpeed,
        working().filter_map(|rendition| rendition.speed).min_by(f64::total_cmp),
    );
    let lost = working().map(|rendition| rendition.lost).fold(0, u32::saturating_add);
    put(Series::PicturesLost, Some(f64::from(lost) + f64::from(figures.decoding.skipped)));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use riverrun_web::history::NO_VALUES;

    use super::*;

    fn rendition(dropped: u32, encode_ms: u64) -> RenditionFigures {
        RenditionFigures {
            step: ladder::Step::Full,
            paused: false,
            pictures: 25,
            bits: 500_000,
            media: Duration::from_secs(1),
            encode_time: Duration::from_millis(encode_ms),
            lag: Duration::from_millis(250),
            lag_max: Duration::from_millis(encode_ms / 10),
            behind: 0,
            waiting_max: 1,
            dropped,
            late: 1,
        }
    }

    #[test]
    fn a_second_becomes_a_point() {
        let mut figures = Figures { seconds: 1, ..Figures::default() };
        (figures.ingest.pictures, figures.ingest.video_bits) = (25, 2_000_000);
        let mut values = NO_VALUES;
        put(&figures, &mut values);
        assert_eq!(values[Series::IngestVideo as usize], 2_000.0);
        assert!(values[Series::EncodeSpeed as usize].is_nan() && decoder(&figures).is_none());
        figures.decoding.skipped = 2;
        figures.renditions[1] = Some(rendition(3, 200));
        figures.renditions[2] = Some(rendition(0, 500));
        figures.renditions[3] = Some(RenditionFigures { paused: true, ..rendition(99, 10) });
        put(&figures, &mut values);
        let value = |series: Series| values[series as usize];
        assert_eq!((value(Series::EncodeSpeed), value(Series::PicturesLost)), (2.0, 7.0));
        assert!((value(Series::EncodeLag) - 0.05).abs() < 1e-6);
        let renditions = renditions(&figures);
        assert_eq!(renditions.iter().map(|r| r.variant).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((renditions[0].lost, renditions[0].kbit), (4, 500.0));
    }
}
