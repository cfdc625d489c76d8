//! Playlists, parts and segments from this shard's window; requests that wait for a part.
//!
//! Plain reads come through [`plain`] and get bytes that were prepared once per state; the rest,
//! and every refusal, is made here.

pub(super) mod plain;

use std::future::Future;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_lite::future;
use glommio::timer::Timer;
use http::header::{self, HeaderValue};
use http::{HeaderName, StatusCode};
use riverrun_media::hls::{Answer, Directives, MediaAnswer, MediaBody, Snapshot, WaitFor};
use riverrun_net::http::conditional::apply_conditions;
use riverrun_net::http::cors::add_vary;
use riverrun_net::http::encoding::{ContentCoding, choose_coding};
use riverrun_net::http::{Body, Request, Response};

use crate::shard::Shard;
use crate::wait::Place;

/// Media type of playlists (PL-1).
const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
/// Forms of a playlist beside the text itself.
const PLAYLIST_CODINGS: [ContentCoding; 1] = [ContentCoding::Gzip];
/// Cache-Control of an answer that was waited for. It stays true for long (CH-4), so a proxy may
/// hand it to the crowd that asks for the same part at the same moment. A browser asks anew: at the
/// end of a segment video.js 8.24 asks for the same part again until the next is listed, and would
/// get the old answer out of the browser's cache for as long as that keeps it.
const BLOCKING_CACHE: &str = "max-age=0, s-maxage=1";
/// A wait ends with 503 after this many target durations (LL 2.3).
const WAIT_TARGET_DURATIONS: u32 = 3;

/// A page that waits for a broadcast asks again after this long: often enough for it to notice that
/// the server is gone, and below the patience of common proxies (nginx: 60 s).
const OFFLINE_PATIENCE: Duration = Duration::from_secs(20);

/// The multivariant playlist; waits at most a target duration for a broadcast that is beginning.
pub(super) async fn multivariant(shard: &Rc<Shard>, request: &Request) -> Response {
    if !shard.takes_viewers() {
        if shard.complaints.allows(Instant::now()) {
            tracing::warn!("parts go out late: new viewers are asked to come again in a second");
        }
        return come_again("this server is at its limit; try again");
    }
    let directives = match Directives::parse(request.uri.query().unwrap_or("")) {
        Ok(directives) => directives,
        Err(wrong) => return error(StatusCode::BAD_REQUEST, &wrong.to_string()),
    };
    let target = target_duration(shard);
    let cache = format!("max-age={}", target.as_secs());
    let ask = || shard.window.borrow_mut().multivariant(&directives);
    let answer = until_ready(shard, target, ask).await;
    match answer {
        Ok(Answer::Ready(snapshot)) => {
            apply_conditions(request, playlist_response(request, &snapshot, &cache))
        }
        Ok(Answer::BadRequest(wrong)) => error(StatusCode::BAD_REQUEST, &wrong.to_string()),
        Ok(Answer::NotFound | Answer::Wait(_)) | Err(Impatience::TooLong) => {
            not_there("no broadcast is on")
        }
        Err(Impatience::TooMany) => too_many(),
    }
}

/// A media playlist; waits as the directives ask.
pub(super) async fn playlist(shard: &Rc<Shard>, rendition: &str, request: &Request) -> Response {
    let directives = match Directives::parse(request.uri.query().unwrap_or("")) {
        Ok(directives) => directives,
        Err(wrong) => return error(StatusCode::BAD_REQUEST, &wrong.to_string()),
    };
    shard.note_demand(rendition);
    let ask = || shard.window.borrow_mut().playlist(rendition, &directives);
    match until_ready(shard, patience(shard, &directives), ask).await {
        Ok(Answer::Ready(snapshot)) => {
            let cache = playlist_cache(&snapshot);
            apply_conditions(request, playlist_response(request, &snapshot, cache))
        }
        Ok(answer) => no_playlist(&answer),
        Err(impatience) => no_playlist_yet(&impatience, &directives),
    }
}

/// How long a request for a playlist may wait: for parts as the standard says, for the first of
/// them at most a target duration.
fn patience(shard: &Shard, directives: &Directives) -> Duration {
    let target = target_duration(shard);
    if directives.msn.is_some() { target * WAIT_TARGET_DURATIONS } else { target }
}

/// CH-4: what was waited for stays true; the newest state does not.
const fn playlist_cache(snapshot: &Snapshot) -> &'static str {
    if snapshot.is_blocking() { BLOCKING_CACHE } else { "max-age=1" }
}

fn no_playlist(answer: &Answer) -> Response {
    match answer {
        Answer::BadRequest(wrong) => error(StatusCode::BAD_REQUEST, &wrong.to_string()),
        Answer::NotFound | Answer::Wait(_) | Answer::Ready(_) => {
            not_there("there is no such playlist now")
        }
    }
}

fn no_playlist_yet(impatience: &Impatience, directives: &Directives) -> Response {
    match impatience {
        Impatience::TooMany => too_many(),
        Impatience::TooLong if directives.msn.is_none() => not_there("nothing was published yet"),
        Impatience::TooLong => {
            error(StatusCode::SERVICE_UNAVAILABLE, "the publisher delivers nothing at the moment")
        }
    }
}

