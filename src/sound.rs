//! The sound of a broadcast between its source and its segmenter: as it is, or transcoded when some
//! players could not take it.
//!
//! It runs where the broadcast is, which is the thread on air: a unit of 5.1 costs half a
//! millisecond and lasts twenty, so it would wait longer for a thread of its own than it takes. A
//! shard meets it only in a broadcast's first and last moments.

use std::sync::Arc;

use riverrun_media::access_unit::{AccessUnit, AudioTrack, TrackKind, Tracks};
use riverrun_media::sound::{Need, SoundConfig, SoundTranscoder};
use serde::Deserialize;

/// Whether the source's sound is passed on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AudioPassthrough {
    /// As it is where every player takes it.
    #[default]
    Auto,
    /// Never: it is coded anew at the bit rate that was set.
    Off,
}

/// What the operator sets.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SoundSetting {
    /// See there.
    pub passthrough: AudioPassthrough,
    /// Of what is coded anew.
    pub config: SoundConfig,
}

/// What the sound of a broadcast goes through.
#[derive(Default)]
pub struct Sound {
    setting: SoundSetting,
    transcoded: Option<Transcoded>,
}

/// A track that is being transcoded.
struct Transcoded {
    /// The source's track.
    track: Arc<AudioTrack>,
    /// `None` once it could not be made anew: the sound is left out.
    transcoder: Option<SoundTranscoder>,
    /// It has failed before; once is enough to be told.
    failed: bool,
}

impl Sound {
    /// Nothing has come yet.
    pub const fn new(setting: SoundSetting) -> Self {
        Self { setting, transcoded: None }
    }

    /// The tracks that the segmenter gets for those of the source. [`Self::finish`] comes first.
    pub fn tracks(&mut self, tracks: Tracks) -> Tracks {
        self.transcoded = None;
        let Some(track) = &tracks.audio else { return tracks };
        let need = Need::of(track);
        if need.is_none() && self.setting.passthrough == AudioPassthrough::Auto {
            return tracks;
        }
        match SoundTranscoder::new(track, self.setting.config) {
            Ok(transcoder) => {
                if let Some(need) = need {
                    tracing::warn!(%need, "about this source");
                }
                let bitrate = transcoder.track().bitrate;
                tracing::info!(bits_per_second = bitrate, "the sound is coded anew");
                let output = Arc::new(transcoder.track().clone());
                let (track, transcoder) = (Arc::clone(track), Some(transcoder));
                self.transcoded = Some(Transcoded { track, transcoder, failed: false });
                Tracks { audio: Some(output), ..tracks }
            }
            Err(error) if need.is_none() => {
                tracing::warn!(%error, "the sound is passed on as it is");
                tracks
            }
            Err(error) => {
                tracing::warn!(%error, "the sound is passed on as it is, and some browsers cannot \
                     play it: set the encoder to stereo at 48 kHz");
                tracks
            }
        }
    }

    /// Takes a unit of any track; appends to `out` what the segmenter gets for it.
    pub fn push(&mut self, unit: AccessUnit, out: &mut Vec<AccessUnit>) {
        match &mut self.transcoded {
            Some(transcoded) if unit.track == TrackKind::Audio => {
                transcoded.push(&unit, self.setting.config, out);
            }
            Some(_) | None => out.push(unit),
        }
    }

    /// The timeline ends: appends what is still inside.
    pub fn finish(&mut self, out: &mut Vec<AccessUnit>) {
        let Some(Transcoded { transcoder: Some(transcoder), .. }) = &mut self.transcoded else {
            return;
        };
        if let Err(error) = transcoder.finish() {
            tracing::error!(%error, "the end of the sound is lost");
        }
        out.extend(std::iter::from_fn(|| transcoder.poll()));
    }
}

