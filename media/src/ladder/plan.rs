//! From a source and the operator's setting to the renditions that will be made.

use super::capacity;
use super::setting::{
    BITRATE_KBIT_MAX, BITRATE_KBIT_MIN, EncodeSetting, LadderSetting, RungCodec, Variant,
};
use crate::access_unit::VideoTrack;
use crate::codec::{PictureSize, Undecodable};
use crate::scale::rung_size;

/// Heights of rungs that are made without being asked for, or widths where the picture stands
/// upright.
const AUTOMATIC_SIDES: [u32; 3] = [720, 480, 360];
/// Rungs that are made without being asked for, at most.
const AUTOMATIC_RUNGS_MAX: usize = 2;
/// The share of all cores that a ladder with pictures of the source's own size may take: a little
/// more than others, so that two cores hold it for 1080p30.
const RARE_KEYFRAMES_SHARE_MAX: f64 = 0.65;
/// CPU level of an automatic rung.
const AUTOMATIC_CPU_LEVEL: u8 = 2;
/// Above this, in pictures per 1000 s, an automatic rung has every second picture of the source.
const AUTOMATIC_RATE_MILLIS_MAX: u32 = 31_000;
/// Fastest that an encoder controls the rate for.
const ENCODER_RATE_MILLIS_MAX: u32 = 60_000;
/// A source that does not tell its frame rate.
const USUAL_RATE_MILLIS: u32 = 30_000;
/// An automatic rung with more bits than this share of the source's is no relief to anybody.
const BITRATE_SHARE_MAX: f64 = 0.75;

/// What there is to encode from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourcePicture {
    /// Pixels on a screen.
    pub width: u32,
    /// Pixels on a screen.
    pub height: u32,
    /// Pictures per second times 1000.
    pub frame_rate_millis: u32,
    /// Bits per second, if the publisher told.
    pub bitrate: Option<u32>,
}

/// The renditions of one source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// The variant that is the source itself.
    pub source: Option<u8>,
    /// The source itself goes on for those who have it, but is offered to nobody.
    pub hides_source: bool,
    /// What is encoded, in the order in which it is offered: larger before smaller in an automatic
    /// ladder, else as set, but AV1 behind H.264 (MV-10).
    pub rungs: Vec<PlannedRung>,
    /// Why it is not what was asked for: a sentence for the streamer.
    pub notice: Option<String>,
}

/// One rendition to encode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlannedRung {
    /// Number of the variant.
    pub variant: u8,
    /// Square pixels.
    pub size: PictureSize,
    /// Pictures per second times 1000.
    pub frame_rate_millis: u32,
    /// Bits per second.
    pub bitrate: u32,
    /// What with.
    pub codec: RungCodec,
    /// Threads of the encoder; more than 1 in AV1 only.
    pub threads: usize,
}

impl Plan {
    /// The share of `cores` that decoding this source and encoding all rungs is thought to take.
    pub fn share(&self, track: &VideoTrack, cores: usize) -> f64 {
        if self.rungs.is_empty() {
            return 0.0;
        }
        let encode: f64 = self.rungs.iter().map(capacity::encoding).sum();
        (capacity::decoding(&SourcePicture::of(track)) + encode) / cores.max(1) as f64
    }
}

impl PlannedRung {
    pub(super) fn pixels_per_second(&self) -> f64 {
        let pixels = f64::from(self.size.width()) * f64::from(self.size.height());
        pixels * f64::from(self.frame_rate_millis) / 1_000.0
    }
}

impl SourcePicture {
    fn of(track: &VideoTrack) -> Self {
        let frame_rate_millis = track.frame_rate_millis.unwrap_or(USUAL_RATE_MILLIS).max(1);
        Self { width: track.width, height: track.height, frame_rate_millis, bitrate: track.bitrate }
    }

    pub(super) fn pixels_per_second(&self) -> f64 {
        f64::from(self.width) * f64::from(self.height) * f64::from(self.frame_rate_millis) / 1_000.0
    }
}

/// Plans the renditions of a source on a machine with `cores`.
pub fn plan(setting: &LadderSetting, track: &VideoTrack, cores: usize) -> Plan {
    let source = SourcePicture::of(track);
    let wants_rungs = match setting {
        LadderSetting::Automatic => true,
        LadderSetting::Variants(variants) => variants.iter().any(|v| *v != Variant::Source),
    };
    if wants_rungs && let Err(reason) = Undecodable::check(&track.codec) {
        return alone(Some(reason.to_string()));
    }
    match setting {
        LadderSetting::Automatic => automatic(&source, cores),
        LadderSetting::Variants(variants) => as_set(variants, &source, cores),
    }
}

