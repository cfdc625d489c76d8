//! Random publishers against the checker. A failure prints the seed; `case(seed)` repeats it.

use super::publisher::{DATE, Server, audio_track, sound, tracks, video_track};
use crate::access_unit::{AccessUnit, TrackKind, Tracks};
use crate::hls::checker::{Checker, ready};
use crate::hls::{Answer, Directives, Update};
use crate::time::{MediaTime, Timescale, UnixTime};
use bytes::Bytes;

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next() as usize % from.len()]
    }
}

/// How one publisher sends.
#[derive(Debug, Clone, Copy)]
struct Habits {
    fps_millis: i64,
    rate_announced: bool,
    /// Largest deviation of a picture's time in milliseconds.
    jitter_ms: i64,
    gop_ms: i64,
    scene_cuts: bool,
    /// One picture in so many is missing; 0 for none.
    missing: i64,
    reorder: bool,
    video: bool,
    audio_rate: Option<u32>,
    /// How much later than pictures sound arrives; may be negative.
    audio_late_ms: i64,
    /// Tracks pause for up to some seconds.
    pauses: bool,
}

impl Habits {
    fn draw(random: &mut Random) -> Self {
        let shape = random.below(8);
        let pauses = random.one_in(4);
        Self {
            fps_millis: random.pick(&[
                5_000, 10_000, 15_000, 23_976, 24_000, 25_000, 29_970, 30_000, 50_000, 60_000,
            ]),
            rate_announced: !random.one_in(4),
            jitter_ms: random.pick(&[0, 0, 1, 3]),
            gop_ms: 500 + random.below(9_500),
            scene_cuts: random.one_in(3),
            missing: random.pick(&[0, 0, 0, 50, 5, 2]),
            reorder: random.one_in(2),
            video: shape != 0,
            audio_rate: (shape != 1).then(|| random.pick(&[44_100, 48_000, 22_050])),
            audio_late_ms: random.pick(&[0, 0, 40, -40, 300, -300, 700, -700]),
            pauses,
        }
    }

    /// Everything can be told in advance.
    const fn is_regular(&self) -> bool {
        !self.pauses && !self.scene_cuts && self.jitter_ms == 0 && self.missing == 0
    }

    fn tracks(&self) -> Tracks {
        let rate = self.rate_announced.then(|| u32::try_from(self.fps_millis).unwrap());
        tracks(self.video.then(|| video_track(rate)), self.audio_rate.map(audio_track))
    }

    /// Units from `from_ms` on for `length_ms`, in order of arrival.
    fn units(&self, random: &mut Random, from_ms: i64, length_ms: i64) -> Vec<AccessUnit> {
        let mut arrivals: Vec<(i64, AccessUnit)> = Vec::new();
        if self.video {
            self.add_pictures(random, from_ms, length_ms, &mut arrivals);
        }
        if let Some(rate) = self.audio_rate {
            let mut hush = Pause::default();
            for unit in (0..).map(|unit| sound(from_ms, unit, rate)) {
                let ms = unit.dts.millis();
                if ms >= from_ms + length_ms {
                    break;
                }
                if !(self.pauses && hush.covers(random, ms)) {
                    arrivals.push((ms + self.audio_late_ms, unit));
                }
            }
        }
        arrivals.sort_by_key(|(at, _)| *at);
        arrivals.into_iter().map(|(_, unit)| unit).collect()
    }

