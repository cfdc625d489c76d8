//! How long a packet lasts, and a packet of silence (RFC 6716 §3).

use bytes::Bytes;

use super::config::OpusConfig;

/// Samples at 48 kHz that [`silent_packet`] lasts: 20 ms.
pub const SILENT_SAMPLES: u32 = 960;

/// Samples at 48 kHz in a packet, from its table-of-contents byte and frame count; `None` when it
/// is empty, counts no frame or lasts longer than the 120 ms that are allowed.
///
/// Of several streams the first tells: all last equally long (RFC 7845 §3).
pub fn packet_samples(packet: &[u8]) -> Option<u32> {
    const PACKET_SAMPLES_MAX: u32 = 5_760;
    let &toc = packet.first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3F),
    };
    let samples = frames * frame_samples(toc >> 3);
    (1..=PACKET_SAMPLES_MAX).contains(&samples).then_some(samples)
}

/// Table 2: SILK 10 to 60 ms, hybrid 10 and 20 ms, CELT 2.5 to 20 ms.
const fn frame_samples(config: u8) -> u32 {
    match config {
        0..=11 => [480, 960, 1_920, 2_880][(config & 3) as usize],
        12..=15 => [480, 960][(config & 1) as usize],
        _ => [120, 240, 480, 960][(config & 3) as usize],
    }
}

/// One packet that decodes to silence, or `None` for several streams: a full-band CELT frame of
/// 20 ms whose range decoder finds the silence flag set.
pub fn silent_packet(config: &OpusConfig) -> Option<Bytes> {
    if !config.is_single_stream() {
        return None;
    }
    Some(Bytes::from_static(match config.channels() {
        1 => &[0xF8, 0xFF, 0xFE],
        _ => &[0xFC, 0xFF, 0xFE],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_table_2_and_the_frame_count() {
        for (name, packet, samples) in [
            ("SILK 10 ms", &[0][..], Some(480)),
            ("SILK 60 ms", &[3 << 3], Some(2_880)),
            ("hybrid 20 ms", &[13 << 3], Some(960)),
            ("CELT 2.5 ms", &[16 << 3], Some(120)),
            ("CELT 20 ms stereo", &[0xFC], Some(960)),
            ("two frames", &[0xFD], Some(1_920)),
            ("two frames of unequal size", &[0xFE], Some(1_920)),
            ("three frames", &[0xFF, 0x83], Some(2_880)),
            ("120 ms", &[3 << 3 | 3, 2], Some(5_760)),
            ("too long", &[3 << 3 | 3, 3], None),
            ("no frame", &[0xFF, 0], None),
            ("no count", &[0xFF], None),
            ("empty", &[], None),
        ] {
            assert_eq!(packet_samples(packet), samples, "{name}");
        }
        let silence = silent_packet(&OpusConfig::stereo()).unwrap();
        assert_eq!(packet_samples(&silence), Some(SILENT_SAMPLES));
    }
}
