//! Pictures that are borrowed: from a [`Picture`], or from a decoder that owns the memory and will
//! use it again.
//!
//! A [`PlaneView`] is proof that its rows lie within its bytes, and a [`PictureView`] that its
//! three planes are those of one 4:2:0 picture; the C libraries read through them by pointer.

use super::picture::{Picture, PictureSize, Plane};

/// One colour component of a borrowed picture. `stride >= width`, and the last row ends within
/// `samples`; padding behind it may be missing.
#[derive(Clone, Copy, Debug)]
pub struct PlaneView<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> PlaneView<'a> {
    /// Rows of `width` samples that start every `stride` bytes. `None` when a row would be longer
    /// than the stride, the last one does not end within `samples`, or there are no samples.
    pub fn new(samples: &'a [u8], width: usize, height: usize, stride: usize) -> Option<Self> {
        let last_row = stride.checked_mul(height.checked_sub(1)?)?;
        let fits = 0 < width && width <= stride && last_row.checked_add(width)? <= samples.len();
        fits.then_some(Self { samples, width, height, stride })
    }

    /// Samples in a row.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Bytes from the start of a row to the start of the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// All rows with the padding between them: at least `stride * (height - 1) + width` bytes.
    pub const fn samples(&self) -> &'a [u8] {
        self.samples
    }

    /// The samples of one row without padding; empty below the last row.
    pub fn row(&self, y: usize) -> &'a [u8] {
        if y >= self.height {
            return &[];
        }
        let start = y * self.stride;
        self.samples.get(start..start + self.width).unwrap_or_default()
    }

    /// Every row from the top, without padding.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let width = self.width;
        let rows = self.samples.chunks(self.stride).take(self.height);
        rows.map(move |row| row.get(..width).unwrap_or_default())
    }
}

impl<'a> From<&'a Plane> for PlaneView<'a> {
    fn from(plane: &'a Plane) -> Self {
        let (width, height, stride) = (plane.width(), plane.height(), plane.stride());
        Self { samples: plane.samples(), width, height, stride }
    }
}

/// A borrowed I420 picture.
#[derive(Clone, Copy, Debug)]
pub struct PictureView<'a> {
    size: PictureSize,
    luma: PlaneView<'a>,
    cb: PlaneView<'a>,
    cr: PlaneView<'a>,
}

impl<'a> PictureView<'a> {
    /// A picture of three planes. `None` when they are not of `size` and, for chroma, half of it.
    pub fn new(
        size: PictureSize,
        luma: PlaneView<'a>,
        cb: PlaneView<'a>,
        cr: PlaneView<'a>,
    ) -> Option<Self> {
        let (width, height) = (size.width() as usize, size.height() as usize);
        let is = |plane: PlaneView<'_>, w, h| (plane.width, plane.height) == (w, h);
        let fits = is(luma, width, height)
            && is(cb, width / 2, height / 2)
            && is(cr, width / 2, height / 2);
        fits.then_some(Self { size, luma, cb, cr })
    }

    /// Size in pixels.
    pub const fn size(&self) -> PictureSize {
        self.size
    }

    /// Brightness, one sample for each pixel.
    pub const fn luma(&self) -> PlaneView<'a> {
        self.luma
    }

    /// Blue difference, one sample for 2x2 pixels.
    pub const fn cb(&self) -> PlaneView<'a> {
        self.cb
    }

    /// Red difference, one sample for 2x2 pixels.
    pub const fn cr(&self) -> PlaneView<'a> {
        self.cr
    }

    /// Luma, Cb and Cr.
    pub const fn planes(&self) -> [PlaneView<'a>; 3] {
        [self.luma, self.cb, self.cr]
    }
}

impl Picture {
    /// Takes over the samples of a picture of the same size; of another size, those that fit.
    pub fn copy_from(&mut self, view: PictureView<'_>) {
        let sources = [view.luma(), view.cb(), view.cr()];
        for (plane, source) in self.planes_mut().into_iter().zip(sources) {
            for row in 0..plane.height().min(source.height()) {
                let (target, from) = (plane.row_mut(row), source.row(row));
                let len = target.len().min(from.len());
                target[..len].copy_from_slice(&from[..len]);
            }
        }
    }

    /// The whole picture, borrowed.
    pub fn view(&self) -> PictureView<'_> {
        PictureView {
            size: self.size(),
            luma: self.luma().into(),
            cb: self.cb().into(),
            cr: self.cr().into(),
        }
    }
}

impl<'a> From<&'a Picture> for PictureView<'a> {
    fn from(picture: &'a Picture) -> Self {
        picture.view()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_that_its_bytes_do_not_hold_is_refused() {
        let bytes = [7; 100];
        for (width, height, stride, expected) in [
            (10, 10, 10, true),
            (9, 10, 10, true),
            (1, 10, 11, true),
            (2, 10, 11, false),
            (11, 9, 10, false),
            (10, 11, 10, false),
            (0, 1, 10, false),
            (10, 0, 10, false),
            (1, usize::MAX, usize::MAX, false),
            (1, 2, usize::MAX, false),
        ] {
            let plane = PlaneView::new(&bytes, width, height, stride);
            assert_eq!(plane.is_some(), expected, "{width}x{height} by {stride}");
            if let Some(plane) = plane {
                assert!(plane.rows().eq((0..height).map(|y| plane.row(y))));
                assert_eq!(plane.rows().flatten().count(), width * height);
                assert!(plane.row(height).is_empty() && plane.row(usize::MAX).is_empty());
            }
        }
    }

    #[test]
    fn planes_have_to_be_those_of_the_size() {
        let size = PictureSize::new(32, 16).unwrap();
        let bytes = [0; 32 * 16];
        let plane = |width, height| PlaneView::new(&bytes, width, height, 32).unwrap();
        let (full, half) = (plane(32, 16), plane(16, 8));
        assert!(PictureView::new(size, full, half, half).is_some());
        for (luma, cb, cr) in [
            (half, half, half),
            (full, full, half),
            (full, half, full),
            (full, half, plane(16, 7)),
            (plane(31, 16), half, half),
        ] {
            assert!(PictureView::new(size, luma, cb, cr).is_none());
        }
    }

    #[test]
    fn a_picture_shows_its_own_rows() {
        let mut picture = Picture::black(PictureSize::new(30, 18).unwrap());
        picture.planes_mut()[2].row_mut(8).fill(7);
        let view = picture.view();
        assert_eq!((view.size(), view.luma().stride()), (picture.size(), picture.luma().stride()));
        assert_eq!(view.cr().row(8), [7; 15]);
        assert!(view.planes()[1].rows().flatten().all(|&sample| sample == 128));
    }
}
