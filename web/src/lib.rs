//! Riverrun's web room.
