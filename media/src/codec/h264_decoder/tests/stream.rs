//! Streams of a foreign encoder: FLV from ffmpeg, and what ffmpeg itself decodes of it.

use bytes::Bytes;

use crate::codec::judge::ffmpeg;
use crate::cursor::Cursor;
use crate::flv::{VideoBody, VideoTag};
use crate::h264::{AvcConfig, normalise};
use crate::nal::Framing;
use crate::time::{MediaTime, Timescale};

/// A recorded or freshly encoded stream in decoding order.
pub(super) struct Stream {
    pub(super) config: AvcConfig,
    pub(super) units: Vec<Unit>,
}

/// One access unit.
pub(super) struct Unit {
    pub(super) payload: Bytes,
    pub(super) pts: MediaTime,
    pub(super) idr: bool,
}

impl Stream {
    /// The video of an FLV file with one sequence header.
    pub(super) fn of_flv(flv: &[u8]) -> Self {
        let mut cursor = Cursor::new(flv);
        cursor.take(13).unwrap();
        let (mut config, mut units) = (None, Vec::new());
        while !cursor.is_empty() {
            let (kind, len) = (cursor.u8().unwrap(), cursor.u24().unwrap());
            let millis = i64::from(cursor.u24().unwrap());
            cursor.take(4).unwrap();
            let body = Bytes::copy_from_slice(cursor.take(len as usize).unwrap());
            cursor.take(4).unwrap();
            if kind != 9 {
                continue;
            }
            for packet in VideoTag::parse(&body).unwrap().packets {
                match packet.body {
                    VideoBody::SequenceHeader(record) => {
                        config = Some(AvcConfig::parse(&record).unwrap());
                    }
                    VideoBody::Frame { composition_time_ms, payload, .. } => {
                        let (_, size) = config.as_ref().unwrap();
                        let unit = normalise(&payload, Framing::Lengths(*size)).unwrap();
                        let pts = MediaTime::from_millis(millis + i64::from(composition_time_ms));
                        let pts = pts.rescale(Timescale::VIDEO);
                        units.push(Unit { payload: unit.payload, pts, idr: unit.idr });
                    }
                    _ => {}
                }
            }
        }
        Self { config: config.unwrap().0, units }
    }

    /// Times of all units in the order they are shown.
    pub(super) fn shown(&self) -> Vec<MediaTime> {
        let mut times: Vec<MediaTime> = self.units.iter().map(|unit| unit.pts).collect();
        times.sort_unstable();
        times
    }
}

/// `frames` of ffmpeg's test pictures with noise at 25 fps, encoded by x264.
pub(super) fn x264(size: &str, frames: u32, options: &[&str]) -> Vec<u8> {
    let source = format!("testsrc2=s={size}:r=25,noise=alls=12:allf=t,format=yuv420p");
    let frames = frames.to_string();
    let mut arguments = vec!["-f", "lavfi", "-i", &source, "-frames:v", &frames];
    arguments.extend(["-c:v", "libx264", "-g", "24", "-threads", "1"]);
    arguments.extend(options);
    arguments.extend(["-flvflags", "no_duration_filesize", "-f", "flv", "-"]);
    ffmpeg(&arguments, &[])
}

/// Whole I420 pictures without padding, as ffmpeg decodes them.
pub(super) fn reference(flv: &[u8]) -> Vec<u8> {
    ffmpeg(&["-f", "flv", "-i", "-", "-fps_mode", "passthrough", "-f", "rawvideo", "-"], flv)
}

/// Small recorded streams with every coding tool between them; `testdata/PROVENANCE.md`.
pub(super) const FIXTURES: [(&str, &[u8]); 4] = [
    ("pyramid", include_bytes!("../../../../testdata/h264/pyramid.flv")),
    ("flat", include_bytes!("../../../../testdata/h264/flat.flv")),
    ("cavlc", include_bytes!("../../../../testdata/h264/cavlc.flv")),
    ("baseline", include_bytes!("../../../../testdata/h264/baseline.flv")),
];
