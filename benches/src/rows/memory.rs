//! Resident memory of a server that makes three renditions of 1080p30, and what takes it.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use riverrun_media::codec::{H264Decoder, H264Encoder, Picture};
use riverrun_media::h264::AvcConfig;
use riverrun_media::scale::{Cascade, Made};
use riverrun_media::time::MediaTime;

use crate::clips::{CLIPS, Quality};
use crate::ffmpeg::Ffmpeg;
use crate::footage::{Footage, Kind};
use crate::pipeline::{Rung, VIDEO_HEADER_BYTES};
use crate::process::Server;
use crate::publisher::{Pace, play};
use crate::table::{Goal, Row};
use crate::{Outcome, cpu};

use super::transcode::RUNGS;
use super::{Setting, target};

/// Seconds until the window of a minute is full and its oldest segments go.
const FILL: f64 = 70.0;
/// What a ladder may take with the window full, MB.
const MOST: f64 = 350.0;
const CLIP_SECONDS: u32 = 20;
/// Pictures until a codec has all its memory.
const WARM: usize = 30;

/// From outside with and without a ladder, and each codec by itself in this process.
pub fn rows(setting: &Setting) -> Outcome<Vec<Row>> {
    let ffmpeg = Ffmpeg::find()?;
    let source = CLIPS[0].flv(&ffmpeg, Quality::Usual, CLIP_SECONDS)?;
    let footage = Footage::read_flv(&source)?.without_stamps();
    let mut rows = codecs(&footage)?;
    let rungs: Vec<String> = RUNGS.iter().map(|(w, h, kbit)| format!("{w}x{h}@{kbit}")).collect();
    let ladder = format!("source,{}", rungs.join(","));
    let idle = Server::ladder(&setting.binary, "source")?;
    idle.settle();
    rows.push(note("memory of an idle server", idle.resident_bytes()));
    drop(idle);
    // Without a ladder nothing takes longer than real time.
    let alone = filled(setting, "source", &footage, 10.0)?;
    rows.push(note("memory with 1080p30 of 6 Mb/s in, window of 60 s full, no ladder", alone));
    let whole = filled(setting, &ladder, &footage, 1.0)?;
    let bits: u64 = RUNGS.iter().map(|(.., kbit)| u64::from(*kbit) * 1_000).sum();
    let media = bits * 62 / 8;
    rows.push(note("of the ladder: its media of 62 s (by its bit rates)", media));
    let rest = whole.saturating_sub(alone);
    rows.push(note("the ladder in all, by difference", rest));
    rows.push(Row::alone(
        "memory with 1080p30 in, 720+480+360 out, window of 60 s full",
        "MB",
        vec![whole as f64 / 1e6],
        Goal::Most(MOST),
        Goal::None,
    ));
    Ok(rows)
}

fn note(what: &str, bytes: u64) -> Row {
    Row::alone(what, "MB", vec![bytes as f64 / 1e6], Goal::None, Goal::None)
}

/// Resident memory at the end of the footage.
fn filled(setting: &Setting, renditions: &str, footage: &Footage, speed: f64) -> Outcome<u64> {
    let server = Server::ladder(&setting.binary, renditions)?;
    let pace = Pace { seconds: FILL, speed, vanish: true, ..Pace::default() };
    play(&target(&server), footage, &pace)?;
    thread::sleep(Duration::from_millis(500));
    Ok(server.resident_bytes())
}

/// What each codec and the pictures between them add to this process.
fn codecs(footage: &Footage) -> Outcome<Vec<Row>> {
    let resident = || cpu::resident_bytes(std::process::id());
    let mut pictures = footage.tags.iter().filter(|tag| tag.kind == Kind::Video);
    let record = pictures.next().ok_or("no pictures")?;
    let record = record.payload.get(VIDEO_HEADER_BYTES..).ok_or("no configuration")?;
    let mut rows = Vec::new();
    let before = resident();
    let mut decoder = H264Decoder::new(&AvcConfig::parse(record)?.0)?;
    let mut last = None;
    for (index, tag) in pictures.take(WARM).enumerate() {
        let unit = tag.payload.get(VIDEO_HEADER_BYTES..).unwrap_or_default();
        let pts = MediaTime::from_millis(i64::try_from(index)? * 33);
        decoder.decode(unit, pts, &mut |decoded| {
            let copy = last.get_or_insert_with(|| Picture::black(decoded.picture.size()));
            copy.copy_from(decoded.picture);
        })?;
    }
    let last = last.ok_or("no picture")?;
    let size = last.size();
    let copy = u64::from(size.width()) * u64::from(size.height()) * 3 / 2;
    let decoded = resident().saturating_sub(before).saturating_sub(copy);
    rows.push(note("decoder of 1080p, in this process", decoded));
    let rungs = RUNGS.map(|(w, h, kbit)| {
        Rung::new(w, h, kbit * 1_000, riverrun_media::codec::CpuUsage::default().tuning())
    });
    let rungs: Vec<Rung> = rungs.into_iter().collect::<Outcome<_>>()?;
    let sizes: Vec<_> = rungs.iter().map(Rung::size).collect();
    let before = resident();
    let mut cascade = Cascade::new(&sizes, 2);
    let mut scaled = Vec::new();
    cascade.make(
        last.view(),
        |_| true,
        |_, made| {
            if let Made::Scaled(picture) = made {
                scaled.push(picture);
            }
        },
    );
    rows.push(note(
        "a picture of each rung, and what scales it",
        resident().saturating_sub(before),
    ));
    let mut encoders = Vec::new();
    for (rung, picture) in rungs.iter().zip(&scaled) {
        let before = resident();
        let mut encoder: H264Encoder = rung.encoder()?;
        for number in 0..WARM {
            black_box(encoder.encode(&**picture, number == 0)?);
        }
        encoders.push(encoder);
        let height = picture.size().height();
        let what = format!("encoder of {height}p, in this process");
        rows.push(note(&what, resident().saturating_sub(before)));
    }
    Ok(rows)
}