    fn add_pictures(
        &self,
        random: &mut Random,
        from_ms: i64,
        length_ms: i64,
        arrivals: &mut Vec<(i64, AccessUnit)>,
    ) {
        let mut pause = Pause::default();
        let mut last_ms = -1;
        let mut last_sync = -1_000_000;
        for frame in 0.. {
            let exact = frame * 1_000_000 / self.fps_millis;
            if exact >= length_ms {
                break;
            }
            let jitter = if self.jitter_ms > 0 { random.below(self.jitter_ms + 1) } else { 0 };
            let ms = (exact + jitter).max(last_ms + 1);
            if self.pauses && pause.covers(random, from_ms + ms) {
                continue;
            }
            if self.missing > 0 && frame > 0 && random.one_in(self.missing) {
                continue;
            }
            last_ms = ms;
            let due = (frame - last_sync) * 1_000_000 >= self.gop_ms * self.fps_millis;
            let sync = due || (self.scene_cuts && random.one_in(90));
            if sync {
                last_sync = frame;
            }
            let dts = MediaTime::from_millis(from_ms + ms).rescale(Timescale::VIDEO);
            let offset = if sync || !self.reorder { 0 } else { (frame % 3 - 1) * 1_800 };
            let size =
                40 + usize::try_from(random.below(200)).unwrap() + if sync { 900 } else { 0 };
            let mut payload = format!("picture {:>14}", dts.ticks()).into_bytes();
            payload.resize(size, b'.');
            let unit = AccessUnit {
                track: TrackKind::Video,
                dts,
                pts: MediaTime::new(dts.ticks() + offset, Timescale::VIDEO),
                sync,
                payload: Bytes::from(payload),
            };
            arrivals.push((from_ms + ms, unit));
        }
    }
}

/// Now and then a track delivers nothing for up to six seconds.
#[derive(Default)]
struct Pause {
    until_ms: i64,
}

impl Pause {
    fn covers(&mut self, random: &mut Random, ms: i64) -> bool {
        if random.one_in(400) {
            self.until_ms = ms + random.below(6_000);
        }
        ms < self.until_ms
    }
}

