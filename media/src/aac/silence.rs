//! A coded unit of silence, for gaps in a track that must not stop growing (AA-7).
//!
//! Written from the syntax of raw_data_block (AAC §4.4.2): one element per speaker group, each with
//! max_sfb 0, so there are no sections, scale factors or spectral lines and every sample decodes to
//! zero whatever came before, but for the overlap of the last unit.

use bytes::Bytes;

use super::bit_writer::BitWriter;
use super::config::AudioSpecificConfig;

/// Syntactic elements and their ids (AAC table 4.85).
#[derive(Clone, Copy)]
enum Element {
    SingleChannel,
    ChannelPair,
    LowFrequency,
}

const END: u32 = 7;

/// One access unit that decodes to silence, or `None` when the layout is told by a program config
/// element or is not one of the classic seven.
pub fn silent_access_unit(config: &AudioSpecificConfig) -> Option<Bytes> {
    use Element::{ChannelPair, LowFrequency, SingleChannel};
    let elements: &[Element] = match config.channel_configuration() {
        1 => &[SingleChannel],
        2 => &[ChannelPair],
        3 => &[SingleChannel, ChannelPair],
        4 => &[SingleChannel, ChannelPair, SingleChannel],
        5 => &[SingleChannel, ChannelPair, ChannelPair],
        6 => &[SingleChannel, ChannelPair, ChannelPair, LowFrequency],
        7 => &[SingleChannel, ChannelPair, ChannelPair, ChannelPair, LowFrequency],
        _ => return None,
    };
    let mut out = BitWriter::default();
    let (mut singles, mut pairs) = (0, 0);
    for element in elements {
        match element {
            SingleChannel => {
                put_single(&mut out, 0, singles);
                singles += 1;
            }
            ChannelPair => {
                put_pair(&mut out, pairs);
                pairs += 1;
            }
            LowFrequency => put_single(&mut out, 3, 0),
        }
    }
    out.put(3, END);
    Some(out.finish())
}

/// single_channel_element or lfe_channel_element.
fn put_single(out: &mut BitWriter, id: u32, instance: u32) {
    out.put(3, id);
    out.put(4, instance);
    out.put(8, 0); // global_gain
    put_window(out);
    out.put(3, 0); // no pulses, no TNS, no gain control
}

/// channel_pair_element with a common window.
fn put_pair(out: &mut BitWriter, instance: u32) {
    out.put(3, 1);
    out.put(4, instance);
    out.put(1, 1); // common_window
    put_window(out);
    out.put(2, 0); // ms_mask_present
    for _channel in 0..2 {
        out.put(8, 0); // global_gain
        out.put(3, 0); // no pulses, no TNS, no gain control
    }
}

/// ics_info of a long window: reserved(1), sequence(2), shape(1), max_sfb(6), prediction(1), all 0.
fn put_window(out: &mut BitWriter) {
    out.put(11, 0);
}
