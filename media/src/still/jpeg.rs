//! One picture as a JPEG, from the samples it has: no detour over RGB.

use jpeg_encoder::{Encoder, EncodingError, ImageBuffer, JpegColorType, SamplingFactor};

use super::colour::Conversion;
use crate::codec::Picture;

/// Quality of 100: no artefacts that one sees beside the video's own, about 100 kB at 720p.
const QUALITY: u8 = 80;

/// The file.
pub(super) fn encode(picture: &Picture, conversion: &Conversion) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode_image(Samples { picture, conversion })?;
    Ok(file)
}

struct Samples<'a> {
    picture: &'a Picture,
    conversion: &'a Conversion,
}

impl ImageBuffer for Samples<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        // A side is 8192 at most.
        self.picture.size().width() as u16
    }

    fn height(&self) -> u16 {
        self.picture.size().height() as u16
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let [luma, cb, cr, _] = buffers;
        for [y_sample, cb_sample, cr_sample] in
            self.conversion.row(self.picture.view(), usize::from(y))
        {
            luma.push(y_sample);
            cb.push(cb_sample);
            cr.push(cr_sample);
        }
    }
}
