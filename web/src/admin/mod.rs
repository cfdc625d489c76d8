//! What the admin's side of the API takes and gives: who may ask, what is uploaded, what is shown.

mod base64;
mod guard;
mod login;
mod picture;
mod reads;
mod server_config;
mod upload;

use serde::Serialize;

pub use self::guard::{
    Admission, Credentials, Forbidden, SESSION_COOKIE, check_origin, credentials, session_cookie,
};
pub use self::login::{LOGIN_SHAPE, Login, parse_login};
pub use self::picture::{PICTURE_SIDE_MAX, PictureKind};
pub use self::reads::{
    AdminStatus, Broadcaster, CurrentBroadcast, Hardware, LogLine, PlaybackClient, Sample,
    StreamDetails, Viewer, WINDOW_START_MAX, codec_name, takes_body, variant_views, window_start,
};
pub use self::server_config::{ServerConfig, ServerFacts};
pub use self::upload::{
    EMOJI_BYTES_MAX, EmojiUpload, FAVICON_BYTES_MAX, LOGO_BYTES_MAX, Picture, UploadError,
    parse_emoji, parse_emoji_name, parse_favicon, parse_logo,
};

/// An object as the response body.
#[must_use]
pub fn to_json<T: Serialize>(object: &T) -> Vec<u8> {
    crate::json::write(object)
}
