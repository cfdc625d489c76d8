//! H.264 tags to pictures, and the configuration they are coded with (AV-2 to AV-7).
//!
//! The configuration comes from sequence headers and from parameter sets inside IDR pictures. A
//! repeated header changes nothing (mediamtx #3802); a different one takes effect at the next IDR
//! picture, and until then pictures are dropped.

use bytes::Bytes;

use super::{Counters, Refusal};
use crate::access_unit::{VideoCodec, VideoTrack};
use crate::flv::Metadata;
use crate::h264::{
    AvcConfig, AvccError, CodedPicture, Framing, LengthSize, ParameterSets, annexb,
    looks_like_hevc_record, normalise,
};
use crate::limits::COMPOSITION_TIME_MS_MAX;

/// A coded picture without an output time.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) payload: Bytes,
    pub(super) idr: bool,
    pub(super) composition_ms: i64,
}

/// The video side of one connection.
#[derive(Debug)]
pub(super) struct VideoInput {
    /// The last sequence header, to know its repeats.
    header: Option<AvcConfig>,
    /// All parameter sets in force, by id.
    sets: ParameterSets,
    sets_changed: bool,
    config: Option<AvcConfig>,
    length_size: LengthSize,
    /// Decided by the first payload (AV-3).
    framing: Option<Framing>,
    awaiting_sync: bool,
}

impl Default for VideoInput {
    fn default() -> Self {
        Self {
            header: None,
            sets: ParameterSets::default(),
            sets_changed: false,
            config: None,
            length_size: LengthSize::Four,
            framing: None,
            awaiting_sync: true,
        }
    }
}

