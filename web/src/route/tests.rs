use super::*;

fn get(path: &str) -> Route<'_> {
    Route::parse(&Method::GET, path)
}

fn operation(path: &str) -> Option<Operation> {
    match get(path) {
        Route::Endpoint { endpoint, .. } => Some(endpoint.operation),
        _ => None,
    }
}

#[test]
fn paths_that_are_asked_for_most() {
    for (path, want) in [
        ("/", Operation::Page),
        ("/index.html", Operation::Page),
        ("/api/status", Operation::Status),
        ("/api/config", Operation::Config),
        ("/api/ping", Operation::Ping),
        ("/hls/stream.m3u8", Operation::MultivariantPlaylist),
        ("/healthz", Operation::Health),
        ("/readyz", Operation::Ready),
        ("/robots.txt", Operation::Robots),
        ("/favicon.ico", Operation::Favicon),
        ("/logo", Operation::Logo),
        ("/logo/external", Operation::ExternalLogo),
        ("/thumbnail.jpg", Operation::Thumbnail),
        ("/preview.gif", Operation::Preview),
        ("/api/followers", Operation::Coming),
        ("/embed/video", Operation::VideoEmbed),
        ("/embed/chat", Operation::ChatEmbed),
        ("/embed/chat/", Operation::ChatEmbed),
        ("/manifest.json", Operation::Manifest),
        ("/img/platformlogos/ko-fi.svg", Operation::PlatformIcon),
        ("/public/", Operation::PublicFile),
        ("/public/a/b c%20d.png", Operation::PublicFile),
    ] {
        assert_eq!(operation(path), Some(want), "{path}");
    }
    for (path, want) in [("/hls/0/stream.m3u8", "0"), ("/hls/audio/stream.m3u8", "audio")] {
        assert!(
            matches!(get(path), Route::MediaPlaylist { rendition } if rendition == want),
            "{path}"
        );
    }
    for (path, want) in [
        ("/hls/0/init-0.mp4", ("0", "init-0.mp4")),
        ("/hls/0/12.m4s", ("0", "12.m4s")),
        ("/hls/audio/12.0.m4s", ("audio", "12.0.m4s")),
    ] {
        assert!(
            matches!(get(path), Route::MediaFile { rendition, file } if (rendition, file) == want),
            "{path}"
        );
    }
}

#[test]
fn assets_of_the_page_are_found() {
    for asset in assets::FILES {
        let path = format!("/{}", asset.name);
        let is_asset = matches!(get(&path), Route::Asset(found) if found == asset);
        assert!(is_asset || operation(&path) == Some(Operation::Favicon), "{path}");
    }
}

#[test]
fn hostile_paths_are_not_found() {
    let long = format!("/hls/0/{}.m4s", "1".repeat(PATH_LEN_MAX));
    let longer = format!("/public/{}", "a".repeat(ADDRESS_BYTES_MAX + 1));
    for path in [
        "",
        "status",
        "//",
        "/api/status/",
        "/API/status",
        "/api",
        "/index.html/",
        "/../etc/passwd",
        "/hls/../stream.m3u8",
        "/hls/..",
        "/hls/0/../../stream.m3u8",
        "/hls/0/..m4s",
        "/hls/0/...m4s",
        "/hls/0/.m4s",
        "/hls/0/1..2.m4s",
        "/hls/0/%2e%2e/stream.m3u8",
        "/hls/%2e%2e%2fstream.m3u8",
        "/hls/%252e%252e/stream.m3u8",
        "/hls/0/12%2em4s",
        "/hls/0/12.m4s%00",
        "/hls/0/12.m4s\0",
        "/hls/0\\12.m4s",
        "/hls/0/a/b.m4s",
        "/hls//stream.m3u8",
        "/hls/0/",
        "/hls/0",
        "/hls/0/stream.m3u8/",
        "/hls/0/STREAM.M3U8",
        "/hls/0/12.ts",
        "/hls/0/\u{661}.m4s",
        "/hls/0/12.m4s?x",
        "/hls/{rendition}/{file}",
        "/img/emoji/..",
        "/img/emoji/.hidden",
        "/img/emoji/a%2fb",
        "/img/emoji/a\\b",
        "/assets/../logo.svg",
        "/assets/",
        "/thumbnail.jpeg",
        "/hls/thumbnail.jpg",
        "/C:/x",
        "/public",
        "/publicx/a.png",
        "/img/platformlogos/../emoji/a",
        long.as_str(),
        longer.as_str(),
    ] {
        assert!(matches!(get(path), Route::NotFound), "{path:?}: {:?}", get(path));
    }
}

#[test]
fn methods() {
    let allowed = |method, path| match Route::parse(&method, path) {
        Route::WrongMethod(Allow(methods)) => Some(methods),
        _ => None,
    };
    assert!(matches!(Route::parse(&Method::HEAD, "/api/status"), Route::Endpoint { .. }));
    assert!(matches!(Route::parse(&Method::OPTIONS, "/hls/stream.m3u8"), Route::Options(..)));
    assert!(matches!(Route::parse(&Method::OPTIONS, "/hls/0/1.m4s"), Route::Options(READ, _)));
    assert_eq!(allowed(Method::POST, "/api/status"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(allowed(Method::DELETE, "/"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(allowed(Method::GET, "/api/admin/config/name"), Some("POST, OPTIONS"));
    assert_eq!(allowed(Method::GET, "/api/admin/config/favicon"), Some("POST, DELETE, OPTIONS"));
    assert!(matches!(
        Route::parse(&Method::DELETE, "/api/admin/config/favicon"),
        Route::Endpoint { .. }
    ));
    assert_eq!(allowed(Method::PUT, "/hls/0/stream.m3u8"), Some("GET, HEAD, OPTIONS"));
    assert!(matches!(Route::parse(&Method::POST, "/api/admin/disconnect"), Route::Endpoint { .. }));
    for method in [Method::POST, Method::OPTIONS] {
        assert!(matches!(Route::parse(&method, "/nothing"), Route::NotFound));
    }
}

#[test]
fn bodies_are_as_long_as_their_route_says() {
    let limit = |path| body_bytes_max(&Method::POST, path);
    assert_eq!(limit("/api/status"), 64 << 10);
    assert_eq!(limit("/api/admin/config/name"), 1_280 << 10);
    assert!(limit("/api/admin/config/logo") > 1 << 20);
    assert_eq!(limit("/nothing"), 64 << 10);
}

#[test]
fn cache_and_sharing() {
    let kept = |path| get(path).cache().header();
    assert_eq!(kept("/api/status"), "no-cache, no-store, must-revalidate");
    assert_eq!(kept("/hls/0/stream.m3u8"), "no-cache");
    assert_eq!(kept("/hls/0/12.0.m4s"), "public, max-age=31536000, immutable");
    assert_eq!(kept("/thumbnail.jpg"), "public, max-age=20");
    assert_eq!(kept("/nothing"), "no-cache, no-store, must-revalidate");
    for (path, sharing) in [
        ("/api/config", Sharing::Any),
        ("/hls/0/12.m4s", Sharing::Any),
        ("/hls/stream.m3u8", Sharing::Any),
        ("/api/status", Sharing::Own),
        ("/healthz", Sharing::Own),
        ("/api/admin/status", Sharing::Guarded),
    ] {
        assert_eq!(get(path).sharing(), sharing, "{path}");
    }
}
