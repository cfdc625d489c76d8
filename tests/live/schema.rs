//! As much of JSON Schema as our own description uses, written against the standard: holds answers
//! of the server against what it says about them.

use serde_json::Value;

/// What is wrong with `value`, as sentences; none when it fits.
pub(crate) fn misfits(schema: &Value, value: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, document, "", &mut found);
    found
}

fn check(schema: &Value, value: &Value, document: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let target = document.pointer(pointer.trim_start_matches('#')).expect("a $ref that leads");
        return check(target, value, document, at, found);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        if !choices.iter().any(|choice| misfits(choice, value, document).is_empty()) {
            found.push(format!("{at} fits none of anyOf: {value}"));
        }
        return;
    }
    if let Some(choices) = schema["enum"].as_array() {
        if !choices.contains(value) {
            found.push(format!("{at} is {value}, not one of {choices:?}"));
        }
        return;
    }
    let is = match schema["type"].as_str() {
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        other => panic!("{at}: type {other:?} is not understood here"),
    };
    if !is {
        found.push(format!("{at} is {value}, wanted is {}", schema["type"]));
        return;
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(&schema["items"], item, document, &format!("{at}[{index}]"), found);
    }
    let Some(object) = value.as_object() else { return };
    let properties = schema["properties"].as_object();
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        if !object.contains_key(name) {
            found.push(format!("{at}.{name} is missing"));
        }
    }
    for (name, value) in object {
        let at = format!("{at}.{name}");
        match properties.and_then(|properties| properties.get(name)) {
            Some(schema) => check(schema, value, document, &at, found),
            None if schema["additionalProperties"].is_object() => {
                check(&schema["additionalProperties"], value, document, &at, found);
            }
            None => found.push(format!("{at} is not described")),
        }
    }
}