impl VideoInput {
    /// Takes a sequence header; tells whether the configuration changed.
    pub(super) fn on_header(
        &mut self,
        body: &[u8],
        counters: &mut Counters,
    ) -> Result<bool, Refusal> {
        let parsed = if body.is_empty() {
            Ok(None)
        } else if looks_like_hevc_record(body) {
            return Err(Refusal::HevcAsAvc);
        } else if annexb::starts_with_start_code(body) {
            ParameterSets::parse_annexb(body).map(|sets| Some((sets, self.length_size)))
        } else {
            ParameterSets::parse_record(body).map(Some)
        };
        let Some((sets, length_size)) = parsed? else {
            counters.ignored += 1;
            return Ok(false);
        };
        if length_size != self.length_size {
            self.length_size = length_size;
            self.framing = None;
        }
        match AvcConfig::new(&sets) {
            Ok(config) if self.header.as_ref() == Some(&config) => Ok(false),
            Ok(config) => {
                self.header = Some(config.clone());
                self.sets = sets;
                self.sets_changed = false;
                self.framing = None;
                Ok(self.configure(config))
            }
            // AV-4: a header without sets; they may come inside the first IDR picture (AV-5).
            Err(AvccError::Incomplete) => {
                counters.ignored += 1;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes coded data; `None` when there is no picture in it or it is damaged.
    pub(super) fn on_nalus(
        &mut self,
        payload: &Bytes,
        composition_ms: i32,
        counters: &mut Counters,
    ) -> Result<Option<Picture>, Refusal> {
        if self.config.is_none() && looks_like_hevc_record(payload) {
            return Err(Refusal::HevcAsAvc);
        }
        if self.framing.is_none() {
            self.framing = Framing::detect(payload, self.length_size);
        }
        let Some(framing) = self.framing else {
            counters.ignored += 1;
            return Ok(None);
        };
        let Ok(coded) = normalise(payload, framing) else {
            counters.broken += 1;
            return Ok(None);
        };
        self.collect_sets(&coded, counters)?;
        if coded.payload.is_empty() {
            counters.ignored += 1;
            return Ok(None);
        }
        if composition_ms.unsigned_abs() > COMPOSITION_TIME_MS_MAX {
            counters.broken += 1;
            return Ok(None);
        }
        let CodedPicture { payload, idr, .. } = coded;
        Ok(Some(Picture { payload, idr, composition_ms: i64::from(composition_ms) }))
    }

    /// Lets a picture pass when it can be decoded: there is a configuration and, since the last
    /// change or break, an IDR picture (AV-10).
    pub(super) fn admit(&mut self, picture: &Picture, counters: &mut Counters) -> bool {
        if self.config.is_none() {
            counters.pictures_without_config += 1;
            return false;
        }
        if picture.idr {
            self.awaiting_sync = false;
        } else if self.awaiting_sync {
            counters.pictures_before_sync += 1;
            return false;
        }
        true
    }

    /// Makes the sets that came with or before an IDR picture the configuration (AV-5); tells
    /// whether it changed. Sets take effect at an IDR picture only (H.264 §7.4.1.2.1).
    pub(super) fn on_idr(&mut self, counters: &mut Counters) -> Result<bool, Refusal> {
        if !std::mem::take(&mut self.sets_changed) {
            return Ok(false);
        }
        match AvcConfig::new(&self.sets) {
            Ok(config) => Ok(self.configure(config)),
            Err(AvccError::Incomplete) => Ok(false),
            Err(error) if self.config.is_none() => Err(error.into()),
            Err(_) => {
                counters.broken += 1;
                Ok(false)
            }
        }
    }

    /// Drops pictures until the next IDR picture.
    pub(super) const fn await_sync(&mut self) {
        self.awaiting_sync = true;
    }

    /// The configuration of the pictures that pass.
    pub(super) const fn config(&self) -> Option<&AvcConfig> {
        self.config.as_ref()
    }

    /// The track as it is now.
    pub(super) fn track(&self, metadata: &Metadata) -> Option<VideoTrack> {
        let config = self.config.clone()?;
        let (width, height) = config.display_size();
        let told = config.sps().vui.timing.and_then(|timing| timing.frame_rate_millis());
        let frame_rate_millis = told.and_then(credible_rate).or(metadata.frame_rate_millis);
        Some(VideoTrack {
            width,
            height,
            frame_rate_millis: frame_rate_millis.map(snap_rate),
            bitrate: metadata.video_bitrate,
            codec: VideoCodec::H264(config),
        })
    }

    fn configure(&mut self, config: AvcConfig) -> bool {
        if self.config.as_ref() == Some(&config) {
            return false;
        }
        self.config = Some(config);
        self.awaiting_sync = true;
        true
    }

    fn collect_sets(
        &mut self,
        coded: &CodedPicture,
        counters: &mut Counters,
    ) -> Result<(), Refusal> {
        for nal in coded.sps.iter().chain(&coded.pps) {
            match self.sets.insert(nal) {
                Ok(changed) => self.sets_changed |= changed,
                Err(error) if self.config.is_none() => return Err(error.into()),
                Err(_) => counters.broken += 1,
            }
        }
        Ok(())
    }
}

/// Between 1 and 240 pictures per second; encoders with a variable rate write their time base.
fn credible_rate(millis: u32) -> Option<u32> {
    (1_000..=240_000).contains(&millis).then_some(millis)
}

/// The common rate within 0.05 %, else the rate as told: metadata says 29.97, 23.98 or 60.0.
fn snap_rate(millis: u32) -> u32 {
    const COMMON: [u32; 14] = [
        15_000, 23_976, 24_000, 25_000, 29_970, 30_000, 48_000, 50_000, 59_940, 60_000, 100_000,
        119_880, 120_000, 240_000,
    ];
    let near = |&&rate: &&u32| rate.abs_diff(millis) * 2_000 <= rate;
    COMMON.iter().filter(near).min_by_key(|&&rate| rate.abs_diff(millis)).copied().unwrap_or(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_snap_to_the_nearest_common_one() {
        for (told, rate) in [
            (29_970, 29_970),
            (29_971, 29_970),
            (29_999, 30_000),
            (23_980, 23_976),
            (24_000, 24_000),
            (59_939, 59_940),
            (12_500, 12_500),
            (27_000, 27_000),
        ] {
            assert_eq!(snap_rate(told), rate, "{told}");
        }
        assert_eq!(credible_rate(500_000), None);
        assert_eq!(credible_rate(999), None);
    }
}