impl LadderSetting {
    /// Plans the renditions of a source as [`plan`] does, or says in a sentence what of this
    /// setting cannot be made of it. An automatic ladder is always what can be.
    pub fn check(&self, track: &VideoTrack, cores: usize) -> Result<Plan, String> {
        let mut plan = plan(self, track, cores);
        match (self, plan.notice.take()) {
            (Self::Variants(_), Some(notice)) => Err(notice),
            (Self::Automatic | Self::Variants(_), notice) => Ok(Plan { notice, ..plan }),
        }
    }
}

/// The automatic ladder of a source whose keyframes are further apart than a segment may be long
/// (PL-4): players would wait for them, so its pictures are offered anew in their own size and at
/// their own bit rate, with keyframes where segments begin. `None` where the operator chose
/// otherwise, or where that cannot be made.
pub fn plan_for_rare_keyframes(
    setting: &LadderSetting,
    track: &VideoTrack,
    cores: usize,
) -> Option<Plan> {
    if *setting != LadderSetting::Automatic || Undecodable::check(&track.codec).is_err() {
        return None;
    }
    let source = SourcePicture::of(track);
    let automatic = automatic(&source, cores);
    let codec = RungCodec::H264 { cpu_level: AUTOMATIC_CPU_LEVEL };
    let (width, height) = (source.width, source.height);
    let same = EncodeSetting { width, height, bitrate_kbit: 0, frame_rate: 0, codec };
    let mut top = planned(automatic.rungs.len() + 1, &same, &source).ok()?;
    if let Some(bitrate) = source.bitrate {
        top.bitrate = bitrate.clamp(BITRATE_KBIT_MIN * 1_000, BITRATE_KBIT_MAX * 1_000);
    }
    // What is on air already stays as it is.
    let rungs = std::iter::once(top).chain(automatic.rungs).collect();
    let plan = Plan { hides_source: true, rungs, notice: None, ..automatic };
    (plan.share(track, cores) <= RARE_KEYFRAMES_SHARE_MAX).then_some(plan)
}

/// The source and nothing else.
fn alone(notice: Option<String>) -> Plan {
    Plan { source: Some(0), notice, ..Plan::default() }
}

fn automatic(source: &SourcePicture, cores: usize) -> Plan {
    let mut plan = alone(None);
    let mut left = capacity::free(cores) - capacity::decoding(source);
    for side in AUTOMATIC_SIDES {
        if source.width.min(source.height) <= side || plan.rungs.len() == AUTOMATIC_RUNGS_MAX {
            continue;
        }
        let upright = source.width < source.height;
        let (width, height) = if upright { (side, 0) } else { (0, side) };
        let codec = RungCodec::H264 { cpu_level: AUTOMATIC_CPU_LEVEL };
        let setting = EncodeSetting { width, height, bitrate_kbit: 0, frame_rate: 0, codec };
        let Ok(mut rung) = planned(plan.rungs.len() + 1, &setting, source) else { continue };
        if rung.frame_rate_millis > AUTOMATIC_RATE_MILLIS_MAX {
            rung.frame_rate_millis = rung.frame_rate_millis.div_ceil(2);
        }
        rung.bitrate = usual_bitrate(&rung);
        if let Some(bitrate) = source.bitrate {
            rung.bitrate = rung.bitrate.min((f64::from(bitrate) * BITRATE_SHARE_MAX) as u32);
        }
        let cost = capacity::encoding(&rung);
        if cost <= left {
            left -= cost;
            plan.rungs.push(rung);
        }
    }
    if plan.rungs.is_empty() && source.width.min(source.height) > AUTOMATIC_SIDES[2] {
        plan.notice = Some(format!(
            "{cores} cores are too few to encode {}x{} pictures {} times a second, so there is no \
             ladder: lower the resolution or the frame rate, or set renditions yourself",
            source.width,
            source.height,
            source.frame_rate_millis / 1_000
        ));
    }
    plan
}

