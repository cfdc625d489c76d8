//! FLV tag bodies, as RTMP carries them in messages 8 and 9 (FLV Annex E.4, AV-1, AA-1).
//!
//! [`VideoTag`] and [`AudioTag`] split headers from payloads without a copy, classic ones and those
//! of Enhanced RTMP (ER-1 to ER-6), and name the codec of each ([`CodecTag`]); which codecs can be
//! packaged is decided in [`crate::source`]. [`Metadata`] is what `onMetaData` announces, filtered
//! (CMD-9), [`ColourInfo`] what HDR metadata says,
//! [`ChannelOrder`] what an encoder says of its channels.

mod audio;
mod channel_order;
mod codec_tag;
mod colour_info;
mod enhanced;
mod metadata;
mod on_meta_data;
mod video;

pub use audio::{AudioBody, AudioPacket, AudioTag};
pub use channel_order::ChannelOrder;
pub use codec_tag::{CodecTag, FourCc};
pub use colour_info::ColourInfo;
pub use enhanced::TagError;
pub use metadata::Metadata;
pub use video::{VideoBody, VideoPacket, VideoTag};
