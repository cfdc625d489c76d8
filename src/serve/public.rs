//! What everybody may ask, beside the media.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use riverrun_net::http::{Request, Response};
use riverrun_web::admin::{PictureKind, takes_body};
use riverrun_web::api::{self, Directory, Status, platform_icon, platforms_json, variants_json};
use riverrun_web::metrics::{self, Cmcd, parse_report};
use riverrun_web::page::{self, PageKind, PageState, SECURITY_HEADERS};
use riverrun_web::route::{self, Operation};
use riverrun_web::viewers::ViewerKey;

use super::{PICTURE_CSP, conditional, forwarded_for, json, live, picture, set, simple, variants};
use crate::clock;
use crate::shard::Shard;
use crate::state::PictureFile;

/// Where players may put a report that is no query (CTA-5004).
const CMCD_FIELDS: [&str; 4] = ["cmcd-request", "cmcd-object", "cmcd-status", "cmcd-session"];
/// The API's description and the platforms: the same as long as the process runs.
static DESCRIPTION: LazyLock<Bytes> = LazyLock::new(|| route::document().into());
static PLATFORMS: LazyLock<Bytes> = LazyLock::new(|| platforms_json().into());

/// The page, or the way to the playlist for a media player.
pub(super) fn page(shard: &Shard, request: &Request, kind: PageKind) -> Response {
    let agent = request.header(header::USER_AGENT).unwrap_or_default();
    // Some of the programs that make previews call themselves players.
    let is_player = api::wants_playlist(agent) && !api::wants_preview(agent);
    if is_player && kind == PageKind::Whole {
        return Response::new(StatusCode::TEMPORARY_REDIRECT)
            .header(header::LOCATION, "/hls/stream.m3u8");
    }
    let (status, state) = (status_of(shard), shard.state());
    let origin = origin(&state.settings.instance.server_url, request);
    let config = &state.shown.config;
    let origin = origin.as_deref();
    let page = page::render(&PageState { status: &status, config, origin, kind });
    let mut response = Response::ok("text/html; charset=utf-8", Bytes::from(page.html))
        .header(header::CONTENT_SECURITY_POLICY, page.csp);
    for (name, value) in SECURITY_HEADERS {
        set(&mut response, HeaderName::from_static(name), value);
    }
    response
}

/// Where the page is for those who get a link to it: the host as asked for, the scheme as set.
fn origin(server_url: &str, request: &Request) -> Option<String> {
    let host = request.header(header::HOST)?;
    let set = server_url.parse::<Uri>().ok();
    let scheme = set.as_ref().and_then(Uri::scheme_str).unwrap_or("http");
    Some(format!("{scheme}://{host}"))
}

/// `GET /api/status`
pub(super) async fn status(shard: &Rc<Shard>, request: &Request) -> Response {
    if api::waits_while_offline(request.uri.query()) {
        live::beginning(shard).await;
    }
    json(status_of(shard).to_json())
}

fn status_of(shard: &Shard) -> Status {
    let (facts, state) = (shard.facts.borrow(), shard.state());
    let instance = &state.settings.instance;
    Status {
        server_time_ms: clock::date().millis(),
        last_connect_ms: facts.connected_at.map(|date| date.millis()),
        last_disconnect_ms: facts.disconnected_at.map(|date| date.millis()),
        version_number: env!("CARGO_PKG_VERSION").to_owned(),
        stream_title: instance.stream_title.clone(),
        viewer_count: if instance.hide_viewer_count { 0 } else { shard.counts().viewers },
        online: shard.is_playable(),
        presentation: shard.presentation(),
    }
}