/// An init section, a segment, a part; the hinted part is waited for (LL-11).
pub(super) async fn media(shard: &Rc<Shard>, rendition: &str, name: &str) -> Response {
    shard.note_demand(rendition);
    let patience = target_duration(shard) * WAIT_TARGET_DURATIONS;
    match until_ready(shard, patience, || shard.window.borrow().media(rendition, name)).await {
        Ok(MediaAnswer::Ready(body)) => media_response(rendition, name, &body),
        Ok(MediaAnswer::NotFound | MediaAnswer::Wait(_)) => no_media(),
        Err(impatience) => no_media_yet(&impatience),
    }
}

fn media_response(rendition: &str, name: &str, body: &MediaBody) -> Response {
    let mut response = Response::ok(body.content_type, Body::Chain(body.chunks.clone()))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // The name never means other bytes (PL-6), so it is its own validator.
    set_text(&mut response, header::ETAG, &format!("\"{rendition}-{name}\""));
    response
}

fn no_media() -> Response {
    not_there("there is no such file, or it has left the window")
}

fn no_media_yet(impatience: &Impatience) -> Response {
    match impatience {
        Impatience::TooMany => too_many(),
        Impatience::TooLong => error(StatusCode::NOT_FOUND, "the announced part did not come"),
    }
}

/// What the window says: something, or what to wait for.
trait Said {
    fn wait(&self) -> Option<&WaitFor>;
}

impl Said for Answer {
    fn wait(&self) -> Option<&WaitFor> {
        if let Self::Wait(wait) = self { Some(wait) } else { None }
    }
}

impl Said for MediaAnswer {
    fn wait(&self) -> Option<&WaitFor> {
        if let Self::Wait(wait) = self { Some(wait) } else { None }
    }
}

/// Why a wait ended without an answer.
enum Impatience {
    /// The time is up.
    TooLong,
    /// More wait than this shard allows.
    TooMany,
}

/// Asks until the answer is not "wait". The deadline is absolute over all waits of one request.
async fn until_ready<A: Said>(
    shard: &Rc<Shard>,
    patience: Duration,
    ask: impl Fn() -> A,
) -> Result<A, Impatience> {
    let mut deadline = None;
    loop {
        let answer = ask();
        let Some(wait) = answer.wait() else { return Ok(answer) };
        let released = shard.waiters(wait.rendition).wait(wait.into());
        let released = released.ok_or(Impatience::TooMany)?;
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
        if !in_time(released, deadline).await {
            return Err(Impatience::TooLong);
        }
        shard.load(wait.rendition).answer(Instant::now());
    }
}

async fn in_time(released: impl Future<Output = ()>, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    future::or(
        async {
            released.await;
            true
        },
        async {
            Timer::new(left).await;
            false
        },
    )
    .await
}

/// Waits while nothing is on, for at most [`OFFLINE_PATIENCE`].
pub(super) async fn beginning(shard: &Rc<Shard>) {
    if shard.is_playable() || shard.stop.is_stopped() {
        return;
    }
    if let Some(beginning) = shard.beginning() {
        let _ = in_time(beginning, Instant::now() + OFFLINE_PATIENCE).await;
    }
}

fn target_duration(shard: &Shard) -> Duration {
    let seconds = shard.window.borrow().target_duration().unwrap_or(1);
    Duration::from_secs(seconds.into())
}

impl From<&WaitFor> for Place {
    fn from(wait: &WaitFor) -> Self {
        Self { msn: wait.msn, part: wait.part.unwrap_or(u32::MAX) }
    }
}

fn playlist_response(request: &Request, snapshot: &Snapshot, cache: &str) -> Response {
    coded_playlist(choose_coding(&request.headers, &PLAYLIST_CODINGS), snapshot, cache)
}

/// In this form, chosen by the client out of [`PLAYLIST_CODINGS`].
fn coded_playlist(coding: ContentCoding, snapshot: &Snapshot, cache: &str) -> Response {
    let (body, suffix) = match coding {
        ContentCoding::Gzip => (snapshot.gzip(gzip), "-gz"),
        _ => (snapshot.text().clone(), ""),
    };
    let mut response =
        Response::ok(PLAYLIST_TYPE, body).header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Some(value) = coding.field_value() {
        response.headers.insert(header::CONTENT_ENCODING, value);
    }
    // CH-3: the two forms are told apart.
    add_vary(&mut response, header::ACCEPT_ENCODING);
    set_text(&mut response, header::ETAG, &format!("\"{:016x}{suffix}\"", snapshot.etag()));
    set_text(&mut response, header::CACHE_CONTROL, cache);
    response
}

/// Fast rather than small: a playlist is a few kB and made three times a second.
fn gzip(text: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    Bytes::from(written.expect("a Vec takes every write"))
}

fn not_there(sentence: &str) -> Response {
    error(StatusCode::NOT_FOUND, sentence)
}

/// CH-4 lets errors be kept for up to four target durations, but a part that did not come while the
/// publisher was away comes under this very name when it is back (F1): a second is enough to make a
/// popular wrong address cheap.
fn error(status: StatusCode, sentence: &str) -> Response {
    Response::text(status, sentence).header(header::CACHE_CONTROL, "max-age=1")
}

fn too_many() -> Response {
    let limit = crate::wait::WAITERS_MAX;
    let sentence = format!("{limit} requests wait on this core already; try again");
    come_again(&sentence)
}

fn come_again(sentence: &str) -> Response {
    Response::text(StatusCode::SERVICE_UNAVAILABLE, sentence)
        .header(header::RETRY_AFTER, "1")
        .header(header::CACHE_CONTROL, "no-store")
}

fn set_text(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers.insert(name, value);
    }
}
