//! Riverrun's net room.
