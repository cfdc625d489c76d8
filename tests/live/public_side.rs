//! What visitors and other sites get beside the page and the media: the operator's own files, the
//! embed, icons, the manifest, previews of links, the names of the variants.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{BASIC, FOREIGN, ask, assert_simple, post, set, wait_for_the_admin};
use crate::http;
use crate::publish::Publisher;
use crate::server::Server;
use crate::tool::{scratch, wait_for};

const LIMIT: Duration = Duration::from_secs(60);
/// An icon of one picture, 16 by 16, as far as its head goes.
const ICO: &str = "data:image/x-icon;base64,AAABAAEAEBA=";

#[test]
fn files_of_the_public_folder_are_served_and_nothing_beside_them() {
    let data = scratch("data");
    let public = data.join("public");
    std::fs::create_dir_all(public.join("clips")).expect("a folder");
    std::fs::write(data.join("secret.txt"), "secret").expect("a file");
    std::os::unix::fs::symlink("../secret.txt", public.join("link.txt")).expect("a link");
    std::os::unix::fs::symlink("..", public.join("up")).expect("a link");
    // Several pieces, and no round number of them.
    let long: Vec<u8> = (0..3_000_017_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
    std::fs::write(public.join("clips/long film.mp4"), &long).expect("a file");
    std::fs::write(public.join("index.html"), "<h1>mine</h1>").expect("a file");
    std::fs::write(public.join("empty.txt"), "").expect("a file");
    std::fs::write(public.join("drawing.svg"), "<svg><script>1</script></svg>").expect("a file");
    let server = Server::start_in(&data, &[]);

    let path = "/public/clips/long%20film.mp4";
    let whole = server.get(path);
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("video/mp4")));
    assert!(whole.body == long, "{} bytes", whole.body.len());
    for (name, value) in [
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(whole.header(name), Some(value), "{name}");
    }
    let etag = whole.header("etag").expect("a validator").to_owned();
    let same = ask(&server, "GET", path, &[("If-None-Match", etag.as_str())]);
    assert_eq!((same.status, same.body.len()), (304, 0));
    assert_eq!(same.header("cache-control"), Some("no-cache"));
    let head = ask(&server, "HEAD", path, &[]);
    assert_eq!(head.header("content-length"), Some("3000017"));
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=262143-262145", 262_143, 262_146),
        ("bytes=2999000-", 2_999_000, 3_000_017),
        ("bytes=-5", 3_000_012, 3_000_017),
    ] {
        let part = ask(&server, "GET", path, &[("Range", range), ("If-Range", etag.as_str())]);
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == long[from..to], "{range}: {} bytes", part.body.len());
        let content_range = format!("bytes {from}-{}/3000017", to - 1);
        assert_eq!(part.header("content-range"), Some(content_range.as_str()));
    }
    assert_eq!(ask(&server, "GET", path, &[("Range", "bytes=3000017-")]).status, 416);
    let empty = server.get("/public/empty.txt");
    assert_eq!((empty.status, empty.body.len()), (200, 0));
    let index = server.get("/public/");
    assert_eq!((index.status, index.text()), (200, "<h1>mine</h1>"));
    let drawing = server.get("/public/drawing.svg");
    let policy = drawing.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");

    for hostile in [
        "none.txt",
        "link.txt",
        "up/secret.txt",
        "clips",
        "clips/",
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "%252e%252e/secret.txt",
        "clips/..%5c..%5csecret.txt",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "a%00.txt",
        "%ff",
    ] {
        let answer = server.get(&format!("/public/{hostile}"));
        assert_eq!(answer.status, 404, "{hostile}");
        assert!(!answer.text().contains("secret"), "{hostile}");
    }
    // A file that is written anew is another one.
    std::fs::write(public.join("index.html"), "<h1>new</h1>").expect("a file");
    assert_eq!(server.get("/public/").text(), "<h1>new</h1>");
}

