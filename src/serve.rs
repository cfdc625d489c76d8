//! One request to one response: route, ask this shard's own state, set the headers of the route.
//!
//! What concerns the broadcast is in `live`; here are the page, its files, the API and the health
//! addresses. Nothing leaves the shard.

mod live;
mod still;

use std::net::SocketAddr;
use std::rc::Rc;

use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use riverrun_net::http::conditional::apply_conditions;
use riverrun_net::http::cors::{Cors, add_vary};
use riverrun_net::http::range::apply_range;
use riverrun_net::http::{PlainRequest, Request, Response};
use riverrun_net::io::{Handler, PlainAnswer};
use riverrun_web::api::{self, Status, WebConfig};
use riverrun_web::assets::Asset;
use riverrun_web::page::{self, PageState, SECURITY_HEADERS};
use riverrun_web::route::{self, Allow, Cache, Route};

use crate::clock;
use crate::shard::Shard;

/// The handler of one shard.
pub struct Viewers {
    shard: Rc<Shard>,
    config: WebConfig,
}

impl Handler for Viewers {
    async fn handle(&self, _peer: SocketAddr, request: Request) -> Response {
        let route = Route::parse(&request.method, request.uri.path());
        let mut response = self.answer(&route, &request).await;
        if self.shard.is_broken() {
            response = restarting();
        }
        if !response.headers.contains_key(header::CACHE_CONTROL) {
            let cache = if response.status.is_success() { route.cache() } else { Cache::Never };
            set(&mut response, header::CACHE_CONTROL, cache.header());
        }
        // A player on another site must be able to read why it was refused (CH-5).
        if route.cors() || request.uri.path().starts_with("/hls/") {
            Cors::apply_any(&mut response);
        }
        response
    }

    fn handle_plain(&self, request: &PlainRequest<'_>) -> Option<PlainAnswer> {
        live::plain::answer(&self.shard, request)
    }
}

impl Viewers {
    /// A handler for the connections of `shard`.
    pub fn new(shard: Rc<Shard>) -> Self {
        Self { shard, config: WebConfig::default() }
    }

    async fn answer(&self, route: &Route<'_>, request: &Request) -> Response {
        match route {
            Route::Page => self.page(request),
            Route::Asset(asset) => conditional(request, file(asset, request)),
            Route::Favicon => picture("favicon.ico", request),
            Route::Logo => picture("logo.svg", request),
            Route::ExternalLogo => picture("logo.png", request),
            Route::Thumbnail => still::thumbnail(&self.shard, request),
            Route::Preview => still::preview(&self.shard, request),
            Route::Status => {
                if api::waits_while_offline(request.uri.query()) {
                    live::beginning(&self.shard).await;
                }
                json(self.status().to_json())
            }
            Route::Config => json(self.config.to_json()),
            Route::Ping => Response::new(StatusCode::OK),
            Route::MultivariantPlaylist => live::multivariant(&self.shard, request).await,
            Route::MediaPlaylist { rendition } => {
                live::playlist(&self.shard, rendition, request).await
            }
            Route::MediaFile { rendition, file } => {
                let response = live::media(&self.shard, rendition, file).await;
                apply_range(request, conditional(request, response))
            }
            Route::Health => Response::text(StatusCode::OK, "ok"),
            Route::Ready if self.shard.stop.is_stopped() => {
                Response::text(StatusCode::SERVICE_UNAVAILABLE, "stopping")
            }
            Route::Ready => Response::text(StatusCode::OK, "ready"),
            Route::Robots => {
                Response::ok("text/plain", bytes::Bytes::from_static(route::ROBOTS.as_bytes()))
            }
            Route::Options(Allow(methods)) => Cors::AnyOrigin.preflight(request, methods),
            Route::WrongMethod(Allow(methods)) => {
                let sentence =
                    format!("{} is not possible here; allowed is {methods}", request.method);
                Response::text(StatusCode::METHOD_NOT_ALLOWED, &sentence)
                    .header(header::ALLOW, methods)
            }
            Route::NotFound => {
                Response::text(StatusCode::NOT_FOUND, "there is nothing at this address")
            }
        }
    }

    fn page(&self, request: &Request) -> Response {
        if request.header(header::USER_AGENT).is_some_and(api::wants_playlist) {
            return Response::new(StatusCode::TEMPORARY_REDIRECT)
                .header(header::LOCATION, "/hls/stream.m3u8");
        }
        let status = self.status();
        let origin = request.header(header::HOST).map(|host| format!("http://{host}"));
        let state = PageState { status: &status, config: &self.config, origin: origin.as_deref() };
        let page = page::render(&state);
        let mut response = Response::ok("text/html; charset=utf-8", bytes::Bytes::from(page.html))
            .header(header::CONTENT_SECURITY_POLICY, page.csp);
        for (name, value) in SECURITY_HEADERS {
            set(&mut response, HeaderName::from_static(name), value);
        }
        response
    }

    fn status(&self) -> Status {
        let facts = self.shard.facts.borrow();
        Status {
            server_time_ms: clock::date().millis(),
            last_connect_ms: facts.connected_at.map(|date| date.millis()),
            last_disconnect_ms: facts.disconnected_at.map(|date| date.millis()),
            version_number: env!("CARGO_PKG_VERSION").to_owned(),
            stream_title: String::new(),
            viewer_count: 0,
            online: self.shard.is_playable(),
            presentation: self.shard.presentation(),
        }
    }
}

/// The connection ends with it; the next one is another shard's.
fn restarting() -> Response {
    Response::text(StatusCode::SERVICE_UNAVAILABLE, "this part of the server starts again; try now")
        .header(header::RETRY_AFTER, "0")
        .header(header::CACHE_CONTROL, "no-store")
}

/// 304 where the client has it already (RFC 9110 §13).
fn conditional(request: &Request, response: Response) -> Response {
    apply_conditions(request, response)
}

/// A picture of the page's own, by its fixed name.
fn picture(name: &str, request: &Request) -> Response {
    match riverrun_web::assets::find(name) {
        Some(asset) => conditional(request, file(asset, request)),
        None => Response::text(StatusCode::NOT_FOUND, "this server has no such picture"),
    }
}

fn file(asset: &'static Asset, request: &Request) -> Response {
    let chosen = asset.choose(request.header(header::ACCEPT_ENCODING));
    let mut response = Response::ok(asset.content_type, bytes::Bytes::from_static(chosen.bytes))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Some(coding) = chosen.encoding {
        set(&mut response, header::CONTENT_ENCODING, coding);
    }
    if asset.has_codings() {
        add_vary(&mut response, header::ACCEPT_ENCODING);
    }
    if let Ok(etag) = HeaderValue::from_str(&chosen.etag) {
        response.headers.insert(header::ETAG, etag);
    }
    response
}

fn json(body: Vec<u8>) -> Response {
    Response::ok("application/json", bytes::Bytes::from(body))
        .header(header::EXPIRES, "Thu, 1 Jan 1970 00:00:00 GMT")
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers.insert(name, HeaderValue::from_static(value));
}
