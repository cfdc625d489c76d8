//! Where the server listens.

use super::refine;
use super::setting::{Setting, setting};
use crate::shape::Shape;

/// Longest host name or path, characters.
const LINE_MAX: usize = 1_024;

/// See the module. `Default` is a new server; the command line, the environment and the file win
/// over what is set here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Port of page and API.
    pub http_port: u16,
    /// Address of page and API.
    pub http_address: String,
    /// Port of publishers.
    pub rtmp_port: u16,
    /// Address of publishers.
    pub rtmp_address: String,
    /// Host of the chat socket when it is not this one; empty for this one.
    pub socket_host_override: String,
    /// Everybody may read `/metrics`.
    pub metrics_public: bool,
    /// Owncast runs this program to encode. Riverrun encodes by itself and only keeps the text.
    pub ffmpeg_path: String,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            http_port: 8080,
            http_address: "::".to_owned(),
            rtmp_port: 1935,
            rtmp_address: "::".to_owned(),
            socket_host_override: String::new(),
            metrics_public: false,
            ffmpeg_path: String::new(),
        }
    }
}

const PORT: Shape = Shape::Integer { min: 1, max: 65_535 };
const LINE: Shape = Shape::Line { max: LINE_MAX };

pub(super) const SETTINGS: &[Setting] = &[
    setting!("webserverport", "http_port_number", PORT, Restart, network.http_port),
    setting!(
        "webserverip",
        "http_listen_address",
        LINE,
        Restart,
        network.http_address,
        refine::ip_address
    ),
    setting!("rtmpserverport", "rtmp_port_number", PORT, Restart, network.rtmp_port),
    setting!(
        "rtmpserverbindaddress",
        "rtmp_bind_address",
        LINE,
        Restart,
        network.rtmp_address,
        refine::ip_address
    ),
    setting!(
        "sockethostoverride",
        "websocket_host_override",
        LINE,
        Now,
        network.socket_host_override,
        refine::trimmed
    ),
    setting!("metricspublic", "metrics_public", Shape::Bool, Now, network.metrics_public),
    setting!("ffmpegpath", "ffmpeg_path", LINE, Kept, network.ffmpeg_path, refine::trimmed),
];
