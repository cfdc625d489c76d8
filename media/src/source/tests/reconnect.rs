//! A broadcast over several connections (RC-3).

use super::*;

#[test]
fn rc3_a_new_connection_continues_the_output() {
    let mut bench = Bench::with_headers("main");
    bench.run(1_000_000, 1_010_000);
    bench.wait(5_000);
    bench.source.reconnect(bench.now);
    let back = bench.now;
    bench.video_header("main");
    bench.audio_header(&STEREO_48K);
    bench.run(0, 5_000);
    let tracks = bench.tracks();
    assert_eq!(tracks.len(), 2);
    let seconds = (tracks[1].2 - START) as f64 / 90_000.0;
    assert!((9.99..10.05).contains(&seconds), "{seconds}");
    let arrived = bench.events.iter().rev().find_map(|event| match event {
        SourceEvent::Tracks { arrived, .. } => Some(*arrived),
        _ => None,
    });
    assert_eq!(arrived, Some(back));
    assert_eq!(bench.source.counters().timeline_breaks, 0);
    bench.check();
}

#[test]
fn rc3_a_reconnect_may_bring_other_tracks_and_may_come_at_any_time() {
    let mut bench = Bench::with_headers("main");
    bench.source.reconnect(bench.now);
    bench.video_header("main");
    bench.idr(0);
    bench.source.reconnect(bench.now);
    assert_eq!(bench.source.counters().discovery_abandoned, 1);
    bench.audio_header(&STEREO_44K);
    bench.sound(70_000);
    bench.wait(1_500);
    bench.source.reconnect(bench.now);
    bench.video_header("high10");
    bench.idr(9);
    bench.wait(1_500);
    let kinds: Vec<(bool, bool)> = bench.tracks().iter().map(|t| (t.0, t.1)).collect();
    assert_eq!(kinds, [(false, true), (true, false)]);
    bench.check();
}
