//! Colour as H.273 code points to rav1e's names of them.

use num_traits::FromPrimitive;
use rav1e::color::{
    ColorDescription, ColorPrimaries, MatrixCoefficients, PixelRange, TransferCharacteristics,
};

use crate::picture::Colour;

/// `None` when nothing is told. Code points that AV1 does not know are left unspecified, and so is
/// the identity matrix, which 4:2:0 pictures cannot have (AV1 §6.4.2).
pub(super) fn description(colour: Colour) -> Option<ColorDescription> {
    let matrix = MatrixCoefficients::from_u8(colour.matrix).unwrap_or_default();
    let matrix_coefficients = match matrix {
        MatrixCoefficients::Identity => MatrixCoefficients::Unspecified,
        matrix => matrix,
    };
    let description = ColorDescription {
        color_primaries: ColorPrimaries::from_u8(colour.primaries).unwrap_or_default(),
        transfer_characteristics: TransferCharacteristics::from_u8(colour.transfer)
            .unwrap_or_default(),
        matrix_coefficients,
    };
    let told = description.color_primaries != ColorPrimaries::Unspecified
        || description.transfer_characteristics != TransferCharacteristics::Unspecified
        || description.matrix_coefficients != MatrixCoefficients::Unspecified;
    told.then_some(description)
}

pub(super) const fn range(colour: Colour) -> PixelRange {
    if colour.full_range { PixelRange::Full } else { PixelRange::Limited }
}