#[test]
fn the_icon_of_the_page_may_be_the_operators() {
    let server = Server::start();
    wait_for_the_admin(&server);
    let ours = server.get("/favicon.ico");
    assert_eq!((ours.status, ours.header("content-type")), (200, Some("image/x-icon")));
    assert_eq!(set(&server, "favicon", &json!(ICO)).status, 200);
    let theirs = server.get("/favicon.ico");
    assert_eq!(theirs.body, b"\0\0\x01\0\x01\0\x10\x10");
    for wrong in [
        json!("data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
        json!("data:image/png;base64,AAABAAEAEBA="),
        json!("https://example.org/favicon.ico"),
        json!(7),
    ] {
        let answer = set(&server, "favicon", &wrong);
        assert_eq!(answer.status, 400, "{wrong}");
        assert_simple(&answer, false, "favicon");
    }
    let long = json!(format!("data:image/png;base64,{}", "A".repeat(320 << 10)));
    assert_eq!(set(&server, "favicon", &long).status, 413);
    assert_eq!(server.get("/favicon.ico").body, theirs.body);
    // A restart keeps it; DELETE, from nowhere else, brings ours back.
    let data = server.kill_and_keep_data();
    let server = Server::start_in(&data, &[]);
    assert_eq!(server.get("/favicon.ico").body, theirs.body);
    wait_for_the_admin(&server);
    let path = "/api/admin/config/favicon";
    assert_eq!(ask(&server, "DELETE", path, &[FOREIGN, BASIC]).status, 403);
    assert_eq!(ask(&server, "DELETE", path, &[]).status, 403);
    assert_eq!(ask(&server, "DELETE", path, &[BASIC]).status, 200);
    assert_eq!(server.get("/favicon.ico").body, ours.body);
    assert_eq!(ask(&server, "DELETE", path, &[BASIC]).status, 200);
}

/// Content of the `meta` elements called so.
fn metas<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!("=\"{name}\" content=\"");
    let found = page.match_indices(&begin).map(|(at, found)| &page[at + found.len()..]);
    found.filter_map(|rest| rest.split_once('"')).map(|(content, _)| content).collect()
}

#[test]
fn links_show_what_is_on_and_nothing_typed_becomes_markup() {
    let server = Server::start();
    wait_for_the_admin(&server);
    for (setting, value) in [
        ("name", json!("North \"><script>alert(1)</script>")),
        ("serversummary", json!("Lights & <b>more</b>")),
        ("streamtitle", json!("Evening </title>")),
        ("serverurl", json!("https://live.example.org")),
        ("tags", json!(["art", "\"><img src=x>"])),
    ] {
        assert_eq!(set(&server, setting, &value).status, 200, "{setting}");
    }
    for agent in ["Mastodon/4", "facebookexternalhit/1.1", "Synapse (bot; Matrix)", "Mozilla/5.0"] {
        let page = http::fetch(server.http, "GET", "/", &[("User-Agent", agent)]).expect("a page");
        let page = page.text().to_owned();
        assert_eq!(metas(&page, "og:title"), ["Evening &lt;/title&gt;"], "{agent}");
        assert_eq!(metas(&page, "og:description"), ["Lights &amp; &lt;b&gt;more&lt;/b&gt;"]);
        assert_eq!(metas(&page, "og:type"), ["video.other"]);
        assert_eq!(metas(&page, "og:url"), ["https://riverrun.test/"]);
        assert_eq!(metas(&page, "og:image"), ["https://riverrun.test/logo/external"]);
        assert_eq!(metas(&page, "og:video"), ["https://riverrun.test/embed/video"]);
        assert_eq!(metas(&page, "og:video:height"), ["315"]);
        assert_eq!(metas(&page, "twitter:card"), ["player"]);
        assert_eq!(metas(&page, "twitter:player"), ["https://riverrun.test/embed/video"]);
        assert_eq!(metas(&page, "video:tag")[0], "art");
        assert_eq!(page.matches("<script").count(), 2, "{page}");
        assert!(!page.contains("<img src=x>") && page.contains("rel=\"manifest\""), "{page}");
    }
    let manifest = server.get("/manifest.json");
    assert_eq!(manifest.header("content-type"), Some("application/manifest+json"));
    assert_eq!(manifest.json()["name"], "North \"><script>alert(1)</script>");
    assert!(!manifest.text().contains('<'));
}

