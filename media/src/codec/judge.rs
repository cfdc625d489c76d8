//! The foreign judge of this room's tests: ffmpeg decodes what our encoders wrote. Tests that need
//! it fail without it.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Feeds `input` to ffmpeg and gives back what it wrote. It must not complain about anything.
pub(crate) fn ffmpeg(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "warning", "-nostdin"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed");
    let mut stdin = child.stdin.take().expect("was piped");
    let output = std::thread::scope(|scope| {
        // A judge that stops reading fails the test by its exit code.
        scope.spawn(move || stdin.write_all(input).is_ok());
        child.wait_with_output().expect("ffmpeg ran")
    });
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "ffmpeg: {complaints}");
    output.stdout
}

/// NAL units behind start codes (H.264 Annex B).
pub(crate) fn annex_b<'a>(nals: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut stream = Vec::new();
    for nal in nals {
        stream.extend_from_slice(&[0, 0, 0, 1]);
        stream.extend_from_slice(nal);
    }
    stream
}

/// AAC-LC access units behind ADTS headers (AAC §1.A.3.2).
pub(crate) fn adts<'a>(
    units: impl IntoIterator<Item = &'a [u8]>,
    rate_index: u8,
    channels: u8,
) -> Vec<u8> {
    let mut stream = Vec::new();
    for unit in units {
        let length = unit.len() + 7;
        stream.extend_from_slice(&[
            0xFF,
            0xF1,
            0x40 | rate_index << 2 | channels >> 2,
            channels << 6 | (length >> 11) as u8 & 3,
            (length >> 3) as u8,
            (length << 5) as u8 | 0x1F,
            0xFC,
        ]);
        stream.extend_from_slice(unit);
    }
    stream
}
