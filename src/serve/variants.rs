//! What viewers can choose from at this moment, in the API's words: what the multivariant playlist
//! lists while something is on, otherwise what is set.

use riverrun_media::hls::{Rendition, RenditionId, RenditionMedia};
use riverrun_media::ladder::{self, LadderSetting, RungCodec};
use riverrun_web::settings::Variant;

use crate::shard::Shard;
use crate::state::State;

/// Each variant and its number, the name of its folder below `/hls/`.
pub(super) fn on_offer(shard: &Shard) -> Vec<(u8, Variant)> {
    let state = shard.state();
    let set = set(&state, &shard.plan.ladder.setting());
    if !shard.is_playable() {
        return set;
    }
    let window = shard.window.borrow();
    let listed = window.offer().filter_map(|(rendition, bits)| variant(rendition, bits));
    listed.map(|(number, variant)| (number, named(variant, number, &set))).collect()
}

/// What will be made of any publisher's pictures. Of an automatic ladder only the source is known
/// before there is one.
fn set(state: &State, setting: &LadderSetting) -> Vec<(u8, Variant)> {
    let variants = match setting {
        LadderSetting::Automatic => vec![Variant::source()],
        // The admin's own have names, where they are in force.
        _ if state.ladder().as_ref() == Some(setting) => state.variants(),
        LadderSetting::Variants(variants) => variants.iter().map(configured).collect(),
    };
    (0..).zip(variants).collect()
}

fn configured(variant: &ladder::Variant) -> Variant {
    let ladder::Variant::Encode(encode) = variant else { return Variant::source() };
    Variant {
        video_bitrate: encode.bitrate_kbit,
        scaled_width: encode.width,
        scaled_height: encode.height,
        framerate: encode.frame_rate,
        cpu_usage_level: match encode.codec {
            RungCodec::H264 { cpu_level } => cpu_level,
            RungCodec::Av1 => 0,
        },
        ..Variant::default()
    }
}

/// A rendition of pictures; `bits` is its mean a second.
fn variant(rendition: &Rendition, bits: u64) -> Option<(u8, Variant)> {
    let RenditionId::Video(number) = rendition.id else { return None };
    let RenditionMedia::Video { width, height, frame_rate_millis, .. } = rendition.media else {
        return None;
    };
    let bits = rendition.bitrate.map_or(bits, u64::from);
    let variant = Variant {
        video_passthrough: rendition.is_source,
        video_bitrate: u32::try_from(bits / 1_000).unwrap_or(u32::MAX),
        scaled_width: width,
        scaled_height: height,
        framerate: frame_rate_millis.map_or(0, |millis| (millis + 500) / 1_000),
        ..Variant::default()
    };
    Some((number, variant))
}

/// With the admin's own name for it, if that is the one of this number.
fn named(variant: Variant, number: u8, set: &[(u8, Variant)]) -> Variant {
    let same = |set: &Variant| {
        set.video_passthrough == variant.video_passthrough
            && [
                (set.scaled_width, variant.scaled_width),
                (set.scaled_height, variant.scaled_height),
            ]
            .iter()
            .all(|(set, is)| *set == 0 || set == is)
    };
    let found = set.iter().find(|(at, set)| *at == number && same(set));
    let name = found.map(|(_, set)| set.name.clone()).unwrap_or_default();
    Variant { name, ..variant }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_told_before_anybody_is_on_air() {
        let numbers = |text: &str| -> Vec<(u8, String)> {
            let set = set(&State::empty(), &text.parse().unwrap());
            set.iter().map(|(number, variant)| (*number, variant.display_name())).collect()
        };
        assert_eq!(numbers("auto"), [(0, "Source".to_owned())]);
        let want = [(0, "480h".to_owned()), (1, "Source".to_owned())];
        assert_eq!(numbers("480p@900,source"), want);
    }

    #[test]
    fn the_admins_names_stay_with_their_sizes() {
        let set =
            [(0, Variant { name: "Small".to_owned(), scaled_height: 360, ..Variant::default() })];
        let sized =
            |scaled_height| Variant { scaled_width: 640, scaled_height, ..Variant::default() };
        assert_eq!(named(sized(360), 0, &set).name, "Small");
        assert_eq!(named(sized(480), 0, &set).name, "");
        assert_eq!(named(sized(360), 1, &set).name, "");
    }
}
