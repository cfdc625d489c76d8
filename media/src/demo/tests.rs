use super::*;
use crate::codec::judge::{adts, annex_b, ffmpeg};
use crate::codec::{Picture, Plane};

const START: i64 = 1_790_000_000_123;

fn small() -> DemoConfig {
    DemoConfig { width: 640, height: 360, video_bitrate: 900_000, ..DemoConfig::default() }
}

fn run(config: DemoConfig, pictures: u64, start: i64) -> (Demo, Vec<AccessUnit>) {
    let mut demo = Demo::new(config).unwrap();
    let mut units = Vec::new();
    for picture in 0..pictures {
        let millis = start + (picture * 1_000 / u64::from(config.frame_rate)) as i64;
        units.extend(demo.next(UnixTime::from_millis(millis)).unwrap());
    }
    (demo, units)
}

fn of(track: TrackKind, units: &[AccessUnit]) -> Vec<&AccessUnit> {
    units.iter().filter(|unit| unit.track == track).collect()
}

fn video_stream(demo: &Demo, units: &[AccessUnit]) -> Vec<u8> {
    let mut nals: Vec<&[u8]> = vec![demo.video.sps(), demo.video.pps()];
    for unit in of(TrackKind::Video, units) {
        let mut rest = &unit.payload[..];
        while let Some((length, after)) = rest.split_first_chunk() {
            let (nal, next) = after.split_at(u32::from_be_bytes(*length) as usize);
            nals.push(nal);
            rest = next;
        }
    }
    annex_b(nals)
}

/// Brightness in the middle of the dial for each picture, as another decoder sees it.
fn dial_brightness(demo: &Demo, units: &[AccessUnit]) -> Vec<u8> {
    let (width, height) = (demo.config.width as usize, demo.config.height as usize);
    let stream = video_stream(demo, units);
    let raw =
        ffmpeg(&["-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"], &stream);
    let middle = (94 * height / 720) * width + 1_160 * width / 1_280;
    raw.chunks_exact(width * height).map(|picture| picture[middle]).collect()
}