impl Transcoded {
    fn push(&mut self, unit: &AccessUnit, config: SoundConfig, out: &mut Vec<AccessUnit>) {
        let Some(transcoder) = &mut self.transcoder else { return };
        let outcome = transcoder.push(unit);
        out.extend(std::iter::from_fn(|| transcoder.poll()));
        let Err(error) = outcome else { return };
        if !self.failed {
            tracing::error!(%error, "the sound's transcoder failed and is made anew");
        }
        self.failed = true;
        // The same configuration gives the same track, so the broadcast goes on.
        self.transcoder = SoundTranscoder::new(&self.track, config).ok();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use riverrun_media::aac::{AudioSpecificConfig, silent_access_unit};
    use riverrun_media::access_unit::AudioCodec;
    use riverrun_media::time::{MediaTime, Timescale};

    use super::*;

    fn tracks(sample_rate: u32, channels: u8) -> Tracks {
        let config = AudioSpecificConfig::lc(sample_rate, channels).expect("a rate of AAC");
        let codec = AudioCodec::Aac(config);
        let audio =
            AudioTrack { sample_rate, channels, samples_per_unit: 1_024, bitrate: None, codec };
        Tracks { video: None, audio: Some(Arc::new(audio)) }
    }

    fn unit(track: TrackKind, at: i64, payload: Bytes) -> AccessUnit {
        let scale = if track == TrackKind::Audio { Timescale::new(48_000) } else { None };
        let time = MediaTime::new(at, scale.unwrap_or(Timescale::VIDEO));
        AccessUnit { track, dts: time, pts: time, sync: true, payload }
    }

    fn silence(tracks: &Tracks) -> Bytes {
        let Some(AudioCodec::Aac(config)) = tracks.audio.as_ref().map(|track| &track.codec) else {
            panic!("no AAC in {tracks:?}");
        };
        silent_access_unit(config).expect("a usual layout")
    }

    #[test]
    fn stereo_passes_untouched() {
        let mut sound = Sound::default();
        let stereo = tracks(48_000, 2);
        assert_eq!(sound.tracks(stereo.clone()), stereo);
        let sent = unit(TrackKind::Audio, 480_000, silence(&stereo));
        let mut out = Vec::new();
        sound.push(sent.clone(), &mut out);
        sound.finish(&mut out);
        assert_eq!(out, [sent]);
    }

    #[test]
    fn surround_becomes_stereo_and_pictures_pass_by() {
        let mut sound = Sound::default();
        let surround = tracks(48_000, 6);
        for start in [480_000, 4_800_000] {
            let mixed = sound.tracks(surround.clone()).audio.expect("sound");
            assert_eq!((mixed.channels, mixed.sample_rate), (2, 48_000));
            let mut out = Vec::new();
            for index in 0..5 {
                let at = start + index * 1_024;
                sound.push(unit(TrackKind::Audio, at, silence(&surround)), &mut out);
            }
            let picture = unit(TrackKind::Video, 900_000, Bytes::from_static(&[1]));
            sound.push(picture.clone(), &mut out);
            sound.finish(&mut out);
            assert!(out.contains(&picture));
            let times: Vec<i64> = out
                .iter()
                .filter(|unit| unit.track == TrackKind::Audio)
                .map(|unit| unit.dts.ticks())
                .collect();
            let expected: Vec<i64> = (0..5).map(|index| start + index * 1_024).collect();
            assert_eq!(times, expected);
        }
    }

    #[test]
    fn without_passthrough_stereo_is_coded_anew_at_the_rate_set() {
        let config = SoundConfig { bitrate: 64_000 };
        let mut sound = Sound::new(SoundSetting { passthrough: AudioPassthrough::Off, config });
        for (channels, bitrate) in [(2, 64_000), (1, 32_000)] {
            let source = tracks(48_000, channels);
            let coded = sound.tracks(source.clone()).audio.expect("sound");
            assert_eq!((coded.channels, coded.bitrate), (channels, Some(bitrate)));
            let mut out = Vec::new();
            for index in 0..5 {
                let at = 480_000 + index * 1_024;
                sound.push(unit(TrackKind::Audio, at, silence(&source)), &mut out);
            }
            sound.finish(&mut out);
            let times: Vec<_> = out.iter().map(|unit| unit.dts.ticks()).collect();
            let expected: Vec<_> = (0..5).map(|index| 480_000 + index * 1_024).collect();
            assert_eq!(times, expected);
        }
    }

    #[test]
    fn a_rate_that_cannot_be_resampled_passes() {
        let mut sound = Sound::default();
        let odd = tracks(47_999, 2);
        assert_eq!(sound.tracks(odd.clone()), odd);
    }
}
