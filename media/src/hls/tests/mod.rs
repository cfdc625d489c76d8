//! The packager as a whole: publishers go in, playlists and media come out.

mod apart;
mod change;
mod foreign;
mod golden;
mod lifecycle;
mod model;
mod parts;
mod publisher;
mod rungs;
mod widths;
