//! One request to one response: route, ask this shard's own state, set the headers of the route.
//!
//! What concerns the broadcast is in `live` and `still`, what everybody may ask in `public`, what
//! the admin alone may in `admin`. Reads leave the shard only for figures of all shards; changes go
//! to the writer.

mod admin;
mod live;
mod public;
mod public_file;
mod still;
mod variants;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use riverrun_net::http::conditional::apply_conditions;
use riverrun_net::http::cors::{Cors, add_vary};
use riverrun_net::http::range::apply_range;
use riverrun_net::http::{PlainRequest, Request, RequestError, Response};
use riverrun_net::io::{Handler, PlainAnswer};
use riverrun_web::api::SimpleResponse;
use riverrun_web::assets::Asset;
use riverrun_web::page::PageKind;
use riverrun_web::route::{Allow, Cache, Endpoint, Operation, Route, Sharing};

use crate::shard::Shard;

/// The handler of one shard.
pub struct Viewers {
    shard: Rc<Shard>,
}

impl Handler for Viewers {
    async fn handle(&self, peer: SocketAddr, request: Request) -> Response {
        let route = Route::parse(&request.method, request.uri.path());
        let mut response = self.answer(&route, peer, &request).await;
        if self.shard.is_broken() {
            response = restarting();
        }
        if !response.headers.contains_key(header::CACHE_CONTROL) {
            // A 304 renews what is kept, with the word of the 200 (RFC 9110 §15.4.5).
            let is_kept =
                response.status.is_success() || response.status == StatusCode::NOT_MODIFIED;
            let cache = if is_kept { route.cache() } else { Cache::Never };
            set(&mut response, header::CACHE_CONTROL, cache.header());
        }
        // A player on another site must be able to read why it was refused (CH-5).
        if route.sharing() == Sharing::Any || request.uri.path().starts_with("/hls/") {
            Cors::apply_any(&mut response);
        }
        response
    }

    fn handle_plain(&self, peer: SocketAddr, request: &PlainRequest<'_>) -> Option<PlainAnswer> {
        live::plain::answer(&self.shard, peer, request)
    }
}

impl Viewers {
    /// A handler for the connections of `shard`.
    pub const fn new(shard: Rc<Shard>) -> Self {
        Self { shard }
    }

    async fn answer(&self, route: &Route<'_>, peer: SocketAddr, request: &Request) -> Response {
        match route {
            Route::Endpoint { endpoint, name } if endpoint.sharing == Sharing::Guarded => {
                admin::answer(&self.shard, endpoint, peer, request).await
            }
            Route::Endpoint { endpoint, name } => self.open(endpoint, name, peer, request).await,
            Route::Asset(asset) => conditional(request, file(asset, request)),
            Route::MediaPlaylist { rendition } => {
                self.note_viewer(peer, request);
                live::playlist(&self.shard, rendition, request).await
            }
            Route::MediaFile { rendition, file } => {
                let response = live::media(&self.shard, rendition, file).await;
                apply_range(request, conditional(request, response))
            }
            Route::Options(Allow(methods), Sharing::Guarded) => admin::options(request, methods),
            Route::Options(Allow(methods), Sharing::Any) => {
                Cors::AnyOrigin.preflight(request, methods)
            }
            Route::Options(Allow(methods), Sharing::Own) => {
                Cors::Closed.preflight(request, methods)
            }
            Route::WrongMethod(Allow(methods)) => {
                let sentence = format!("this address takes {methods}");
                simple(StatusCode::METHOD_NOT_ALLOWED, &sentence).header(header::ALLOW, methods)
            }
            // Programs read the envelope, people the sentence.
            Route::NotFound if request.uri.path().starts_with("/api/") => {
                simple(StatusCode::NOT_FOUND, "there is nothing at this address")
            }
            Route::NotFound => {
                Response::text(StatusCode::NOT_FOUND, "there is nothing at this address")
            }
        }
    }

