//! `/api/openapi.json`: the table of routes in the words of OpenAPI 3.1.

use serde_json::{Map, Value, json};

use super::answers;
use super::endpoint::{Access, AnswerShape, BodyShape, Endpoint, Operation, Sharing};
use super::table::endpoints;
use crate::admin::WINDOW_START_MAX;
use crate::{history, json};

/// The description of every route.
#[must_use]
pub fn document() -> Vec<u8> {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints() {
        let operations: Map<String, Value> = endpoint
            .methods
            .iter()
            .map(|method| {
                let name = method.as_str().to_ascii_lowercase();
                (name.clone(), operation(endpoint, &name))
            })
            .collect();
        paths.insert(endpoint.path.to_owned(), Value::Object(operations));
    }
    json::write(&json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Riverrun",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API of Owncast 0.2.3 as Riverrun serves it. Routes that answer 501 \
                belong to a later version.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Simple": answers::SIMPLE.schema()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "cookie", "name": "owncast_admin_session"},
                "user": {"type": "apiKey", "in": "query", "name": "accessToken"},
                "integration": {"type": "http", "scheme": "bearer"},
            },
        },
    }))
}

fn operation(endpoint: &Endpoint, method: &str) -> Value {
    let words = endpoint.path.split(['/', '{', '}', '.', '-']).filter(|word| !word.is_empty());
    let mut id = words.fold(method.to_owned(), |id, word| format!("{id}_{word}"));
    if endpoint.path.len() > 1 && endpoint.path.ends_with('/') {
        id.push_str("_folder");
    }
    let mut operation = json!({
        "operationId": id,
        "tags": [tag(endpoint)],
        "summary": endpoint.summary,
        "security": security(endpoint.access),
        "responses": responses(endpoint),
    });
    let mut parameters: Vec<Value> = endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true,
            "schema": {"type": "string"}})
        })
        .collect();
    parameters.extend(query(endpoint.operation));
    operation["parameters"] = Value::Array(parameters);
    if let Some(body) = endpoint.body.filter(|_| method == "post") {
        operation["requestBody"] = json!({
            "required": !body.optional,
            "content": {"application/json": {"schema": body_schema(&body)}},
            "description": format!("At most {} bytes.", body.bytes_max),
        });
    }
    operation
}

/// What may stand in the query.
fn query(operation: Operation) -> Vec<Value> {
    let start = |required| {
        json!({"name": "windowStart", "in": "query", "required": required,
            "schema": {"type": "integer", "minimum": 0, "maximum": WINDOW_START_MAX},
            "description": "Seconds since 1970."})
    };
    match operation {
        Operation::ViewersOverTime => vec![start(true)],
        Operation::History => vec![
            start(false),
            json!({"name": "series", "in": "query", "required": false,
                "schema": {"enum": history::NAMES}, "description": "One alone."}),
        ],
        Operation::CmcdReport => vec![json!({"name": "CMCD", "in": "query", "required": false,
            "schema": {"type": "string"}, "description": "A report, where it is no body."})],
        _ => Vec::new(),
    }
}

/// What the route belongs to, for programs that want a part of the description.
fn tag(endpoint: &Endpoint) -> &'static str {
    match endpoint.operation {
        Operation::Coming => "coming",
        Operation::Set(_) => "settings",
        _ if endpoint.sharing == Sharing::Guarded => "admin",
        _ if endpoint.path.starts_with("/hls/") => "media",
        _ if endpoint.path.starts_with("/api/") => "public",
        _ => "page",
    }
}

fn body_schema(body: &BodyShape) -> Value {
    if !body.wrapped {
        return body.shape.schema();
    }
    json!({"type": "object", "properties": {"value": body.shape.schema()},
        "required": ["value"], "additionalProperties": false})
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::User | Access::Moderator => json!([{"user": []}]),
        Access::Admin => json!([{"basic": []}, {"session": []}]),
        Access::Integration(scope) => json!([{"integration": [scope]}]),
    }
}

