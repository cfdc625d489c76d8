//! Decoded pictures made ready for the encoders: other sizes, other frame rates.
//!
//! ```text
//! PictureView ─▶ Cascade ─▶ Arc<Picture> per rung    sizes, from PicturePools
//! PTS         ─▶ FrameGrid ─▶ which rungs take it    rates
//! ```
//!
//! Planes are scaled each by itself, in their own 4:2:0, with chroma sited on the left as H.264 has
//! it when a stream says nothing; colour is carried through untouched. A ladder is a cascade: a
//! rung is made from the next larger one, which costs a fraction and loses next to nothing. A rung
//! of the source's size is the source itself, borrowed.
//!
//! In steady state nothing is allocated.

mod cascade;
mod plane;
mod pool;
mod rung_size;
mod scaler;
mod weights;

pub use cascade::{Cascade, Made};
pub use pool::PicturePool;
pub use rung_size::{RungSize, RungSizeError, rung_size};
pub use scaler::Scaler;