fn as_set(variants: &[Variant], source: &SourcePicture, cores: usize) -> Plan {
    let mut plan = Plan::default();
    let mut wrong = Vec::new();
    let mut in_av1 = Vec::new();
    for (index, variant) in variants.iter().enumerate() {
        match variant {
            Variant::Source => plan.source = u8::try_from(index).ok(),
            Variant::Encode(setting) => match planned(index, setting, source) {
                Ok(rung) if rung.codec == RungCodec::Av1 => in_av1.push((setting, rung)),
                Ok(rung) => plan.rungs.push(rung),
                Err(reason) => wrong.push(format!("{variant} cannot be made: {reason}")),
            },
        }
    }
    if plan.rungs.is_empty() && plan.source.is_none() {
        plan.source = Some(0);
    }
    // H.264 is made as it was set and gives way by itself; AV1 is so much more work that it would
    // take the others down with it.
    let mut left = capacity::free(cores) - capacity::decoding(source);
    left -= plan.rungs.iter().map(capacity::encoding).sum::<f64>();
    for (setting, mut rung) in in_av1 {
        rung.threads = capacity::av1_threads(&rung, cores);
        if capacity::av1_fits(&rung, left) {
            left -= capacity::encoding(&rung);
            plan.rungs.push(rung);
            continue;
        }
        let reason = capacity::refusal(setting, &rung, left, |other| {
            let mut rung = planned(usize::from(rung.variant), other, source).ok()?;
            rung.threads = capacity::av1_threads(&rung, cores);
            Some(rung)
        });
        wrong.push(format!("{} cannot be made: {reason}", Variant::Encode(*setting)));
    }
    plan.notice = (!wrong.is_empty()).then(|| wrong.join("; "));
    plan
}

fn planned(
    variant: usize,
    setting: &EncodeSetting,
    source: &SourcePicture,
) -> Result<PlannedRung, String> {
    let size = rung_size((source.width, source.height), setting.width, setting.height)
        .map_err(|error| error.to_string())?
        .size;
    let mut rung = PlannedRung {
        variant: u8::try_from(variant).map_err(|error| error.to_string())?,
        size,
        frame_rate_millis: frame_rate(setting.frame_rate, source.frame_rate_millis),
        bitrate: setting.bitrate_kbit.saturating_mul(1_000),
        codec: setting.codec,
        threads: 1,
    };
    if rung.bitrate == 0 {
        rung.bitrate = usual_bitrate(&rung);
    }
    Ok(rung)
}

/// The rate set, but not above the source's; a source too fast for the encoder loses every second
/// picture.
const fn frame_rate(set: u32, source_millis: u32) -> u32 {
    let set_millis = set.saturating_mul(1_000);
    if set > 0 && set_millis < source_millis {
        return set_millis;
    }
    let mut rate = source_millis;
    while rate > ENCODER_RATE_MILLIS_MAX {
        rate = rate.div_ceil(2);
    }
    rate
}

