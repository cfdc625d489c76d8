//! Whole playlists, compared as text.

use super::publisher::{DATE, Server, audio_track, broadcast, sound, tracks, video_track};
use crate::access_unit::TrackKind;
use crate::hls::checker::ready;
use crate::hls::{Directives, Window};
use crate::time::{MediaTime, UnixTime};

const FULL: Directives = Directives { msn: None, part: None, skip: false, plain: false };
const DELTA: Directives = Directives { skip: true, ..FULL };
const PLAIN: Directives = Directives { plain: true, ..FULL };

/// A line of `want` that begins with two spaces continues the one above.
fn assert_text(got: &str, want: &str) {
    let want = want.replace("\n  ", "");
    assert!(got == want, "got:\n{got}\nwant:\n{want}");
}

fn media(window: &mut Window, rendition: &str, directives: &Directives) -> String {
    ready(window.playlist(rendition, directives))
}

/// Sound and 30 pictures per second from 10 s on.
fn live(rewind_ms: i64, to_ms: i64) -> Server {
    let mut server = Server::new(rewind_ms);
    let tracks = tracks(Some(video_track(Some(30_000))), Some(audio_track(48_000)));
    server.segmenter.start(tracks, MediaTime::from_millis(10_000), DATE);
    server.push_all(broadcast(10_000, to_ms, 30, 2_000));
    server
}

#[test]
fn the_live_edge_of_pictures() {
    let mut server = live(0, 12_700);
    assert_text(
        &media(&mut server.window, "0", &FULL),
        r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:3
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.002,HOLD-BACK=9.0,CAN-SKIP-UNTIL=18.0
#EXT-X-PART-INF:PART-TARGET=0.334
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:00.000Z
#EXT-X-PART:DURATION=0.33300,URI="1.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33300,URI="1.1.m4s"
#EXT-X-PART:DURATION=0.33400,URI="1.2.m4s"
#EXT-X-PART:DURATION=0.33300,URI="1.3.m4s"
#EXT-X-PART:DURATION=0.33300,URI="1.4.m4s"
#EXT-X-PART:DURATION=0.33400,URI="1.5.m4s"
#EXTINF:2.00000,
1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:02.000Z
#EXT-X-PART:DURATION=0.33300,URI="2.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33300,URI="2.1.m4s"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="2.2.m4s"
#EXT-X-RENDITION-REPORT:URI="../audio/stream.m3u8",LAST-MSN=2,LAST-PART=1
"#,
    );
}

#[test]
fn the_view_without_parts() {
    let mut server = live(0, 12_700);
    assert_text(
        &media(&mut server.window, "0", &PLAIN),
        r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:3
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=9.0,CAN-SKIP-UNTIL=18.0
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:00.000Z
#EXTINF:2.00000,
1.m4s
#EXT-X-RENDITION-REPORT:URI="../audio/stream.m3u8?ll=0",LAST-MSN=1
"#,
    );
}

#[test]
fn an_interrupted_broadcast_that_came_back_and_ended() {
    let mut server = live(60_000, 12_700);
    server.segmenter.interrupt();
    let mut video = video_track(Some(30_000));
    video.width = 640;
    let back = UnixTime::from_millis(DATE.millis() + 10_500);
    let tracks = tracks(Some(video), Some(audio_track(48_000)));
    server.segmenter.start(tracks, MediaTime::from_millis(20_000), back);
    server.settle();
    let waiting = media(&mut server.window, "0", &FULL);
    assert!(
        waiting.ends_with(
            "2.m4s\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"init-3.mp4\"\n\
             #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"3.0.m4s\"\n\
             #EXT-X-RENDITION-REPORT:URI=\"../audio/stream.m3u8\",LAST-MSN=2,LAST-PART=2\n"
        ),
        "{waiting}"
    );
    server.push_all(broadcast(20_000, 20_500, 30, 2_000));
    server.segmenter.end();
    server.settle();
    assert_text(
        &media(&mut server.window, "0", &FULL),
        r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:3
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.002,HOLD-BACK=9.0,CAN-SKIP-UNTIL=18.0
#EXT-X-PART-INF:PART-TARGET=0.334
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:00.000Z
#EXT-X-PART:DURATION=0.33300,URI="1.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33300,URI="1.1.m4s"
#EXT-X-PART:DURATION=0.33400,URI="1.2.m4s"
#EXT-X-PART:DURATION=0.33300,URI="1.3.m4s"
#EXT-X-PART:DURATION=0.33300,URI="1.4.m4s"
#EXT-X-PART:DURATION=0.33400,URI="1.5.m4s"
#EXTINF:2.00000,
1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:02.000Z
#EXT-X-PART:DURATION=0.33300,URI="2.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33300,URI="2.1.m4s"
#EXT-X-PART:DURATION=0.03300,URI="2.2.m4s"
#EXTINF:0.69900,
2.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-3.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:10.500Z
#EXT-X-PART:DURATION=0.33300,URI="3.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.16600,URI="3.1.m4s"
#EXTINF:0.49900,
3.m4s
#EXT-X-ENDLIST
"#,
    );
    // The sound did not change, but its map is repeated (PL-14).
    assert_text(
        &media(&mut server.window, "audio", &PLAIN),
        r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:3
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=9.0,CAN-SKIP-UNTIL=18.0
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T09:59:59.998Z
#EXTINF:2.00533,
1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:02.003Z
#EXTINF:0.70400,
2.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:10.498Z
#EXTINF:0.51200,
3.m4s
#EXT-X-ENDLIST
"#,
    );
}

