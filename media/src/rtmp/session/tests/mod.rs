//! The session seen from its owner.

mod conversations;
mod deadlines;
mod hostile;
mod rules;