/// Bits per second that suit the size: 2.4 Mbit/s for 720p30, and more for each pixel of smaller
/// pictures, less of larger ones.
fn usual_bitrate(rung: &PlannedRung) -> u32 {
    const BITS_PER_PIXEL: f64 = 0.085;
    const AT_PIXELS: f64 = 1_280.0 * 720.0;
    /// AV1 shows small pictures as well with fewer.
    const AV1_SHARE: f64 = 0.6;
    let share = if rung.codec == RungCodec::Av1 { AV1_SHARE } else { 1.0 };
    let pixels = f64::from(rung.size.width()) * f64::from(rung.size.height());
    let bits = share * BITS_PER_PIXEL * rung.pixels_per_second() * (AT_PIXELS / pixels).powf(0.2);
    (bits / 10_000.0).round() as u32 * 10_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_unit::VideoCodec;
    use crate::h264::AvcConfig;
    use crate::ladder::TIGHT_SHARE;
    use crate::picture::Light;
    use crate::testdata;

    const AVCC: &str = include_str!("../../testdata/h264/avcc.hex");

    fn track(width: u32, height: u32, rate_millis: Option<u32>) -> VideoTrack {
        let record = testdata::record(AVCC, "high_1080_ntsc");
        let (config, _) = AvcConfig::parse(&record).expect("the record is whole");
        VideoTrack {
            light: Light::default(),
            colour: config.colour(),
            codec: VideoCodec::H264(config),
            width,
            height,
            frame_rate_millis: rate_millis,
            bitrate: Some(6_000_000),
        }
    }

    /// `WIDTHxHEIGHT@KBIT/RATE` of each rung, behind its number.
    fn told(plan: &Plan) -> Vec<String> {
        let rung = |rung: &PlannedRung| {
            format!(
                "{}: {}x{}@{}/{}",
                rung.variant,
                rung.size.width(),
                rung.size.height(),
                rung.bitrate / 1_000,
                rung.frame_rate_millis
            )
        };
        plan.rungs.iter().map(rung).collect()
    }

    #[test]
    fn an_automatic_ladder_is_what_the_machine_can_hold() {
        let planned = |width, height, rate, cores| {
            plan(&LadderSetting::Automatic, &track(width, height, Some(rate)), cores)
        };
        let (hd, sd) = ("1: 1280x720@2350/30000", "2: 854x480@1230/30000");
        for (width, height, rate, cores, want) in [
            (1_920, 1_080, 30_000, 2, vec![hd, sd]),
            (1_920, 1_080, 60_000, 2, vec![hd, sd]),
            (1_920, 1_080, 60_000, 1, vec![]),
            (1_080, 1_920, 30_000, 2, vec!["1: 720x1280@2350/30000", "2: 480x854@1230/30000"]),
            (1_280, 720, 25_000, 2, vec!["1: 854x480@1020/25000", "2: 640x360@650/25000"]),
            (854, 480, 30_000, 1, vec!["1: 640x360@780/30000"]),
            (640, 360, 30_000, 8, vec![]),
            (3_840, 2_160, 60_000, 2, vec![]),
        ] {
            let plan = planned(width, height, rate, cores);
            assert_eq!(plan.source, Some(0));
            let rungs = told(&plan);
            assert_eq!(rungs.len(), want.len(), "{width}x{height}: {rungs:?}");
            let is_told = plan.notice.is_some();
            assert_eq!(is_told, want.is_empty() && height > 360, "{width}x{height}");
            assert_eq!(rungs, want);
        }
    }

    #[test]
    fn pl4_rare_keyframes_put_the_same_size_on_top_where_the_machine_holds_it() {
        let (hd, sd) = ("1: 1280x720@2350/30000", "2: 854x480@1230/30000");
        for (width, height, rate, cores, want) in [
            (1_920, 1_080, 30_000, 2, Some(vec!["3: 1920x1080@6000/30000", hd, sd])),
            (1_920, 1_080, 30_000, 1, None),
            (640, 360, 25_000, 1, Some(vec!["1: 640x360@6000/25000"])),
            (1_920, 1_080, 60_000, 2, None),
        ] {
            let source = track(width, height, Some(rate));
            let plan = plan_for_rare_keyframes(&LadderSetting::Automatic, &source, cores);
            let rungs = plan.as_ref().map(told);
            assert_eq!(rungs.as_deref().map(|r| r.iter().map(String::as_str).collect()), want);
            let Some(plan) = plan else { continue };
            assert!(plan.hides_source && plan.source == Some(0));
            // The rungs beside it are those of the automatic ladder.
            let usual = super::plan(&LadderSetting::Automatic, &source, cores);
            assert_eq!(plan.rungs[1..], usual.rungs[..]);
        }
        let source = track(640, 360, Some(25_000));
        let set: LadderSetting = "source,180p".parse().expect("a ladder");
        assert_eq!(plan_for_rare_keyframes(&set, &source, 8), None);
    }

    #[test]
    fn a_ladder_that_was_set_is_made_as_it_was_set() {
        let source = track(1_920, 1_080, Some(60_000));
        for (setting, listed, want) in [
            ("source", Some(0), vec![]),
            (
                "720p@2500/30,source,480p@1000",
                Some(1),
                vec!["0: 1280x720@2500/30000", "2: 854x480@1000/60000"],
            ),
            ("1280x0@3000", None, vec!["0: 1280x720@3000/60000"]),
            ("source,720p@2000/0", Some(0), vec!["1: 1280x720@2000/60000"]),
        ] {
            let setting: LadderSetting = setting.parse().expect("a ladder");
            let plan = plan(&setting, &source, 1);
            assert_eq!(plan.source, listed, "{setting}");
            assert_eq!(told(&plan), want, "{setting}");
            assert_eq!(plan.notice, None);
        }
    }

    /// Of 1080p30: decoding takes 0.4 cores, 480p 0.1, and a machine of two has 1.2 for all.
    #[test]
    fn av1_is_made_where_the_machine_holds_it_else_the_sentence_says_what_would_fit() {
        let source = track(1_920, 1_080, Some(30_000));
        for (setting, cores, want, said) in [
            ("source,240p@150:av1", 2, vec!["1: 426x240@150/30000x1"], vec![]),
            // Behind H.264 wherever it stands, under the number of its place.
            (
                "240p:av1,480p@900,source",
                2,
                vec!["1: 854x480@900/30000x1", "0: 426x240@240/30000x1"],
                vec![],
            ),
            (
                "source,360p@400:av1",
                2,
                vec![],
                vec![
                    "360p@400:av1 cannot be made: AV1 of 640x360 pictures, 30 times a second",
                    "takes 1.4 cores, and this machine has 0.8 left",
                    "270p:av1 or 360p@400/15:av1 would fit",
                ],
            ),
            ("source,360p@400/15:av1", 2, vec!["1: 640x360@400/15000x1"], vec![]),
            ("source,360p@400:av1", 4, vec!["1: 640x360@400/30000x2"], vec![]),
            (
                "source,720p@900:av1",
                16,
                vec![],
                vec!["the 4 threads", "480p:av1 or 720p@900/15:av1 would fit"],
            ),
            // The first that fits leaves nothing for the second.
            (
                "source,240p@150:av1,180p@100:av1",
                2,
                vec!["1: 426x240@150/30000x1"],
                vec!["180p@100:av1"],
            ),
            (
                "source,720p@2000,144p:av1",
                1,
                vec!["1: 1280x720@2000/30000x1"],
                vec!["0.0 left", "leave it out"],
            ),
            ("source,1080p:av1", 64, vec![], vec!["1080p:av1 cannot be made"]),
        ] {
            let plan = plan(&setting.parse().expect("a ladder"), &source, cores);
            let threads = plan.rungs.iter().map(|rung| format!("x{}", rung.threads));
            let rungs: Vec<_> =
                told(&plan).into_iter().zip(threads).map(|(rung, x)| rung + &x).collect();
            assert_eq!(rungs, want, "{setting} on {cores}: {:?}", plan.notice);
            let notice = plan.notice.unwrap_or_default();
            assert_eq!(notice.is_empty(), said.is_empty(), "{notice}");
            assert!(said.iter().all(|part| notice.contains(part)), "{notice}");
        }
    }

    #[test]
    fn a_setting_is_refused_with_what_cannot_be_made() {
        let source = track(1_280, 720, Some(30_000));
        for (setting, rungs) in [
            ("auto", Ok(2)),
            ("source", Ok(0)),
            ("source,480p,240p", Ok(2)),
            ("source,1x1@100", Err("1x1@100 cannot be made")),
        ] {
            let setting: LadderSetting = setting.parse().expect("a ladder");
            let checked = setting.check(&source, 2);
            match (rungs, &checked) {
                (Ok(rungs), Ok(plan)) => assert_eq!(plan.rungs.len(), rungs, "{setting}"),
                (Err(part), Err(why)) => assert!(why.contains(part), "{setting}: {why}"),
                _ => panic!("{setting}: {checked:?}"),
            }
        }
    }

    #[test]
    fn the_share_of_the_machine_grows_with_the_ladder() {
        let source = track(1_920, 1_080, Some(30_000));
        let share = |setting: &str, cores| {
            let setting: LadderSetting = setting.parse().expect("a ladder");
            plan(&setting, &source, cores).share(&source, cores)
        };
        assert!(share("source", 1).abs() < f64::EPSILON);
        assert!(share("auto", 2) < TIGHT_SHARE && share("auto", 1) > TIGHT_SHARE / 2.0);
        assert!(share("source,1080p,720p,480p", 2) > TIGHT_SHARE);
        assert!(share("source,1080p,720p,480p", 16) < TIGHT_SHARE);
    }

    #[test]
    fn a_source_too_fast_for_the_encoder_loses_every_second_picture() {
        for (set, source, want) in [
            (0, 60_000, 60_000),
            (0, 120_000, 60_000),
            (0, 144_000, 36_000),
            (30, 60_000, 30_000),
            (60, 30_000, 30_000),
            (30, 29_970, 29_970),
        ] {
            assert_eq!(frame_rate(set, source), want, "{set} of {source}");
        }
    }

    #[test]
    fn a_source_that_cannot_be_decoded_goes_alone_and_says_why() {
        let record = testdata::record(AVCC, "high422_interlaced");
        let (config, _) = AvcConfig::parse(&record).expect("the record is whole");
        let codec = VideoCodec::H264(config);
        let source = VideoTrack { codec, ..track(1_920, 1_080, Some(30_000)) };
        let plan = plan(&LadderSetting::Automatic, &source, 8);
        assert_eq!((plan.source, plan.rungs.len()), (Some(0), 0));
        assert!(plan.notice.is_some_and(|notice| notice.contains("NV12")));
    }
}
