//! Variables of the environment: one per option, which clap reads, and one per setting of the
//! admin, `RIVERRUN_SETTINGS_CHAT_DISABLE` for `chat/disable`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use riverrun_web::settings;

use super::ConfigError;

/// Names of options that are read. Anything else that begins like ours is a mistake.
pub(super) const ENVIRONMENT: [&str; 18] = [
    "RIVERRUN_CONFIG",
    "RIVERRUN_DATA",
    "RIVERRUN_HTTP",
    "RIVERRUN_RTMP",
    "RIVERRUN_SHARDS",
    "RIVERRUN_STREAM_KEY",
    "RIVERRUN_ADMIN_PASSWORD",
    "RIVERRUN_DEMO",
    "RIVERRUN_LOG",
    "RIVERRUN_GRACE_SECONDS",
    "RIVERRUN_REWIND_SECONDS",
    "RIVERRUN_SEGMENT_SECONDS",
    "RIVERRUN_RENDITIONS",
    "RIVERRUN_PAUSE_IDLE_RENDITIONS",
    "RIVERRUN_PAUSE_IDLE_SECONDS",
    "RIVERRUN_AUDIO_PASSTHROUGH",
    "RIVERRUN_AUDIO_BITRATE",
    "RIVERRUN_TRUSTED_PROXIES",
];
/// What stands before the name of a setting.
pub(super) const SETTINGS_PREFIX: &str = "RIVERRUN_SETTINGS_";

/// Settings of the admin by their names in the API, as written. A variable that begins like ours
/// and is none is an error.
pub(super) fn settings_of(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<&'static str, String>, ConfigError> {
    let mut found = BTreeMap::new();
    for (name, value) in variables {
        // A name that is no text does not begin like ours.
        let Ok(name) = name.into_string() else { continue };
        if !name.starts_with("RIVERRUN_")
            || ENVIRONMENT.contains(&name.as_str())
            || is_service_variable(&name)
        {
            continue;
        }
        let setting = name.strip_prefix(SETTINGS_PREFIX).and_then(settings::find_by_variable);
        let Some(setting) = setting else { return Err(ConfigError::UnknownVariable { name }) };
        let Ok(value) = value.into_string() else {
            return Err(ConfigError::VariableText { name });
        };
        found.insert(setting.path, value);
    }
    Ok(found)
}

/// Kubernetes gives every container the address of each service; ours may be called riverrun.
fn is_service_variable(name: &str) -> bool {
    name == "RIVERRUN_PORT"
        || name.starts_with("RIVERRUN_PORT_")
        || name.starts_with("RIVERRUN_SERVICE_")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<BTreeMap<&'static str, String>, ConfigError> {
        settings_of(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn settings_are_found_and_mistakes_are_named() {
        let found = read(&[
            ("PATH", "/bin"),
            ("RIVERRUN_HTTP", "[::]:80"),
            ("RIVERRUN_PORT_80_TCP", "x"),
            ("RIVERRUN_SERVICE_HOST", "x"),
            ("RIVERRUN_SETTINGS_NAME", "North"),
            ("RIVERRUN_SETTINGS_CHAT_DISABLE", "true"),
        ]);
        let found: Vec<_> = found.unwrap().into_iter().collect();
        assert_eq!(found, [("chat/disable", "true".to_owned()), ("name", "North".to_owned())]);
        for name in ["RIVERRUN_HTPP", "RIVERRUN_SETTINGS_NAEM", "RIVERRUN_SETTINGS_"] {
            let error = read(&[(name, "x")]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        let binary = OsString::from_vec(vec![0xff]);
        let error = settings_of([("RIVERRUN_SETTINGS_NAME".into(), binary)].into_iter());
        assert!(error.unwrap_err().to_string().contains("RIVERRUN_SETTINGS_NAME"));
    }
}
