//! What a publisher sent comes back out of HLS: every picture and every unit of sound, once, in
//! order, at its time. Judged by ffmpeg's frame hashes on both sides, while our own player holds
//! every playlist on the way against the rules.

use std::time::Duration;

use crate::frames::{Frames, Tracks};
use crate::lint;
use crate::player::{Recording, follow_all, wait_segments};
use crate::playlist::{Media, Multivariant};
use crate::publish::{Pace, Program, Publisher, as_sent};
use crate::server::Server;

/// Far longer than any clip.
const LIMIT: Duration = Duration::from_secs(120);

/// How far GStreamer's first AAC frames stand from where counting samples puts them: flvmux gives
/// the first two of them the same time, so all others come one frame early. Else rounding only.
fn audio_drift(program: Program) -> f64 {
    match program {
        Program::Ffmpeg | Program::RecentFfmpeg => 0.003,
        Program::Gstreamer => 0.047,
    }
}

/// Publishes a clip and judges what comes out; gives the server, whose playlists have ended.
pub(crate) fn comes_back(program: Program, name: &str, pace: Pace) -> Server {
    let tracks = Tracks::of(name);
    let sent = as_sent(program, name).to_string_lossy().into_owned();
    let sent = Frames::read_with(program.reader(), &sent, tracks, LIMIT).after_the_first_picture();
    let server = Server::start();
    let publisher = Publisher::start(program, name, pace, &server.publish_url());
    let followers = follow_all(&server, tracks);
    wait_segments(&server, tracks, 1);
    let url = server.url("/hls/stream.m3u8");
    let received = Frames::read_with(program.reader(), &url, tracks, LIMIT);
    publisher.finish(LIMIT);
    let recordings: Vec<_> =
        followers.into_iter().map(|follower| follower.wait_end(LIMIT)).collect();

    sent.assert_same(&received);
    let (pictures, sounds) = received.counts();
    assert!(!tracks.video || pictures > 150, "only {pictures} pictures");
    assert!(!tracks.audio || sounds > 100, "only {sounds} units of sound");
    for recording in &recordings {
        recording.assert_clean();
        assert!(recording.discontinuities().is_empty(), "{:?}", recording.discontinuities());
    }
    let times: Vec<_> = recordings.iter().map(Recording::presentation_times).collect();
    let pictures = if tracks.video { &times[0][..] } else { &[] };
    let sounds = if tracks.audio { &times[times.len() - 1][..] } else { &[] };
    sent.assert_times(pictures, sounds, audio_drift(program));
    if let [video, audio] = &recordings[..] {
        let last = |index: &Recording| index.last.clone().expect("a playlist");
        let offences = lint::renditions(&last(video), &last(audio));
        assert!(offences.is_empty(), "{offences:#?}");
    }
    // The decoder, which makes the stills, had all that it was to decode.
    assert!(!server.log().contains("is damaged"));
    let playlist = Multivariant::parse(server.get("/hls/stream.m3u8").text());
    let offences = lint::multivariant(&playlist);
    assert!(offences.is_empty(), "{offences:#?}");
    server
}

/// The multivariant playlist says what the clip is.
fn masters(server: &Server, name: &str) {
    let tracks = Tracks::of(name);
    let answer = server.get("/hls/stream.m3u8");
    let playlist = Multivariant::parse(answer.text());
    let text = server.get(crate::player::media_playlists(tracks)[0]).text().to_owned();
    assert_eq!(playlist.version, Media::parse(&text).version, "PL-2");
    let top = &playlist.variants[0].attributes;
    if tracks.video {
        assert!(top["CODECS"].starts_with("avc1.6400"), "High profile: {}", top["CODECS"]);
        let rate = match name {
            "fps2997" => "29.970",
            "fps60" => "60.000",
            "key0.5" => "30.000",
            _ => "25.000",
        };
        assert_eq!(top["FRAME-RATE"], rate);
        let size =
            if ["fps2997", "key0.5", "video-only"].contains(&name) { "640x272" } else { "640x360" };
        assert_eq!(top["RESOLUTION"], size);
    }
    assert_eq!(tracks.audio, top["CODECS"].contains("mp4a.40.2"), "{}", top["CODECS"]);
    if tracks.audio {
        let audio_only =
            playlist.variants.iter().any(|variant| variant.attributes["CODECS"] == "mp4a.40.2");
        assert!(audio_only, "MV-6: an audio-only variant\n{}", answer.text());
    }
}

macro_rules! round_trips {
    ($($test:ident: $program:ident $clip:literal $pace:ident;)*) => {
        $(#[test]
        fn $test() {
            let server = comes_back(Program::$program, $clip, Pace::$pace);
            masters(&server, $clip);
        })*
    };
}

round_trips! {
    ffmpeg_25: Ffmpeg "fps25" Live;
    ffmpeg_2997: Ffmpeg "fps2997" Live;
    ffmpeg_60: Ffmpeg "fps60" Live;
    ffmpeg_sync_every_half_second: Ffmpeg "key0.5" Live;
    ffmpeg_sync_every_eight_seconds: Ffmpeg "key8" Live;
    ffmpeg_audio_only: Ffmpeg "audio-only" Live;
    ffmpeg_video_only: Ffmpeg "video-only" Live;
    ffmpeg_faster_than_real_time: Ffmpeg "fps25" Fast;
    gstreamer_25: Gstreamer "fps25" Live;
    gstreamer_2997: Gstreamer "fps2997" Live;
    gstreamer_60: Gstreamer "fps60" Live;
    gstreamer_sync_every_half_second: Gstreamer "key0.5" Live;
    gstreamer_sync_every_eight_seconds: Gstreamer "key8" Live;
    gstreamer_audio_only: Gstreamer "audio-only" Live;
    gstreamer_video_only: Gstreamer "video-only" Live;
    gstreamer_faster_than_real_time: Gstreamer "fps60" Fast;
}