#[test]
fn a_delta_update_of_sound_alone() {
    let mut server = Server::new(60_000);
    let tracks = tracks(None, Some(audio_track(44_100)));
    server.segmenter.start(tracks, MediaTime::from_millis(10_000), DATE);
    server.push_all((0..).map(|unit| sound(10_000, unit, 44_100)).take(1_130));
    let text = media(&mut server.window, "audio", &DELTA);
    let (head, tail) = text.split_at(text.find("#EXT-X-PROGRAM-DATE-TIME").unwrap());
    assert_text(
        head,
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:3\n\
         #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.002,HOLD-BACK=9.0,\
         CAN-SKIP-UNTIL=18.0\n#EXT-X-PART-INF:PART-TARGET=0.334\n#EXT-X-MEDIA-SEQUENCE:1\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-SKIP:SKIPPED-SEGMENTS=3\n",
    );
    assert!(
        tail.starts_with(
            "#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:04.969Z\n#EXTINF:1.99692,\n4.m4s\n"
        ),
        "{tail}"
    );
    assert_text(
        &ready(server.window.multivariant(&FULL)),
        r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES
  ,CHANNELS="2",URI="audio/stream.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=11000,AVERAGE-BANDWIDTH=11000,CODECS="mp4a.40.2"
  ,AUDIO="audio",CLOSED-CAPTIONS=NONE
audio/stream.m3u8
"#,
    );
}

#[test]
fn the_multivariant_playlist_before_and_after_measuring() {
    let mut server = live(0, 11_000);
    assert_text(
        &ready(server.window.multivariant(&FULL)),
        r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES
  ,CHANNELS="2",URI="audio/stream.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=660000,AVERAGE-BANDWIDTH=581000,CODECS="avc1.64000D,mp4a.40.2"
  ,RESOLUTION=320x180,FRAME-RATE=30.000,VIDEO-RANGE=SDR,AUDIO="audio",CLOSED-CAPTIONS=NONE
0/stream.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=160000,AVERAGE-BANDWIDTH=141000,CODECS="mp4a.40.2"
  ,AUDIO="audio",CLOSED-CAPTIONS=NONE
audio/stream.m3u8
"#,
    );
    server.push_all(broadcast(11_000, 14_000, 30, 1_000));
    let text = ready(server.window.multivariant(&PLAIN));
    assert!(text.contains("BANDWIDTH=20000,AVERAGE-BANDWIDTH=20000,CODECS=\"avc1"), "{text}");
    assert!(text.ends_with("audio/stream.m3u8?ll=0\n"), "{text}");
}

#[test]
fn pictures_alone_offer_no_sound() {
    let mut server = Server::new(0);
    let tracks = tracks(Some(video_track(Some(59_940))), None);
    server.segmenter.start(tracks, MediaTime::from_millis(10_000), DATE);
    let units = broadcast(10_000, 11_000, 30, 1_000).into_iter();
    server.push_all(units.filter(|unit| unit.track == TrackKind::Video));
    assert_text(
        &ready(server.window.multivariant(&FULL)),
        r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=500000,AVERAGE-BANDWIDTH=440000,CODECS="avc1.64000D"
  ,RESOLUTION=320x180,FRAME-RATE=59.940,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
0/stream.m3u8
"#,
    );
}
