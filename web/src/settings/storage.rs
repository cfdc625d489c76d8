//! Where viewers fetch the media from when it is not this server. Kept from now on; used once media
//! can be stored elsewhere.

use serde::{Deserialize, Serialize};

use super::refine;
use super::setting::{Setting, setting};
use crate::shape::{Field, Shape, may};

/// Longest name, key or address, characters.
const LINE_MAX: usize = 2_048;

/// See the module. `Default` is a new server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// An S3-compatible store.
    pub s3: S3,
    /// Address that stands before media in playlists; empty for none.
    pub video_serving_endpoint: String,
}

/// An S3-compatible store (API §4.4).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct S3 {
    /// Its address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// Who we are to it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub access_key: String,
    /// What proves it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub secret: String,
    /// The bucket.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bucket: String,
    /// Its region.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// A canned access list; empty for `public-read`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub acl: String,
    /// Stands before every object's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path_prefix: String,
    /// It is used.
    pub enabled: bool,
    /// The bucket stands in the path rather than in the host's name.
    pub force_path_style: bool,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

const LINE: Shape = Shape::Line { max: LINE_MAX };
const S3_SHAPE: Shape = Shape::Object(S3_FIELDS);
const S3_FIELDS: &[Field] = &[
    may("endpoint", LINE),
    may("accessKey", LINE),
    may("secret", LINE),
    may("bucket", LINE),
    may("region", LINE),
    may("acl", LINE),
    may("pathPrefix", LINE),
    may("enabled", Shape::Bool),
    may("forcePathStyle", Shape::Bool),
    may("servingEndpoint", LINE),
];

pub(super) const SETTINGS: &[Setting] = &[
    setting!("s3", "s3_storage_config", S3_SHAPE, Kept, storage.s3, refine::object_storage),
    setting!(
        "videoservingendpoint",
        "video_serving_endpoint",
        LINE,
        Kept,
        storage.video_serving_endpoint,
        refine::url_or_empty
    ),
];
