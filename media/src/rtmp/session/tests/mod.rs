//! The session seen from its owner.

mod captures;
mod conversations;
mod deadlines;
mod hostile;
mod rules;