struct Model {
    random: Random,
    habits: Habits,
    server: Server,
    checkers: Vec<Checker>,
    sent: Vec<AccessUnit>,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let habits = Habits::draw(&mut random);
        let steady = !habits.pauses;
        let mut checkers = Vec::new();
        if habits.video {
            checkers.push(Checker::new("0", 90_000, steady));
        }
        if let Some(rate) = habits.audio_rate {
            checkers.push(Checker::new("audio", rate.into(), steady));
        }
        let server = Server::new(random.pick(&[0, 10_000, 30_000]));
        Self { random, habits, server, checkers, sent: Vec::new() }
    }

    fn settle(&mut self) {
        let checkers = &mut self.checkers;
        self.server.settle_with(|window, update| {
            if let Update::Start(_) = update {
                checkers.iter_mut().for_each(Checker::new_broadcast);
            }
            for checker in checkers.iter_mut() {
                checker.look(window);
            }
        });
    }

    fn run(&mut self) {
        let mut at_ms = 10_000 + self.random.below(1_000_000);
        let mut live = false;
        for _ in 0..1 + self.random.below(5) {
            let date = UnixTime::from_millis(DATE.millis() + at_ms);
            self.server.segmenter.start(self.habits.tracks(), MediaTime::from_millis(at_ms), date);
            live = true;
            let length_ms = 1 + self.random.below(30_000);
            let units = self.habits.units(&mut self.random, at_ms, length_ms);
            for unit in units {
                self.sent.push(unit.clone());
                self.server.segmenter.push(unit);
                self.settle();
            }
            match self.random.below(4) {
                0 => self.server.segmenter.interrupt(),
                1 => {
                    self.server.segmenter.end();
                    live = false;
                }
                _ => {}
            }
            self.settle();
            at_ms += length_ms + self.random.below(20_000);
        }
        if live {
            self.server.segmenter.end();
            self.settle();
        }
    }

    fn check_whole(&mut self) {
        self.check_alignment();
        if !self.habits.pauses {
            self.check_nothing_lost();
        }
        // What is regular is told in advance (LL-10).
        if self.habits.is_regular() {
            for checker in &self.checkers {
                assert_eq!(checker.hints_missed, 0, "hints of {} (LL-10)", checker.folder);
            }
        }
        let lists: Vec<_> = self
            .checkers
            .iter()
            .map(|c| self.server.window.playlist(c.folder, &Directives::default()))
            .filter(|answer| matches!(answer, Answer::Ready(_)))
            .map(|answer| crate::hls::checker::m3u8::parse(&ready(answer)))
            .collect();
        for list in &lists {
            assert!(list.ended);
            let last =
                |list: &crate::hls::checker::m3u8::Playlist| list.segments.last().map(|s| s.msn);
            assert_eq!(last(list), last(&lists[0]), "AL-4");
            for segment in &list.segments {
                let same = lists[0].segments.iter().find(|other| other.msn == segment.msn);
                let tagged = same.is_none_or(|other| other.discontinuity == segment.discontinuity);
                assert!(tagged, "AL-1 at {}", segment.msn);
            }
        }
    }

    /// Sound of segment N begins with the first unit not before the pictures of segment N (AL-5).
    fn check_alignment(&self) {
        let [video, audio] = &self.checkers[..] else { return };
        // Beyond the waiting time sound does not wait for pictures (TS-8).
        if self.habits.pauses {
            return;
        }
        let rate = i64::from(self.habits.audio_rate.unwrap());
        let mut last = 0;
        for (msn, fragment) in &video.fragments {
            let Some(first) = fragment.samples.first() else { continue };
            // The first segment of a timeline begins with whatever came first; where a picture that
            // is not a sync point begins a segment, presentation is reordered around it.
            if *msn == last || !fragment.styp || !first.sync {
                continue;
            }
            last = *msn;
            let before = audio.fragments.iter().rfind(|(n, _)| *n == msn - 1);
            let Some((_, sound)) = audio.fragments.iter().find(|(n, _)| n == msn) else { continue };
            let Some((_, before)) = before else { continue };
            let end = before.decode_time + before.samples.iter().map(|s| s.duration).sum::<i64>();
            if end != sound.decode_time {
                continue; // a new timeline
            }
            // Where a picture is missing, the segment may begin when it should have been shown.
            let aligned = [first.offset, 0].into_iter().any(|offset| {
                let boundary = fragment.decode_time + offset;
                let early = boundary * rate - sound.decode_time * 90_000;
                early <= 0 && early > -1_025 * 90_000
            });
            assert!(aligned, "segment {msn}: {} {}", fragment.decode_time, sound.decode_time);
        }
    }

    /// Media out is media in, from the first sync picture of each timeline (srs #2438).
    fn check_nothing_lost(&self) {
        for checker in &self.checkers {
            let kind = if checker.folder == "0" { TrackKind::Video } else { TrackKind::Audio };
            let sent =
                self.sent.iter().filter(|unit| unit.track == kind).map(|u| u.payload.to_vec());
            let out = checker.fragments.iter().flat_map(|(_, f)| &f.samples);
            let out: Vec<_> = out.map(|sample| sample.payload.clone()).collect();
            assert_eq!(out.len(), sent.clone().count(), "{}", checker.folder);
            assert!(out.into_iter().eq(sent), "{}", checker.folder);
            self.check_presentation(checker, kind);
        }
    }

    /// Every unit is shown when it was sent to be, however it was decoded.
    fn check_presentation(&self, checker: &Checker, kind: TrackKind) {
        let sent = self.sent.iter().filter(|unit| unit.track == kind).map(|u| u.pts.ticks());
        let shown = checker.fragments.iter().flat_map(|(_, fragment)| {
            let mut decodes = fragment.decode_time;
            fragment.samples.iter().map(move |sample| {
                let shown = decodes + sample.offset;
                decodes += sample.duration;
                shown
            })
        });
        assert!(shown.eq(sent), "presentation times of {}", checker.folder);
    }
}

fn case(seed: u64) {
    let mut model = Model::new(seed);
    let habits = model.habits;
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        model.run();
        model.check_whole();
    }));
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        panic!("seed {seed} with {habits:?}: {text}");
    }
}

/// More of them: `RIVERRUN_SEEDS=40..4000 cargo test random_publishers`.
#[test]
fn random_publishers_keep_every_promise() {
    let seeds = std::env::var("RIVERRUN_SEEDS").unwrap_or_else(|_| "0..40".to_owned());
    let (from, to) = seeds.split_once("..").unwrap();
    for seed in from.parse().unwrap()..to.parse().unwrap() {
        case(seed);
    }
}
