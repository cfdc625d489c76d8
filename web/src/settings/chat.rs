//! Who may say what in the chat. Kept from now on; obeyed once there is a chat.

use super::refine;
use super::setting::{Setting, setting};
use crate::shape::Shape;

/// Longest user name, characters.
const NAME_MAX: usize = 64;
/// Most names on a list.
const NAMES_MAX: usize = 1_000;

/// See the module. `Default` is a new server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// There is no chat.
    pub disabled: bool,
    /// The room is told who enters.
    pub join_messages: bool,
    /// Only users of some minutes' standing may write.
    pub established_users_only: bool,
    /// Senders of too many messages are silenced for a while.
    pub spam_protection: bool,
    /// Words of hate are taken out.
    pub slur_filter: bool,
    /// Only users who proved who they are may write.
    pub require_authentication: bool,
    /// Names that nobody may take.
    pub forbidden_usernames: Vec<String>,
    /// Names for those who come without one; used from ten on.
    pub suggested_usernames: Vec<String>,
}

impl Default for Chat {
    fn default() -> Self {
        let forbidden = ["owncast", "riverrun", "operator", "admin", "system"];
        Self {
            disabled: false,
            join_messages: true,
            established_users_only: false,
            spam_protection: true,
            slur_filter: false,
            require_authentication: false,
            forbidden_usernames: forbidden.map(str::to_owned).to_vec(),
            suggested_usernames: Vec::new(),
        }
    }
}

const NAMES: Shape = Shape::List { of: &Shape::Line { max: NAME_MAX }, max: NAMES_MAX };

pub(super) const SETTINGS: &[Setting] = &[
    setting!("chat/disable", "chat_disabled", Shape::Bool, Now, chat.disabled),
    setting!(
        "chat/joinmessagesenabled",
        "chat_join_messages_enabled",
        Shape::Bool,
        Kept,
        chat.join_messages
    ),
    setting!(
        "chat/establishedusermode",
        "chat_established_users_only_mode",
        Shape::Bool,
        Kept,
        chat.established_users_only
    ),
    setting!(
        "chat/spamprotectionenabled",
        "chat_spam_protection_enabled",
        Shape::Bool,
        Kept,
        chat.spam_protection
    ),
    setting!(
        "chat/slurfilterenabled",
        "chat_slur_filter_enabled",
        Shape::Bool,
        Kept,
        chat.slur_filter
    ),
    setting!(
        "chat/requireauthentication",
        "chat_require_authentication",
        Shape::Bool,
        Kept,
        chat.require_authentication
    ),
    setting!(
        "chat/forbiddenusernames",
        "blocked_usernames",
        NAMES,
        Kept,
        chat.forbidden_usernames,
        refine::words
    ),
    setting!(
        "chat/suggestedusernames",
        "suggested_usernames",
        NAMES,
        Kept,
        chat.suggested_usernames,
        refine::words
    ),
];
