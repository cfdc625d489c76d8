//! Riverrun's storage room.
