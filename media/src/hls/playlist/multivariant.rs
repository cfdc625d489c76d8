//! The multivariant playlist as text (HLS §4.4.6; MV-*).

use std::fmt::Write as _;

use crate::hls::limits::PLAYLIST_VERSION;
use crate::hls::update::{Rendition, RenditionMedia};

/// A rendition and what it costs to receive, in bits per second (MV-1).
#[derive(Clone, Copy, Debug)]
pub(in crate::hls) struct Offer<'a> {
    pub(in crate::hls) rendition: &'a Rendition,
    pub(in crate::hls) peak: u64,
    pub(in crate::hls) average: u64,
}

/// Name of the one audio group.
const AUDIO_GROUP: &str = "audio";

/// Writes the playlist. Video variants come first, in order, each with the sound of the audio
/// group; then the sound alone, which viewers on the move switch to (MV-6). `query` is appended to
/// the addresses of the children (MV-12).
pub(in crate::hls) fn write(
    offers: &[Offer<'_>],
    independent_segments: bool,
    query: &str,
) -> String {
    let audio = offers.iter().find(|o| matches!(o.rendition.media, RenditionMedia::Audio { .. }));
    let mut text = String::with_capacity(1_024);
    let _ = writeln!(text, "#EXTM3U\n#EXT-X-VERSION:{PLAYLIST_VERSION}");
    if independent_segments {
        let _ = writeln!(text, "#EXT-X-INDEPENDENT-SEGMENTS");
    }
    if let Some(audio) = audio {
        let _ = write_audio_group(&mut text, audio.rendition, query);
    }
    for offer in offers {
        let _ = write_variant(&mut text, offer, audio, query);
    }
    text
}

fn write_audio_group(text: &mut String, audio: &Rendition, query: &str) -> std::fmt::Result {
    write!(text, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{AUDIO_GROUP}\",NAME=\"Audio\"")?;
    write!(text, ",DEFAULT=YES,AUTOSELECT=YES")?;
    if let RenditionMedia::Audio { channels } = audio.media {
        write!(text, ",CHANNELS=\"{channels}\"")?;
    }
    writeln!(text, ",URI=\"{}/stream.m3u8{query}\"", audio.id)
}

fn write_variant(
    text: &mut String,
    offer: &Offer<'_>,
    audio: Option<&Offer<'_>>,
    query: &str,
) -> std::fmt::Result {
    let rendition = offer.rendition;
    // Sound alone names itself only once, although its variant uses the group too (MV-4).
    let other = audio.filter(|audio| audio.rendition.id != rendition.id);
    let peak = offer.peak + other.map_or(0, |audio| audio.peak);
    let average = offer.average + other.map_or(0, |audio| audio.average);
    write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average}")?;
    write!(text, ",CODECS=\"{}", rendition.codec)?;
    if let Some(audio) = other {
        write!(text, ",{}", audio.rendition.codec)?;
    }
    write!(text, "\"")?;
    if let RenditionMedia::Video { width, height, frame_rate_millis, range } = rendition.media {
        write!(text, ",RESOLUTION={width}x{height}")?;
        if let Some(rate) = frame_rate_millis {
            write!(text, ",FRAME-RATE={}.{:03}", rate / 1_000, rate % 1_000)?;
        }
        write!(text, ",VIDEO-RANGE={}", range.as_str())?;
    }
    if audio.is_some() {
        write!(text, ",AUDIO=\"{AUDIO_GROUP}\"")?;
    }
    writeln!(text, ",CLOSED-CAPTIONS=NONE\n{}/stream.m3u8{query}", rendition.id)
}
