//! The admin's side of the API: who asks, from where, and what is done (API §1.2, §1.6-1.8).

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};
use riverrun_net::http::cors::add_vary;
use riverrun_net::http::{Request, Response};
use riverrun_web::admin::{
    self, AdminStatus, Admission, Broadcaster, Credentials, CurrentBroadcast, ServerConfig,
    ServerFacts, StreamDetails, codec_name, takes_body,
};
use riverrun_web::route::{Access, Endpoint, Operation};
use riverrun_web::settings::{parse_password, parse_stream_keys};
use riverrun_web::{history, prometheus};

use super::{coming, forwarded_for, json, retry_after, set, simple, variants};
use crate::config::Secret;
use crate::login::{SESSION_TIME, Verdict};
use crate::shard::Shard;
use crate::stage::StageMessage;
use crate::state::{Change, ChangeError};
use crate::statistics::{Answer, Question};
use riverrun_media::hls::RenditionMedia;

/// What a page may send along.
const ALLOWED_HEADERS: &str =
    "Origin, X-Requested-With, Content-Type, Accept, Authorization, X-Owncast-CSRF-Protection";
/// Browsers keep credentials by this name (API §1.2).
const REALM: &str = "Basic realm=\"Owncast Authenticated Request\"";
/// Methods of all of the admin's routes.
const METHODS: &str = "GET, POST, PUT, DELETE, OPTIONS";
/// When to try again what the disk did not take: it needs a person first.
const DISK_RETRY_AFTER: Duration = Duration::from_secs(10);
/// Seconds whose mean is told as the rate of the publisher.
const RATE_SECONDS: usize = 10;

/// The answer to OPTIONS: nobody has to be the admin, and no foreign page may ask.
pub(super) fn options(request: &Request, methods: &'static str) -> Response {
    match admin::check_origin(&request.method, &request.headers) {
        Ok(admission) => {
            let response = Response::new(StatusCode::NO_CONTENT).header(header::ALLOW, methods);
            dressed(response, &admission)
        }
        Err(_) => forbidden(),
    }
}

/// A request to a route of the admin's side.
pub(super) async fn answer(
    shard: &Rc<Shard>,
    endpoint: &Endpoint,
    peer: SocketAddr,
    request: &Request,
) -> Response {
    let Ok(admission) = admin::check_origin(&request.method, &request.headers) else {
        return forbidden();
    };
    let state = shard.state();
    let operation = endpoint.operation;
    let is_scraped = matches!(operation, Operation::Metrics | Operation::Prometheus);
    let is_open = operation == Operation::Metrics && state.settings.network.metrics_public;
    let mut response = if is_open {
        carry_out(shard, endpoint.operation, request).await
    } else if endpoint.access == Access::Admin {
        let shown = admin::credentials(&request.headers);
        match admit(shard, peer, request, shown).await {
            Ok(token) => {
                let mut response = carry_out(shard, endpoint.operation, request).await;
                if let Some(token) = token {
                    if is_scraped {
                        // Asked for day and night, and never with the cookie.
                        let session = Credentials::Session(token);
                        shard.plan.services.door.forget(&session, state.password_hash.as_ref());
                    } else {
                        add_cookie(&mut response, &token, SESSION_TIME, &admission);
                    }
                }
                response
            }
            Err(refusal) => refusal,
        }
    } else {
        begin_or_end(shard, endpoint.operation, peer, request, &admission).await
    };
    set(&mut response, header::CACHE_CONTROL, "no-cache, no-store, must-revalidate");
    dressed(response, &admission)
}

/// Whether it is the admin; a new session's token where it had none.
async fn admit(
    shard: &Shard,
    peer: SocketAddr,
    request: &Request,
    shown: Credentials,
) -> Result<Option<String>, Response> {
    let services = &shard.plan.services;
    let client = services.client(peer, forwarded_for(request).as_deref());
    // Not this shard's, which may be an instant older: a new password counts at once.
    let state = services.board.state();
    let now = Instant::now();
    match services.door.admit(now, client, shown, state.password_hash.as_ref()).await {
        Verdict::Welcome(token) => Ok(token),
        Verdict::Wrong => Err(Response::text(StatusCode::UNAUTHORIZED, "Unauthorized")
            .header(header::WWW_AUTHENTICATE, REALM)),
        Verdict::LockedOut(left) => {
            if shard.complaints.allows(now) {
                tracing::warn!(%client, "too many wrong admin passwords: locked out for a while");
            }
            let sentence = "too many wrong passwords from your address; try again later";
            let response = Response::text(StatusCode::TOO_MANY_REQUESTS, sentence);
            Err(retry_after(response, left))
        }
        Verdict::Busy => {
            let sentence = "too many log in at once; try again in a second";
            let response = Response::text(StatusCode::SERVICE_UNAVAILABLE, sentence);
            Err(retry_after(response, Duration::from_secs(1)))
        }
    }
}

