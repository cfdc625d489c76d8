//! The packager as a whole: publishers go in, playlists and media come out.

mod checker;
mod foreign;
mod golden;
mod lifecycle;
mod m3u8;
mod model;
mod mp4;
mod publisher;
