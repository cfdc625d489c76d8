//! The server as an actor of the fediverse. Kept from now on; obeyed once it federates.

use super::refine;
use super::setting::{Setting, setting};
use crate::shape::Shape;

/// Longest account name, characters; Mastodon's limit for names of others is far above.
const USERNAME_MAX: usize = 64;
/// Longest announcement, characters: what fits into a post of Mastodon.
const GO_LIVE_MAX: usize = 500;
/// Longest name of a domain, characters (RFC 1035).
const DOMAIN_MAX: usize = 253;
/// Most blocked domains: shared block lists have some thousands.
const DOMAINS_MAX: usize = 10_000;

/// See the module. `Default` is a new server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    /// The server federates.
    pub enabled: bool,
    /// Its account name.
    pub username: String,
    /// Followers have to be approved, and posts are for them alone.
    pub private: bool,
    /// What is posted when a broadcast begins; empty for nothing.
    pub go_live_message: String,
    /// The chat is told of follows, likes and shares.
    pub show_engagement: bool,
    /// Others may quote its posts.
    pub enable_quotes: bool,
    /// The page does not list followers.
    pub hide_followers: bool,
    /// Servers that nothing is taken from.
    pub blocked_domains: Vec<String>,
}

impl Default for Federation {
    fn default() -> Self {
        Self {
            enabled: false,
            username: "streamer".to_owned(),
            private: false,
            go_live_message: "I've gone live!".to_owned(),
            show_engagement: true,
            enable_quotes: true,
            hide_followers: false,
            blocked_domains: Vec::new(),
        }
    }
}

pub(super) const SETTINGS: &[Setting] = &[
    setting!("federation/enable", "federation_enabled", Shape::Bool, Kept, federation.enabled),
    setting!(
        "federation/username",
        "federation_username",
        Shape::Line { max: USERNAME_MAX },
        Kept,
        federation.username,
        refine::account_name
    ),
    setting!("federation/private", "federation_private", Shape::Bool, Kept, federation.private),
    setting!(
        "federation/livemessage",
        "federation_go_live_message",
        Shape::Text { max: GO_LIVE_MAX },
        Kept,
        federation.go_live_message
    ),
    setting!(
        "federation/showengagement",
        "federation_show_engagement",
        Shape::Bool,
        Kept,
        federation.show_engagement
    ),
    setting!(
        "federation/enablequotes",
        "federation_enable_quotes",
        Shape::Bool,
        Kept,
        federation.enable_quotes
    ),
    setting!(
        "federation/hidefollowers",
        "federation_hide_followers_tab",
        Shape::Bool,
        Kept,
        federation.hide_followers
    ),
    setting!(
        "federation/blockdomains",
        "federation_blocked_domains",
        Shape::List { of: &Shape::Line { max: DOMAIN_MAX }, max: DOMAINS_MAX },
        Kept,
        federation.blocked_domains,
        refine::words
    ),
];
