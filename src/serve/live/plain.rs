//! The short way of what players ask for several times a second: media playlists and media, with
//! heads made once per state and per file, and without a future of their own where nothing waits.

use std::future::Future as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::Method;
use http::header::{self, HeaderValue};
use riverrun_media::hls::{
    Answer, Directives, MediaAnswer, MediaBody, RenditionId, Snapshot, WaitFor,
};
use riverrun_net::http::cors::Cors;
use riverrun_net::http::encoding::ContentCoding;
use riverrun_net::http::{Body, PlainRequest, Prepared, Response};
use riverrun_net::io::{PlainAnswer, WaitedAnswer, Waiting};
use riverrun_web::route::{Cache, Route};

use super::{
    Impatience, PLAYLIST_CODINGS, WAIT_TARGET_DURATIONS, coded_playlist, gzip, media_response,
    no_media, no_media_yet, no_playlist, no_playlist_yet, patience, playlist_cache,
    target_duration,
};
use crate::shard::Shard;
use crate::wait::Wait;

/// The answer to a read of a playlist or of media that exists or will; the full way knows the rest.
pub(in crate::serve) fn answer(
    shard: &Rc<Shard>,
    peer: SocketAddr,
    request: &PlainRequest<'_>,
) -> Option<PlainAnswer> {
    let route = Route::parse(&Method::GET, request.path());
    let (directives, coding, patience) = match route {
        Route::MediaPlaylist { .. } => {
            let directives = Directives::parse(request.query()).ok()?;
            let patience = patience(shard, &directives);
            (directives, request.choose_coding(&PLAYLIST_CODINGS), patience)
        }
        Route::MediaFile { .. } => {
            let patience = target_duration(shard) * WAIT_TARGET_DURATIONS;
            (Directives::default(), ContentCoding::Identity, patience)
        }
        _ => return None,
    };
    let said = ask(shard, &route, &directives, coding);
    // Media does not count (API §5.2); a refusal is noted by the full way.
    if matches!((&route, &said), (Route::MediaPlaylist { .. }, Said::Ready(_) | Said::Wait(_))) {
        shard.note_viewer(peer, request.forwarded_for(), request.user_agent());
    }
    match said {
        Said::Ready(prepared) => Some(PlainAnswer::Ready(prepared)),
        Said::Wait(wait) => {
            let rendition = wait.rendition;
            let wait = shard.waiters(rendition).wait((&wait).into())?;
            let (shard, path) = (Rc::clone(shard), request.path().into());
            let deadline = Instant::now() + patience;
            let waiting =
                WaitingRead { shard, path, directives, coding, rendition, wait, deadline };
            Some(PlainAnswer::Later(Box::new(waiting)))
        }
        Said::Refused(_) => None,
    }
}

/// What the window says to a playlist or media route.
enum Said {
    Ready(Prepared),
    Wait(WaitFor),
    Refused(Response),
}

fn ask(shard: &Shard, route: &Route<'_>, directives: &Directives, coding: ContentCoding) -> Said {
    match route {
        Route::MediaPlaylist { rendition } => {
            shard.note_demand(rendition);
            let answer = shard.window.borrow_mut().playlist(rendition, directives);
            match answer {
                Answer::Ready(snapshot) => Said::Ready(playlist(&snapshot, coding)),
                Answer::Wait(wait) => Said::Wait(wait),
                refusal => Said::Refused(no_playlist(&refusal)),
            }
        }
        Route::MediaFile { rendition, file } => {
            shard.note_demand(rendition);
            let answer = shard.window.borrow().media(rendition, file);
            match answer {
                MediaAnswer::Ready(body) => Said::Ready(media(rendition, file, &body)),
                MediaAnswer::Wait(wait) => Said::Wait(wait),
                MediaAnswer::NotFound => Said::Refused(no_media()),
            }
        }
        _ => Said::Refused(no_media()),
    }
}

fn playlist(snapshot: &Snapshot, coding: ContentCoding) -> Prepared {
    let is_compressed = coding == ContentCoding::Gzip;
    let body = if is_compressed { snapshot.gzip(gzip) } else { snapshot.text().clone() };
    let head = snapshot.head(is_compressed, || {
        let response = coded_playlist(coding, snapshot, playlist_cache(snapshot));
        Prepared::head_of(&readable(response))
    });
    Prepared::new(head, Body::Bytes(body))
}

fn media(rendition: &str, file: &str, body: &MediaBody) -> Prepared {
    let head = body.head(|| {
        let mut response =
            media_response(rendition, file, body).header(header::ACCEPT_RANGES, "bytes");
        let cache = HeaderValue::from_static(Cache::Immutable.header());
        response.headers.insert(header::CACHE_CONTROL, cache);
        Prepared::head_of(&readable(response))
    });
    Prepared::new(head, Body::Chain(body.chunks.clone()))
}

/// By pages of every site (CH-5).
fn readable(mut response: Response) -> Response {
    Cors::apply_any(&mut response);
    response
}

/// A blocked reload, or a request for the hinted part.
struct WaitingRead {
    shard: Rc<Shard>,
    path: Box<str>,
    directives: Directives,
    coding: ContentCoding,
    /// Whose part is waited for.
    rendition: RenditionId,
    wait: Wait,
    /// Of all waits of this request.
    deadline: Instant,
}

impl Waiting for WaitingRead {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<WaitedAnswer> {
        loop {
            if Pin::new(&mut self.wait).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.shard.load(self.rendition).answer(Instant::now());
            let route = Route::parse(&Method::GET, &self.path);
            match ask(&self.shard, &route, &self.directives, self.coding) {
                Said::Ready(prepared) => return Poll::Ready(WaitedAnswer::Prepared(prepared)),
                Said::Refused(response) => {
                    return Poll::Ready(WaitedAnswer::Whole(readable(response)));
                }
                Said::Wait(wait) => match self.shard.waiters(wait.rendition).wait((&wait).into()) {
                    Some(wait) => self.wait = wait,
                    None => {
                        let response = self.impatient(&Impatience::TooMany);
                        return Poll::Ready(WaitedAnswer::Whole(response));
                    }
                },
            }
        }
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn give_up(&self) -> Response {
        self.impatient(&Impatience::TooLong)
    }
}

impl WaitingRead {
    fn impatient(&self, impatience: &Impatience) -> Response {
        readable(match Route::parse(&Method::GET, &self.path) {
            Route::MediaPlaylist { .. } => no_playlist_yet(impatience, &self.directives),
            _ => no_media_yet(impatience),
        })
    }
}