    /// What everybody may ask.
    async fn open(
        &self,
        endpoint: &Endpoint,
        name: &str,
        peer: SocketAddr,
        request: &Request,
    ) -> Response {
        let shard = &self.shard;
        match endpoint.operation {
            Operation::Page => public::page(shard, request, PageKind::Whole),
            Operation::VideoEmbed => public::page(shard, request, PageKind::VideoEmbed),
            Operation::ChatEmbed => Response::new(StatusCode::TEMPORARY_REDIRECT)
                .header(header::LOCATION, "/embed/chat/readonly"),
            Operation::PublicFile => public_file::answer(shard, name, request).await,
            Operation::MultivariantPlaylist => {
                self.note_viewer(peer, request);
                live::multivariant(shard, request).await
            }
            Operation::Ping => {
                self.note_viewer(peer, request);
                Response::new(StatusCode::OK)
            }
            Operation::Status => public::status(shard, request).await,
            Operation::Health => Response::text(StatusCode::OK, "ok"),
            Operation::Ready if shard.stop.is_stopped() => {
                Response::text(StatusCode::SERVICE_UNAVAILABLE, "stopping")
            }
            Operation::Ready if !shard.plan.services.statistics.is_ready() => {
                let words = "viewers are served late: no new ones are taken";
                Response::text(StatusCode::SERVICE_UNAVAILABLE, words)
            }
            Operation::Ready => Response::text(StatusCode::OK, "ready"),
            Operation::Thumbnail => still::thumbnail(shard, request),
            Operation::Preview => still::preview(shard, request),
            Operation::PlaybackReport => public::playback_report(shard, peer, request),
            Operation::CmcdReport => public::cmcd_report(shard, peer, request),
            Operation::Coming => coming(),
            _ => public::read(shard, endpoint.operation, name, request),
        }
    }

    fn note_viewer(&self, peer: SocketAddr, request: &Request) {
        let forwarded_for = forwarded_for(request);
        let agent = request.headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
        let forwarded_for = forwarded_for.as_deref().map(str::as_bytes);
        self.shard.note_viewer(peer, forwarded_for, agent.unwrap_or_default());
    }
}

/// The whole chain: what a proxy adds as a field of its own stands behind what it was sent.
fn forwarded_for(request: &Request) -> Option<String> {
    let fields = request.headers.get_all("x-forwarded-for").iter();
    let fields: Vec<_> = fields.filter_map(|field| field.to_str().ok()).collect();
    (!fields.is_empty()).then(|| fields.join(","))
}

/// Part of the API, and of a later version of this program.
fn coming() -> Response {
    simple(StatusCode::NOT_IMPLEMENTED, "this version does not have it yet")
}

/// The envelope of most answers without an object (API §1.1).
fn simple(status: StatusCode, message: &str) -> Response {
    let body = SimpleResponse { message, success: status.is_success() };
    let mut response = json(body.to_json());
    response.status = status;
    response
}

/// What a request gets that the HTTP engine turns away before anybody sees it: the envelope where a
/// client of the API may have brought it about.
pub fn refusal(error: &RequestError) -> Response {
    match error {
        // No word to pages of other sites: it may be the admin's side that was asked.
        RequestError::BodyTooLarge { .. } | RequestError::BodyTimeout { .. } => {
            simple(error.status(), &error.to_string()).header(header::CACHE_CONTROL, "no-store")
        }
        other => other.response(),
    }
}

/// When to come again.
fn retry_after(mut response: Response, time: Duration) -> Response {
    let seconds = HeaderValue::from(time.as_secs().max(1));
    response.headers.insert(header::RETRY_AFTER, seconds);
    response
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

fn json(body: impl Into<bytes::Bytes>) -> Response {
    Response::ok("application/json", body.into())
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::EXPIRES, "Thu, 1 Jan 1970 00:00:00 GMT")
}

/// Policy of a picture that may hold script, which then runs nowhere (T2).
const PICTURE_CSP: &str = "default-src 'none'; style-src 'unsafe-inline'";

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers.insert(name, HeaderValue::from_static(value));
}
