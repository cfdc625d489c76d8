//! `POST /api/admin/login`: the body that begins a session. Not in Owncast, whose admin types into
//! the browser's own box.

use serde::Deserialize;

use crate::json;
use crate::settings::SettingError;
use crate::shape::{Shape, may, must};

/// What the login takes.
pub const LOGIN_SHAPE: Shape = Shape::Object(&[
    may("username", Shape::Line { max: 64 }),
    must("password", Shape::Text { max: 1_024 }),
]);

/// Name and password.
#[derive(Deserialize)]
pub struct Login {
    /// The only name is `admin`, and it may be left out.
    #[serde(default = "admin")]
    pub username: String,
    /// As typed.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

fn admin() -> String {
    "admin".to_owned()
}

/// Reads the body.
pub fn parse_login(body: &[u8]) -> Result<Login, SettingError> {
    let value = LOGIN_SHAPE.check(json::parse(body)?)?;
    serde_json::from_value(value).map_err(|error| SettingError::Rule(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let login = parse_login(br#"{"password":"pw"}"#).unwrap();
        assert_eq!((login.username.as_str(), login.password.as_str()), ("admin", "pw"));
        for body in [&b"{}"[..], b"", br#"{"password":1}"#, br#"{"password":"p","x":1}"#] {
            assert!(parse_login(body).is_err());
        }
    }
}
