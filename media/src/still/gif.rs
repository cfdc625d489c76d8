//! A few pictures as a GIF that plays for ever.
//!
//! One palette for all of them, made from a part of the pixels. A pixel that does not change from
//! one picture to the next is left transparent: such runs take next to no space.

use std::borrow::Cow;

use color_quant::NeuQuant;
use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use super::PreviewPicture;
use super::colour::Conversion;

/// Colours of the palette; the last of 256 means "as before".
const COLOURS: usize = 255;
/// Index of "as before".
const UNCHANGED: u8 = 255;
/// Of each side every third pixel goes into the palette's sample, which is enough for its colours.
const SAMPLE_STEP: usize = 3;
/// How thoroughly the palette is learnt: 1 is slow and best, 30 fast and poor.
const LEARN_FACTOR: i32 = 10;
/// Hundredths of a second, a GIF's unit, in a preview.
const LENGTH_CENTIS: u32 = 100;
/// Ticks of 90 kHz in a hundredth of a second.
const TICKS_PER_CENTI: u32 = 900;

/// The file. Pictures are of one size.
pub(super) fn encode(
    pictures: &[PreviewPicture],
    conversion: &Conversion,
) -> Result<Vec<u8>, EncodingError> {
    let mut palette = Palette::learnt(pictures, conversion);
    let size = pictures.first().map(|first| first.picture.size());
    // A side is 8192 at most.
    let (width, height) = size.map_or((1, 1), |size| (size.width() as u16, size.height() as u16));
    let mut encoder = Encoder::new(Vec::new(), width, height, &palette.colours)?;
    encoder.set_repeat(Repeat::Infinite)?;
    let mut before: Vec<u8> = Vec::new();
    for (place, PreviewPicture { at, picture }) in pictures.iter().enumerate() {
        let rows = 0..picture.luma().height();
        let pixels = rows.flat_map(|y| conversion.row(picture.view(), y));
        let indices: Vec<u8> = pixels.map(|pixel| palette.nearest(pixel)).collect();
        let changes = if before.is_empty() {
            indices.clone()
        } else {
            let pairs = indices.iter().zip(&before);
            pairs.map(|(&now, &before)| if now == before { UNCHANGED } else { now }).collect()
        };
        let ends = pictures.get(place + 1).map_or(LENGTH_CENTIS, |next| next.at / TICKS_PER_CENTI);
        encoder.write_frame(&Frame {
            width,
            height,
            delay: u16::try_from(ends.saturating_sub(at / TICKS_PER_CENTI)).unwrap_or(u16::MAX),
            dispose: DisposalMethod::Keep,
            transparent: (!before.is_empty()).then_some(UNCHANGED),
            buffer: Cow::Owned(changes),
            ..Frame::default()
        })?;
        before = indices;
    }
    encoder.into_inner()
}

struct Palette {
    network: NeuQuant,
    /// Red, green, blue of each colour.
    colours: Vec<u8>,
    /// Colours found so far, by the upper 5, 6 and 5 bits of red, green and blue.
    known: Vec<Option<u8>>,
}

impl Palette {
    fn learnt(pictures: &[PreviewPicture], conversion: &Conversion) -> Self {
        let mut sample = Vec::new();
        for PreviewPicture { picture, .. } in pictures {
            for y in (0..picture.luma().height()).step_by(SAMPLE_STEP) {
                for [red, green, blue] in conversion.row(picture.view(), y).step_by(SAMPLE_STEP) {
                    sample.extend([red, green, blue, u8::MAX]);
                }
            }
        }
        let network = NeuQuant::new(LEARN_FACTOR, COLOURS, &sample);
        let mut colours = network.color_map_rgb();
        // A place for "as before".
        colours.resize((COLOURS + 1) * 3, 0);
        Self { network, colours, known: vec![None; 1 << 16] }
    }

    fn nearest(&mut self, [red, green, blue]: [u8; 3]) -> u8 {
        let [r, g, b] = [red >> 3, green >> 2, blue >> 3].map(usize::from);
        let network = &self.network;
        let Some(known) = self.known.get_mut(r << 11 | g << 5 | b) else { return 0 };
        *known.get_or_insert_with(|| {
            // From the middle of what the bits leave open.
            let colour = [red & !7 | 4, green & !3 | 2, blue & !7 | 4, u8::MAX];
            u8::try_from(network.index_of(&colour)).unwrap_or(0)
        })
    }
}
