//! FLV tag bodies, as RTMP carries them in messages 8 and 9 (FLV Annex E.4, AV-1, AA-1).
//!
//! [`VideoTag`] and [`AudioTag`] split the header from the payload without a copy. Codecs other
//! than H.264 and AAC, and Enhanced RTMP headers, are recognised and named ([`CodecTag`]) so that
//! the publisher can be told; their payload is not read. [`Metadata`] is what `onMetaData`
//! announces, filtered (CMD-9).

mod audio;
mod codec_tag;
mod enhanced;
mod metadata;
mod on_meta_data;
mod video;

pub use audio::AudioTag;
pub use codec_tag::{CodecTag, FourCc};
pub use enhanced::EnhancedHeader;
pub use metadata::Metadata;
pub use video::VideoTag;