fn responses(endpoint: &Endpoint) -> Value {
    let simple = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Simple"}}});
    let mut responses = Map::new();
    let mut add = |status: &str, description: &str, content: Option<Value>| {
        let mut response = json!({"description": description});
        if let Some(content) = content {
            response["content"] = content;
        }
        responses.insert(status.to_owned(), response);
    };
    let body_is_refused = Some(simple.clone());
    if endpoint.operation == Operation::Coming {
        add("501", "Not in this version yet.", Some(simple));
    } else if endpoint.operation == Operation::ChatEmbed {
        add("307", "Over there.", None);
    } else {
        let content = match endpoint.answer {
            AnswerShape::Empty => None,
            AnswerShape::Simple => Some(simple.clone()),
            AnswerShape::Json(shape) => {
                Some(json!({"application/json": {"schema": shape.schema()}}))
            }
            AnswerShape::Media(media) => Some(json!({media: {}})),
        };
        add("200", "Done.", content);
        add("400", "Refused; nothing was changed.", Some(simple));
    }
    if endpoint.body.is_some() {
        add("413", "The body is too long.", body_is_refused);
    }
    if matches!(endpoint.operation, Operation::Page) {
        add("307", "A media player is sent to the playlist.", None);
    }
    let can_miss = matches!(
        endpoint.operation,
        Operation::MultivariantPlaylist
            | Operation::MediaPlaylist
            | Operation::MediaFile
            | Operation::Directory
            | Operation::EmojiFile
            | Operation::PlatformIcon
            | Operation::PublicFile
    );
    if can_miss {
        add("404", "There is nothing of this name now.", None);
    }
    let in_ranges = matches!(endpoint.operation, Operation::MediaFile | Operation::PublicFile);
    if in_ranges {
        add("206", "The range that was asked for.", None);
        add("416", "The range lies behind the end.", None);
    }
    if endpoint.sharing == Sharing::Guarded {
        add("403", "A page of another site asked.", None);
    }
    let is_login = endpoint.operation == Operation::Login;
    if endpoint.access == Access::Admin || is_login {
        add("401", "The admin's password or session is needed.", None);
        add("429", "Too many wrong passwords from this address.", None);
    }
    let can_be_busy = in_ranges || endpoint.path.starts_with("/hls/") || is_login;
    if can_be_busy || endpoint.access == Access::Admin {
        add("503", "Too many ask at once, or the disk failed; come again.", None);
    }
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_every_route_and_its_limits() {
        let document: Value = serde_json::from_slice(&document()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), endpoints().len());
        let name = &paths["/api/admin/config/name"]["post"];
        let schema = &name["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(schema["properties"]["value"]["maxLength"], 255);
        assert_eq!(name["security"][0], json!({"basic": []}));
        assert_eq!(
            paths["/api/chat"]["get"]["responses"]["501"]["description"],
            "Not in this version yet."
        );
        let disconnect = paths["/api/admin/disconnect"].as_object().unwrap();
        assert!(disconnect.contains_key("get") && disconnect.contains_key("post"));
        let favicon = paths["/api/admin/config/favicon"].as_object().unwrap();
        assert!(favicon["post"]["requestBody"].is_object());
        assert!(favicon["delete"].get("requestBody").is_none());
        assert_eq!(paths["/api/chat"]["get"]["tags"], json!(["coming"]));
        let file = &paths["/img/emoji/{file}"]["get"]["parameters"][0];
        assert_eq!((file["name"].as_str(), file["in"].as_str()), (Some("file"), Some("path")));
    }

    #[test]
    fn operation_ids_are_unique() {
        let document: Value = serde_json::from_slice(&document()).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for operations in document["paths"].as_object().unwrap().values() {
            for operation in operations.as_object().unwrap().values() {
                assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
            }
        }
    }
}
