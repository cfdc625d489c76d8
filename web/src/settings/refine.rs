//! Rules that a shape cannot say: addresses, names, blanks at the ends.
//!
//! Each takes a value that fits its shape and gives the value that is kept, or the end of a
//! sentence that begins with "value".

use std::net::IpAddr;

use http::Uri;
use serde_json::Value;

/// Without blanks at either end.
pub(super) fn trimmed(value: Value) -> Result<Value, String> {
    Ok(map_text(value, |text| text.trim().to_owned()))
}

/// A list of words without blanks, empty ones and repetitions.
pub(super) fn words(value: Value) -> Result<Value, String> {
    list_of(value, str::trim)
}

/// Words without the sign that some put before them (API §1.8, `tags`).
pub(super) fn tags(value: Value) -> Result<Value, String> {
    list_of(value, |tag| tag.trim().trim_start_matches('#').trim())
}

fn list_of(value: Value, clean: fn(&str) -> &str) -> Result<Value, String> {
    let Value::Array(items) = value else { return Ok(value) };
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        let word = Value::String(clean(item.as_str().unwrap_or_default()).to_owned());
        if word != "" && !kept.contains(&word) {
            kept.push(word);
        }
    }
    Ok(Value::Array(kept))
}

/// The server's own address: empty, or one that others can reach (API §1.8, `serverurl`).
pub(super) fn public_url(value: Value) -> Result<Value, String> {
    let text = text_of(&value).trim().trim_end_matches('/').to_owned();
    if text.is_empty() {
        return Ok(Value::String(text));
    }
    let uri = web_address(&text)?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    if host.parse::<IpAddr>().is_ok_and(is_private) {
        return Err(format!("is {text:?}, a private address that nobody else can reach"));
    }
    Ok(Value::String(text))
}

/// Empty, or an http or https address.
pub(super) fn url_or_empty(value: Value) -> Result<Value, String> {
    let text = text_of(&value).trim().trim_end_matches('/').to_owned();
    if !text.is_empty() {
        web_address(&text)?;
    }
    Ok(Value::String(text))
}

/// Empty, or an IP address.
pub(super) fn ip_address(value: Value) -> Result<Value, String> {
    let text = text_of(&value).trim();
    text.parse::<IpAddr>().map_err(|_| format!("is {text:?}; an IP address is wanted"))?;
    Ok(Value::String(text.to_owned()))
}

/// A user name of the fediverse: letters, digits and `_`.
pub(super) fn account_name(value: Value) -> Result<Value, String> {
    let name = text_of(&value).trim().trim_start_matches('@').to_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(format!("is {name:?}; letters, digits and _ are wanted"));
    }
    Ok(Value::String(name))
}

/// Object storage has to be complete once it is switched on (API §1.8, `s3`).
pub(super) fn object_storage(mut value: Value) -> Result<Value, String> {
    if let Some(object) = value.as_object_mut() {
        // Owncast before 0.1.1; accepted and ignored (API §4.4).
        object.remove("servingEndpoint");
    }
    if value["enabled"] == true {
        web_address(text_of(&value["endpoint"])).map_err(|wrong| format!(".endpoint {wrong}"))?;
        for name in ["accessKey", "secret", "region", "bucket"] {
            if text_of(&value[name]).trim().is_empty() {
                return Err(format!(".{name} is empty; object storage needs it"));
            }
        }
    }
    Ok(value)
}

/// The webhook of a chat room, when it is switched on.
pub(super) fn discord(value: Value) -> Result<Value, String> {
    let webhook = text_of(&value["webhook"]);
    if !webhook.is_empty() {
        let uri = web_address(webhook).map_err(|wrong| format!(".webhook {wrong}"))?;
        if uri.scheme_str() != Some("https") {
            return Err(".webhook has to begin with https://".to_owned());
        }
    } else if value["enabled"] == true {
        return Err(".webhook is empty; it is needed once this is switched on".to_owned());
    }
    Ok(value)
}

fn web_address(text: &str) -> Result<Uri, String> {
    let wrong = || {
        let shown: String = text.chars().take(80).collect();
        format!("is {shown:?}; an address like https://example.org is wanted")
    };
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    // A name before the host would be sent along, and seen, wherever the address is shown.
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if is_web && has_host && plain { Ok(uri) } else { Err(wrong()) }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn map_text(value: Value, change: impl FnOnce(String) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Rule = fn(Value) -> Result<Value, String>;

    #[test]
    fn spellings_that_mean_the_same_become_one() {
        for (rule, value, want) in [
            (trimmed as Rule, json!(" a b\n"), json!("a b")),
            (tags, json!(["#art", " music ", "#", "", "art"]), json!(["art", "music"])),
            (public_url, json!(" https://live.example.org/ "), json!("https://live.example.org")),
            (public_url, json!(""), json!("")),
            (ip_address, json!("::"), json!("::")),
            (account_name, json!("@streamer"), json!("streamer")),
            (object_storage, json!({"servingEndpoint": "x"}), json!({})),
        ] {
            assert_eq!(rule(value.clone()), Ok(want), "{value}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (rule, value) in [
            (public_url as Rule, json!("live.example.org")),
            (public_url, json!("ftp://live.example.org")),
            (public_url, json!("https://")),
            (public_url, json!("https://user:pass@live.example.org")),
            (public_url, json!("http://192.168.1.2:8080")),
            (public_url, json!("http://[::1]")),
            (public_url, json!("http://[::ffff:10.0.0.1]")),
            (public_url, json!("https://a b")),
            (ip_address, json!("localhost")),
            (account_name, json!("a b")),
            (account_name, json!("")),
            (object_storage, json!({"enabled": true, "endpoint": "https://s3.example"})),
            (discord, json!({"enabled": true, "webhook": ""})),
            (discord, json!({"enabled": false, "webhook": "http://example.org"})),
        ] {
            assert!(rule(value.clone()).is_err(), "{value}");
        }
    }
}
