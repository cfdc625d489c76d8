//! How much of a picture an encoder left, by VMAF of a recent ffmpeg.

use std::path::Path;

use crate::tool::{recent_ffmpeg, scratch};

/// Mean VMAF of the pictures at `url` against a clip of the same pictures at the same times, both
/// at the clip's size.
pub(crate) fn vmaf(url: &str, clip: &Path) -> f64 {
    let report = scratch("vmaf").join("report.json");
    let graph = format!(
        "[1:v]setpts=PTS-STARTPTS,split[clip][size];[0:v]setpts=PTS-STARTPTS[coded];\
         [coded][size]scale=rw:rh:flags=bicubic[shown];\
         [shown][clip]libvmaf=log_fmt=json:log_path={}",
        report.display()
    );
    let mut command = recent_ffmpeg();
    command.args(["-hide_banner", "-loglevel", "error", "-i", url, "-i"]).arg(clip);
    let done = command.args(["-lavfi", &graph, "-f", "null", "-"]).output().expect("ffmpeg runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let text = std::fs::read_to_string(&report).expect("libvmaf writes a report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("the report is JSON");
    report["pooled_metrics"]["vmaf"]["mean"].as_f64().expect("a mean")
}