/// Login and logout.
async fn begin_or_end(
    shard: &Shard,
    operation: Operation,
    peer: SocketAddr,
    request: &Request,
    admission: &Admission,
) -> Response {
    if operation == Operation::Logout {
        let shown = admin::credentials(&request.headers);
        let state = shard.state();
        shard.plan.services.door.forget(&shown, state.password_hash.as_ref());
        let mut response = simple(StatusCode::OK, "logged out");
        add_cookie(&mut response, "", Duration::ZERO, admission);
        return response;
    }
    let login = match admin::parse_login(&request.body) {
        Ok(login) => login,
        Err(error) => return simple(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let shown = Credentials::Basic { user: login.username, password: login.password };
    match admit(shard, peer, request, shown).await {
        Ok(token) => {
            let mut response = simple(StatusCode::OK, "logged in");
            if let Some(token) = token {
                add_cookie(&mut response, &token, SESSION_TIME, admission);
            }
            response
        }
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            // Without the field that makes browsers ask by themselves.
            simple(StatusCode::UNAUTHORIZED, "name or password is wrong")
        }
        Err(refusal) => refusal,
    }
}

/// What the admin asks for.
async fn carry_out(shard: &Shard, operation: Operation, request: &Request) -> Response {
    if request.method == Method::POST && !takes_body(request.header(header::CONTENT_TYPE)) {
        return simple(StatusCode::BAD_REQUEST, "the body is not JSON by its content type");
    }
    let body = &request.body;
    let services = &shard.plan.services;
    match operation {
        Operation::AdminStatus => json(status(shard).await.to_json()),
        Operation::ServerConfig => {
            // Whoever has just changed something reads it back, whatever shard is asked.
            let state = services.board.state();
            let facts = ServerFacts {
                stream_keys: &state.stream_keys,
                stream_key_overridden: state.stream_key_override.is_some(),
                logo: &state.logo_name(),
            };
            json(ServerConfig::of(&state.settings, &facts).to_json())
        }
        Operation::Logs => json(admin::to_json(&services.log.lines())),
        Operation::Warnings => json(admin::to_json(&services.log.warnings())),
        Operation::Viewers => figures(shard, Question::Viewers).await,
        Operation::HardwareStats => figures(shard, Question::Hardware).await,
        Operation::VideoMetrics => figures(shard, Question::Playback).await,
        Operation::PlaybackClients => figures(shard, Question::PlaybackClients).await,
        Operation::HealthReport => figures(shard, Question::Health).await,
        Operation::Metrics | Operation::Prometheus => exposition(shard).await,
        Operation::History => match history::parse_query(request.uri.query()) {
            Some((since, wanted)) => figures(shard, Question::History(since, wanted)).await,
            None => simple(
                StatusCode::BAD_REQUEST,
                "windowStart is in seconds since 1970, series is one of the names in the API",
            ),
        },
        Operation::ViewersOverTime => match admin::window_start(request.uri.query()) {
            Some(since) => figures(shard, Question::ViewersOverTime(since)).await,
            None => simple(StatusCode::BAD_REQUEST, "windowStart is wanted: seconds since 1970"),
        },
        Operation::Disconnect => disconnect(shard).await,
        // Nothing is kept of the directory before it is spoken to.
        Operation::ResetDirectory => simple(StatusCode::OK, "reset"),
        Operation::Set(setting) => change(shard, Change::Setting(setting, body.clone())).await,
        Operation::SetStreamKeys => match parse_stream_keys(body) {
            Ok(keys) => change(shard, Change::StreamKeys(keys)).await,
            Err(error) => refused(&error),
        },
        Operation::SetPassword => match parse_password(body) {
            Ok(password) => set_password(shard, Secret::new(password)).await,
            Err(error) => refused(&error),
        },
        Operation::SetLogo => match admin::parse_logo(body) {
            Ok(picture) => change(shard, Change::Logo(picture)).await,
            Err(error) => refused(&error),
        },
        Operation::SetFavicon if request.method == Method::DELETE => {
            change(shard, Change::Favicon(None)).await
        }
        Operation::SetFavicon => match admin::parse_favicon(body) {
            Ok(picture) => change(shard, Change::Favicon(Some(picture))).await,
            Err(error) => refused(&error),
        },
        Operation::EmojiUpload => match admin::parse_emoji(body) {
            Ok(emoji) => change(shard, Change::Emoji(emoji)).await,
            Err(error) => refused(&error),
        },
        Operation::EmojiDelete => match admin::parse_emoji_name(body) {
            Ok(file) => change(shard, Change::RemoveEmoji(file)).await,
            Err(error) => refused(&error),
        },
        _ => coming(),
    }
}

/// API §1.1: 400 for what the client got wrong.
fn refused(error: &dyn std::error::Error) -> Response {
    simple(StatusCode::BAD_REQUEST, &error.to_string())
}

async fn change(shard: &Shard, change: Change) -> Response {
    match shard.plan.services.writer.change(change).await {
        Ok(sentence) => simple(StatusCode::OK, sentence),
        Err(error @ ChangeError::Busy) => {
            let response = simple(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
            retry_after(response, Duration::from_secs(1))
        }
        Err(error) if error.is_ours() => {
            let sentence = "nothing was changed: the data folder could not be written; see the log";
            retry_after(simple(StatusCode::SERVICE_UNAVAILABLE, sentence), DISK_RETRY_AFTER)
        }
        Err(error) => refused(&error),
    }
}

async fn set_password(shard: &Shard, password: Secret) -> Response {
    if let Some(by) = shard.state().password_lock {
        return refused(&ChangeError::Locked(by));
    }
    match shard.plan.services.door.hash(password).await {
        Some(hash) => change(shard, Change::PasswordHash(hash)).await,
        None => refused_busy(),
    }
}

async fn figures(shard: &Shard, question: Question) -> Response {
    match shard.plan.services.statistics.ask(question).await {
        Some(Answer::Body(body)) => json(body),
        Some(Answer::Overview(_)) | None => refused_busy(),
    }
}

async fn exposition(shard: &Shard) -> Response {
    match shard.plan.services.statistics.ask(Question::Metrics).await {
        Some(Answer::Body(text)) => {
            Response::ok(prometheus::CONTENT_TYPE, bytes::Bytes::from(text))
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        }
        Some(Answer::Overview(_)) | None => refused_busy(),
    }
}

fn refused_busy() -> Response {
    let response = simple(StatusCode::SERVICE_UNAVAILABLE, "too much is asked at once; try again");
    retry_after(response, Duration::from_secs(1))
}

/// API §1.6: 400 when nothing is on.
async fn disconnect(shard: &Shard) -> Response {
    let (sender, ended) = async_channel::bounded(1);
    let asked = shard.plan.stage.send(StageMessage::Disconnect(sender)).await;
    if asked.is_ok() && ended.recv().await.unwrap_or(false) {
        simple(StatusCode::OK, "the broadcast ends")
    } else {
        simple(StatusCode::BAD_REQUEST, "no publisher is on air")
    }
}

async fn status(shard: &Shard) -> AdminStatus {
    let (state, counts) = (shard.state(), shard.counts());
    let overview = match shard.plan.services.statistics.ask(Question::Overview).await {
        Some(Answer::Overview(overview)) => overview.filter(|_| shard.is_playable()),
        Some(Answer::Body(_)) | None => None,
    };
    let facts = shard.facts.borrow();
    let broadcaster = facts.connected_at.map(|since| Broadcaster {
        since_ms: since.millis(),
        remote_addr: facts.publisher.map_or_else(|| "demo".to_owned(), |peer| peer.to_string()),
        stream_details: stream_details(shard),
    });
    let level = state.settings.video.level();
    let current = broadcaster.as_ref().map(|_| {
        let on_offer: Vec<_> =
            variants::on_offer(shard).into_iter().map(|(_, variant)| variant).collect();
        CurrentBroadcast::new(&on_offer, level)
    });
    AdminStatus {
        current_broadcast: current,
        broadcaster,
        health: overview,
        stream_title: state.settings.instance.stream_title.clone(),
        version_number: env!("CARGO_PKG_VERSION").to_owned(),
        viewer_count: counts.viewers,
        overall_peak_viewer_count: counts.overall_peak,
        session_peak_viewer_count: counts.session_peak,
        online: shard.is_playable(),
    }
}

/// What the first rendition of each kind is, which is the publisher's own wherever it is passed
/// through, and how much of it arrives.
fn stream_details(shard: &Shard) -> StreamDetails {
    let report = shard.plan.health.report();
    let figures = report.health.recent(RATE_SECONDS);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // kbit/s.
    let kbit = |bits: u64| (figures.per_second(bits) / 1_000.0).round() as u32;
    let mut details = StreamDetails {
        video_codec: "Unknown".to_owned(),
        audio_codec: "No audio".to_owned(),
        video_bitrate: kbit(figures.ingest.video_bits),
        audio_bitrate: kbit(figures.ingest.audio_bits),
        ..StreamDetails::default()
    };
    let Some(timeline) = shard.timeline() else { return details };
    for rendition in timeline.renditions.iter().rev() {
        let codec = codec_name(&rendition.codec).to_owned();
        match rendition.media {
            RenditionMedia::Video { width, height, frame_rate_millis, .. } => {
                details.video_codec = codec;
                (details.width, details.height) = (width, height);
                details.framerate = frame_rate_millis.map_or(0.0, |rate| f64::from(rate) / 1e3);
            }
            RenditionMedia::Audio { .. } => details.audio_codec = codec,
        }
    }
    details
}

fn forbidden() -> Response {
    Response::text(StatusCode::FORBIDDEN, "Forbidden").header(header::VARY, "Origin")
}

/// The fields of every answer on this side.
fn dressed(mut response: Response, admission: &Admission) -> Response {
    set(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    set(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    if let Some(origin) = admission.allow_origin {
        set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(&mut response, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    add_vary(&mut response, header::ORIGIN);
    response
}

fn add_cookie(response: &mut Response, token: &str, time: Duration, admission: &Admission) {
    let cookie = admin::session_cookie(token, time.as_secs(), admission.is_secure);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers.insert(header::SET_COOKIE, cookie);
    }
}
