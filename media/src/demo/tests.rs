use super::*;
use crate::codec::judge::{adts, annex_b, ffmpeg};

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

#[test]
#[ignore = "dump"]
fn dump() {
    let config = DemoConfig::default();
    let (demo, units) = run(config, 300, 1_790_000_000_123);
    let bytes: usize = of(TrackKind::Video, &units).iter().map(|u| u.payload.len()).sum();
    std::eprintln!("bitrate {}", bytes * 8 / 10);
    let stream = video_stream(&demo, &units);
    ffmpeg(
        &["-r", "30", "-f", "h264", "-i", "-", "-c", "copy", "-y", "/tmp/codecdump.mp4"],
        &stream,
    );
    let _ = adts(of(TrackKind::Audio, &units).iter().map(|u| &u.payload[..]), 3, 2);
}

#[test]
#[ignore = "time"]
fn ten_seconds() {
    run(DemoConfig::default(), 300, 1_790_000_000_123);
}

#[test]
#[ignore = "time"]
fn draw_only() {
    let mut scene = Scene::new(PictureSize::new(1280, 720).unwrap());
    for picture in 0..300 {
        scene.draw(&Moment {
            picture,
            seconds: picture as f64 / 30.0,
            date: UnixTime::from_millis(picture as i64 * 33),
            beat_age: Some(0.1),
        });
    }
}