/// Left channel as another decoder hears it; the first sample belongs to the first unit.
fn heard(units: &[AccessUnit]) -> Vec<i16> {
    let audio = of(TrackKind::Audio, units);
    let stream = adts(audio.iter().map(|unit| &unit.payload[..]), 3, 2);
    let raw = ffmpeg(&["-f", "aac", "-i", "-", "-f", "s16le", "-"], &stream);
    raw.chunks_exact(4).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn units_lie_on_the_grid_from_ten_seconds_on() {
    for (frame_rate, sample_rate) in [(30, 48_000), (25, 44_100), (24, 48_000), (60, 48_000)] {
        let config = DemoConfig { frame_rate, sample_rate, width: 160, height: 90, ..small() };
        let (_, units) = run(config, u64::from(frame_rate) * 5, START);
        let video = of(TrackKind::Video, &units);
        let audio = of(TrackKind::Audio, &units);
        for (index, unit) in (0..).zip(&video) {
            let expected = 900_000 + index * 90_000 / i64::from(frame_rate);
            assert_eq!((unit.dts.ticks(), unit.pts.ticks()), (expected, expected));
            assert_eq!(unit.sync, index % (2 * i64::from(frame_rate)) == 0, "picture {index}");
        }
        // The first unit holds the first sample; the encoder's delay decides how much lies before.
        let (start, end) = (10 * i64::from(sample_rate), 15 * i64::from(sample_rate));
        let first = audio[0].pts.ticks();
        assert!((start - 1_023..=start).contains(&first), "{first}");
        for (index, unit) in (0..).zip(&audio) {
            assert_eq!((unit.dts, unit.pts.ticks()), (unit.pts, first + index * 1_024));
            assert_eq!(unit.dts.timescale().hz(), sample_rate);
            assert!(unit.sync && !unit.payload.is_empty());
        }
        // All sound up to the end of the last picture, and not a unit more.
        let last = audio[audio.len() - 1].pts.ticks();
        assert!((end - 1_024..end).contains(&last), "{last}");
    }
}

#[test]
fn picture_and_sound_come_interleaved() {
    let (_, units) = run(small(), 60, START);
    let mut clock = MediaTime::from_millis(0);
    for unit in &units {
        let slack = MediaTime::from_millis(34);
        assert!(unit.dts.plus(slack) >= clock, "{:?} after {clock:?}", unit.dts);
        clock = clock.max(unit.dts);
    }
}

#[test]
fn tracks_describe_the_streams() {
    let tracks = Demo::new(DemoConfig::default()).unwrap().tracks();
    let (video, audio) = (tracks.video.unwrap(), tracks.audio.unwrap());
    assert_eq!((video.width, video.height), (1_280, 720));
    assert_eq!(video.frame_rate_millis, Some(30_000));
    let VideoCodec::H264(avc) = &video.codec else { panic!("{:?}", video.codec) };
    assert_eq!(avc.codec_string(), "avc1.640C1F");
    assert_eq!(avc.display_size(), (1_280, 720));
    assert_eq!((audio.sample_rate, audio.channels, audio.samples_per_unit), (48_000, 2, 1_024));
    let AudioCodec::Aac(asc) = &audio.codec else { panic!("{:?}", audio.codec) };
    assert_eq!(asc.codec_string(), "mp4a.40.2");
}

#[test]
fn the_same_dates_give_the_same_bytes() {
    assert_eq!(run(small(), 40, START).1, run(small(), 40, START).1);
    assert_ne!(run(small(), 40, START).1, run(small(), 40, START + 400).1);
}

/// CM-11: flash and drop are at most one picture apart, for any place of the second on the grid.
#[test]
fn flash_and_drop_meet() {
    for start in [0, 123, 999] {
        let (demo, units) = run(small(), 95, START - 123 + start);
        let brightness = dial_brightness(&demo, &units);
        let flashes: Vec<usize> = (1..brightness.len())
            .filter(|&index| brightness[index] > brightness[index - 1].saturating_add(70))
            .collect();
        let sound = heard(&units);
        let loud = |sample: usize| sound.get(sample).is_some_and(|s| s.unsigned_abs() > 4_500);
        let drops: Vec<usize> = (0..sound.len())
            .filter(|&sample| loud(sample) && !(sample.saturating_sub(12_000)..sample).any(loud))
            .collect();
        let first_audio = of(TrackKind::Audio, &units)[0].pts.ticks() - 480_000;
        assert!(flashes.len() >= 3, "flashes at {flashes:?} in {brightness:?}");
        for flash in flashes {
            let seen = flash as i64 * 1_600;
            let nearest = drops.iter().map(|&drop| drop as i64 + first_audio - seen);
            let distance = nearest.min_by_key(|distance| distance.abs()).unwrap();
            assert!(distance.abs() <= 200, "start {start}, picture {flash}: {distance} samples");
        }
    }
}

#[test]
fn bit_rate_holds_over_ten_seconds() {
    let (_, units) = run(small(), 300, START);
    for (track, bitrate) in [(TrackKind::Video, 900_000.0), (TrackKind::Audio, 128_000.0)] {
        let bytes: usize = of(track, &units).iter().map(|unit| unit.payload.len()).sum();
        let ratio = bytes as f64 * 8.0 / 10.0 / bitrate;
        assert!((0.85..=1.15).contains(&ratio), "{track:?}: {ratio:.2}");
    }
}

#[test]
fn bad_configurations_are_refused_in_words() {
    for (config, words) in [
        (DemoConfig { width: 641, ..small() }, "641x360 has an odd side"),
        (DemoConfig { height: 0, ..small() }, "640x0 is outside"),
        (DemoConfig { frame_rate: 0, ..small() }, "frame rate of 0"),
        (DemoConfig { frame_rate: 61, ..small() }, "frame rate of 61"),
        (DemoConfig { video_bitrate: 1, ..small() }, "bit rate of 1 bit/s"),
        (DemoConfig { sample_rate: 1, ..small() }, "sample rate of 1 Hz"),
    ] {
        let error = Demo::new(config).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn any_size_and_any_date_can_be_drawn() {
    for (width, height) in [(16, 16), (64, 1_080), (2_048, 18), (360, 640), (1_088, 8_192)] {
        let config = DemoConfig { width, height, ..small() };
        let mut demo = Demo::new(config).unwrap();
        for millis in [START, -1, i64::MIN, i64::MAX, 0] {
            let units = demo.next(UnixTime::from_millis(millis)).unwrap();
            assert_eq!(units[0].track, TrackKind::Video);
        }
    }
}

/// The scene is drawn anew each time: nothing of one picture may be left in the next.
#[test]
fn a_picture_depends_on_its_moment_alone() {
    let size = PictureSize::new(640, 360).unwrap();
    let moment = |picture: u64| Moment {
        picture,
        seconds: picture as f64 / 30.0,
        date: UnixTime::from_millis(START + picture as i64 * 33),
        beat_age: Some(picture as f32 / 30.0),
    };
    let mut worn = Scene::new(size);
    for picture in 0..20 {
        worn.draw(&moment(picture));
    }
    let rows = |plane: &Plane| (0..plane.height()).flat_map(|y| plane.row(y).to_vec()).collect();
    let samples = |picture: &Picture| -> [Vec<u8>; 3] {
        [picture.luma(), picture.cb(), picture.cr()].map(rows)
    };
    assert_eq!(samples(worn.draw(&moment(3))), samples(Scene::new(size).draw(&moment(3))));
}

/// What `time` should be put in front of: ten seconds of 720p30.
#[test]
#[ignore = "a measurement, not a check"]
fn ten_seconds_of_720p30() {
    run(DemoConfig::default(), 300, START);
}

#[test]
#[ignore = "a measurement, not a check"]
fn ten_seconds_of_drawing() {
    let mut scene = Scene::new(PictureSize::new(1_280, 720).unwrap());
    for picture in 0..300 {
        let (seconds, date) = (picture as f64 / 30.0, UnixTime::from_millis(picture as i64 * 33));
        scene.draw(&Moment { picture, seconds, date, beat_age: Some(seconds.fract() as f32) });
    }
}