/// Reads that depend on nothing but the state.
pub(super) fn read(shard: &Shard, operation: Operation, name: &str, request: &Request) -> Response {
    let state = shard.state();
    let instance = &state.settings.instance;
    match operation {
        Operation::Config => json(state.shown.config_json.clone()),
        Operation::Variants => json(variants_json(&variants::on_offer(shard))),
        Operation::Manifest => {
            let manifest = state.shown.manifest_json.clone();
            Response::ok("application/manifest+json", manifest)
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        }
        Operation::EmojiList => json(state.shown.emoji_json.clone()),
        Operation::SocialPlatforms => json(PLATFORMS.clone()),
        Operation::OpenApi => json(DESCRIPTION.clone()),
        Operation::Robots if instance.disable_search_indexing => {
            Response::ok("text/plain", Bytes::from_static(route::ROBOTS_NONE.as_bytes()))
        }
        Operation::Robots => {
            Response::ok("text/plain", Bytes::from_static(route::ROBOTS.as_bytes()))
        }
        Operation::CustomJavascript => {
            let script = Bytes::from(instance.custom_javascript.clone());
            Response::ok("text/javascript; charset=utf-8", script)
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        }
        Operation::Favicon => match &state.favicon {
            Some(icon) => stored(icon, request),
            None => picture("favicon.ico", request),
        },
        Operation::PlatformIcon => match platform_icon(name) {
            Some(icon) => Response::ok("image/svg+xml", Bytes::from(icon))
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
                .header(header::CONTENT_SECURITY_POLICY, PICTURE_CSP),
            None => Response::text(StatusCode::NOT_FOUND, "there is no such platform"),
        },
        Operation::Logo => match &state.logo {
            Some(logo) => stored(logo, request),
            None => picture("logo.svg", request),
        },
        Operation::ExternalLogo => match &state.logo {
            Some(logo) if logo.kind != PictureKind::Svg => stored(logo, request),
            _ => picture("logo.png", request),
        },
        Operation::EmojiFile => match state.emoji.get(name) {
            Some(emoji) => stored(emoji, request),
            None => Response::text(StatusCode::NOT_FOUND, "there is no such emoji"),
        },
        Operation::Directory => {
            let facts = shard.facts.borrow();
            let connected = facts.connected_at.map(|date| date.millis());
            let counts = shard.counts();
            let counts = [counts.viewers, counts.overall_peak, counts.session_peak];
            match Directory::of(&state.settings, shard.is_playable(), connected, counts) {
                Some(directory) => json(directory.to_json()),
                // API §1.4: empty.
                None => Response::new(StatusCode::NOT_FOUND),
            }
        }
        _ => Response::text(StatusCode::NOT_FOUND, "there is nothing at this address"),
    }
}

/// A picture of the operator's. An SVG may hold script, which runs nowhere (T2).
fn stored(file: &PictureFile, request: &Request) -> Response {
    let mut response = Response::ok(file.kind.media_type(), file.bytes.clone())
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, PICTURE_CSP);
    if let Ok(etag) = HeaderValue::from_str(&file.etag) {
        response.headers.insert(header::ETAG, etag);
    }
    conditional(request, response)
}

/// `POST /api/metrics/playback`
pub(super) fn playback_report(shard: &Shard, peer: SocketAddr, request: &Request) -> Response {
    if !takes_body(request.header(header::CONTENT_TYPE)) {
        return simple(StatusCode::BAD_REQUEST, "the body is not JSON by its content type");
    }
    match parse_report(&request.body) {
        Ok(report) => {
            shard.note_report(viewer(shard, peer, request), None, &report);
            Response::new(StatusCode::OK)
        }
        Err(error) => simple(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// `/api/metrics/cmcd`: a body, a query or header fields.
pub(super) fn cmcd_report(shard: &Shard, peer: SocketAddr, request: &Request) -> Response {
    let told = if request.body.is_empty() && request.method != Method::POST {
        let query = metrics::cmcd_of_query(request.uri.query());
        let fields =
            CMCD_FIELDS.iter().filter_map(|name| request.headers.get(*name)?.to_str().ok());
        metrics::parse_cmcd_text(query.as_deref().into_iter().chain(fields))
    } else if takes_body(request.header(header::CONTENT_TYPE)) {
        metrics::parse_cmcd(&request.body)
    } else {
        return simple(StatusCode::BAD_REQUEST, "the body is not JSON by its content type");
    };
    match told {
        Ok(told) => {
            let viewer = viewer(shard, peer, request);
            for Cmcd { report, session } in told {
                shard.note_report(viewer, session.as_deref(), &report);
            }
            Response::new(StatusCode::OK)
        }
        Err(error) => simple(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn viewer(shard: &Shard, peer: SocketAddr, request: &Request) -> ViewerKey {
    let services = &shard.plan.services;
    let client = services.client(peer, forwarded_for(request).as_deref());
    let agent = request.headers.get(header::USER_AGENT);
    services.viewer_keys.of(client, agent.map(HeaderValue::as_bytes).unwrap_or_default())
}
