//! Pictures in rav1e's own memory layout, used again when rav1e has let go of them.

use std::sync::Arc;

use rav1e::prelude::Frame;

use crate::codec::view::PictureView;

/// Pictures that rav1e holds on to at most: those it looks ahead, and the originals of its eight
/// references. More are made when asked for, and not kept.
pub(super) const FRAMES_MAX: usize = 16;

/// See the module's text.
#[derive(Default)]
pub(super) struct Frames {
    frames: Vec<Arc<Frame<u8>>>,
}

impl Frames {
    /// In use and free.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Copies a picture of the context's size, plane by plane, once.
    pub(super) fn copy_of(
        &mut self,
        picture: PictureView<'_>,
        context: &rav1e::Context<u8>,
    ) -> Arc<Frame<u8>> {
        let free = self.frames.iter().position(|frame| Arc::strong_count(frame) == 1);
        let mut frame = free
            .map(|index| self.frames.swap_remove(index))
            .unwrap_or_else(|| Arc::new(context.new_frame()));
        // Nobody else has it, and rav1e has no weak references.
        if let Some(frame) = Arc::get_mut(&mut frame) {
            copy(picture, frame);
        }
        if self.frames.len() < FRAMES_MAX {
            self.frames.push(Arc::clone(&frame));
        }
        frame
    }
}

/// Fills the planes and, since rav1e predicts from beyond the edges, what lies around them.
fn copy(picture: PictureView<'_>, frame: &mut Frame<u8>) {
    let size = picture.size();
    let (width, height) = (size.width() as usize, size.height() as usize);
    for (source, target) in picture.planes().into_iter().zip(&mut frame.planes) {
        for (from, to) in source.rows().zip(target.rows_iter_mut()) {
            let len = from.len().min(to.len());
            to[..len].copy_from_slice(&from[..len]);
        }
        target.pad(width, height);
    }
}
