//! Every committed seed through its target, so findings stay found in ordinary test runs.
#![allow(clippy::disallowed_methods, reason = "the seeds are files, and a machine needs a start")]

use std::path::Path;
use std::time::Instant;

use super::*;

type Target = fn(&[u8]);

#[test]
fn every_seed_keeps_the_promises() {
    let targets: &[(&str, Target)] = &[
        ("amf0", amf0),
        ("amf3", amf3),
        ("flv_tag", flv_tag),
        ("sps", sps),
        ("pps", pps),
        ("avcc", avcc),
        ("annexb", annexb),
        ("asc", asc),
        ("adts", adts),
        ("directives", directives),
        ("rtmp_chunk", rtmp_chunk),
        ("rtmp_session", |data| rtmp_session(Instant::now(), data)),
        ("source", |data| source(Instant::now(), data)),
        #[cfg(feature = "codec")]
        ("aac_decode", aac_decode),
        ("segmenter", |data| segmenter(Instant::now(), data)),
        #[cfg(feature = "codec")]
        ("h264_decode", h264_decode),
    ];
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    for (name, target) in targets {
        let files = std::fs::read_dir(seeds.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut count = 0;
        for file in files {
            let path = file.unwrap().path();
            let data = std::fs::read(&path).unwrap();
            let outcome = std::panic::catch_unwind(|| target(&data));
            assert!(outcome.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 0, "no seed for {name}");
    }
}
