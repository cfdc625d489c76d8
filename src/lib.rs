//! Riverrun.