#[test]
fn what_is_listed_can_be_fetched() {
    let server = Server::start();
    let platforms = server.get("/api/socialplatforms").json();
    for platform in platforms.as_object().expect("an object").values() {
        let icon = server.get(platform["icon"].as_str().expect("a path"));
        assert_eq!((icon.status, icon.header("content-type")), (200, Some("image/svg+xml")));
        assert!(icon.text().contains("<title>"), "{platform}");
    }
    assert_eq!(server.get("/img/platformlogos/nosuch.svg").status, 404);
    let manifest = server.get("/manifest.json").json();
    let icon = server.get(manifest["icons"][0]["src"].as_str().expect("a path"));
    assert_eq!(icon.header("content-type"), manifest["icons"][0]["type"].as_str());
    for path in ["/embed/chat", "/embed/chat/"] {
        let there = server.get(path);
        assert_eq!((there.status, there.header("location")), (307, Some("/embed/chat/readonly")));
    }
    assert_eq!(server.get("/api/nosuch").status, 404);
    assert_simple(&server.get("/api/nosuch"), false, "/api/nosuch");
}

/// Other sites may show the embed in a frame, and only the embed.
#[test]
fn the_embed_may_be_framed() {
    let server = Server::start();
    let policy = |path: &str| {
        let page = http::fetch(server.http, "GET", path, &[("User-Agent", "VLC/3")]);
        let page = page.expect("an answer");
        (page.status, page.header("content-security-policy").unwrap_or_default().to_owned())
    };
    // A player is not led away: who frames it wants the page.
    let (status, embed) = policy("/embed/video");
    assert!(status == 200 && embed.contains("frame-ancestors *"), "{embed}");
    assert!(embed.contains("script-src 'self'") && !embed.contains("unsafe"), "{embed}");
    assert_eq!(policy("/").0, 307);
    let page = server.get("/");
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
}

fn variants(server: &Server) -> Value {
    server.get("/api/video/variants").json()
}

/// Numbers of the variants in the multivariant playlist.
fn listed(server: &Server) -> Vec<u64> {
    let playlist = server.get("/hls/stream.m3u8");
    let folders = playlist.text().lines().filter(|line| !line.starts_with('#'));
    let mut numbers: Vec<u64> =
        folders.filter_map(|line| line.split('/').next()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn variants_are_those_of_the_playlist() {
    let server = Server::start_with(&["--renditions", "240p@300/12:0,source"]);
    wait_for_the_admin(&server);
    let set = json!([{"name": "Source", "index": 1}, {"name": "240h", "index": 0}]);
    assert_eq!(variants(&server), set);
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    wait_for("the rendition is listed", LIMIT, || (listed(&server) == [0, 1]).then_some(()));
    let live = variants(&server);
    assert_eq!(live[0], json!({"name": "Source", "index": 1}), "{live}");
    assert_eq!(live[1]["index"], 0, "{live}");
    assert_eq!(live.as_array().map(Vec::len), Some(2), "{live}");
    let status = ask(&server, "GET", "/api/admin/status", &[BASIC]).json();
    let settings = &status["currentBroadcast"]["outputSettings"];
    assert_eq!(settings.as_array().map(Vec::len), Some(2), "{settings}");
}

/// A ladder that nobody wrote down is told as it is.
#[test]
fn variants_of_an_automatic_ladder_are_told() {
    let server = Server::start_with(&["--renditions", "auto"]);
    assert_eq!(variants(&server), json!([{"name": "Source", "index": 0}]));
    let _publisher = Publisher::looped("fps25", &server.publish_url());
    server.wait_live();
    wait_for("playlist and variants agree", LIMIT, || {
        let told = variants(&server);
        let mut told: Vec<_> = told.as_array()?.iter().map(|one| one["index"].as_u64()).collect();
        told.sort_unstable();
        let listed = listed(&server);
        (told.into_iter().eq(listed.iter().copied().map(Some))).then_some(())
    });
}

/// A data folder that cannot be written is said in words, and nothing is half changed.
#[test]
fn what_the_disk_does_not_take_is_answered_with_503() {
    let data = scratch("data");
    let server = Server::start_in(&data, &[]);
    wait_for_the_admin(&server);
    // Where the folder of the emoji should be.
    std::fs::write(data.join("emoji"), "a file").expect("a file");
    let gif = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    let emoji = json!({"name": "party", "data": gif}).to_string();
    let refused = post(&server, "/api/admin/emoji/upload", &[BASIC], &emoji);
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_simple(&refused, false, "emoji");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(server.get("/api/emoji").json(), json!([]));
}
