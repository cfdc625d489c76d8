//! The head of the page: what a search engine lists and what a link looks like elsewhere (API
//! §1.3). The tags are the same for everybody; programs that make previews need no page of their
//! own.

use super::{Escaped, PageKind, PageState, push};

/// Size of the player that a preview may show, pixels, as Owncast announces it.
const PLAYER_SIZE: [(&str, &str); 2] = [("width", "560"), ("height", "315")];

/// Writes title and `meta` elements.
pub(super) fn write(html: &mut String, state: &PageState<'_>) {
    let live = if state.status.online { " · Live" } else { "" };
    push(html, format_args!("<title>{}{live}</title>\n", Escaped(state.title())));
    let mut head = Head(html);
    head.meta("name", "description", &state.description());
    if state.kind == PageKind::VideoEmbed {
        // Whoever searches should find the page, which has this video in it.
        head.meta("name", "robots", "noindex");
        return;
    }
    head.link("manifest", "/manifest.json");
    write_words(&mut head, state);
    if let Some(origin) = state.origin {
        write_addresses(&mut head, state, origin);
    }
}

fn write_words(head: &mut Head<'_>, state: &PageState<'_>) {
    let PageState { config, .. } = state;
    let description = state.description();
    head.meta("property", "og:type", "video.other");
    head.meta("property", "og:site_name", &config.name);
    head.meta("property", "og:title", state.title());
    head.meta("property", "og:description", &description);
    head.meta("name", "twitter:title", state.title());
    head.meta("name", "twitter:description", &description);
    for tag in &config.tags {
        head.meta("property", "video:tag", tag);
    }
    if state.origin.is_none() {
        head.meta("name", "twitter:card", "summary");
    }
}

/// What needs full addresses.
fn write_addresses(head: &mut Head<'_>, state: &PageState<'_>, origin: &str) {
    let PageState { status, config, .. } = state;
    let page = format!("{origin}/");
    head.meta("property", "og:url", &page);
    head.meta("name", "twitter:url", &page);
    // A picture of what is on says more than a logo.
    let image = if status.online { "thumbnail.jpg" } else { "logo/external" };
    let image = format!("{origin}/{image}");
    for name in ["og:image", "og:image:url"] {
        head.meta("property", name, &image);
    }
    head.meta("property", "og:image:alt", &config.name);
    head.meta("name", "twitter:image", &image);
    let embed = format!("{origin}/embed/video");
    let is_secure = origin.starts_with("https://");
    head.meta("property", "og:video", &embed);
    if is_secure {
        head.meta("property", "og:video:secure_url", &embed);
    }
    head.meta("property", "og:video:type", "text/html");
    for (side, pixels) in PLAYER_SIZE {
        head.meta("property", &format!("og:video:{side}"), pixels);
    }
    head.meta("property", "og:video:actor", &config.name);
    if status.online {
        head.meta("property", "og:video", &format!("{origin}/hls/stream.m3u8"));
        head.meta("property", "og:video:type", "application/vnd.apple.mpegurl");
    }
    // A card with a player is shown only where the player comes over TLS.
    head.meta("name", "twitter:card", if is_secure { "player" } else { "summary" });
    if is_secure {
        head.meta("name", "twitter:player", &embed);
        for (side, pixels) in PLAYER_SIZE {
            head.meta("name", &format!("twitter:player:{side}"), pixels);
        }
    }
}

struct Head<'a>(&'a mut String);

impl Head<'_> {
    fn meta(&mut self, attribute: &str, name: &str, content: &str) {
        let content = Escaped(content);
        push(self.0, format_args!("    <meta {attribute}=\"{name}\" content=\"{content}\" />\n"));
    }

    fn link(&mut self, rel: &str, href: &str) {
        push(self.0, format_args!("    <link rel=\"{rel}\" href=\"{href}\" />\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{html, status};
    use super::super::{PageKind, PageState, render};
    use crate::api::WebConfig;

    #[test]
    fn full_addresses_need_an_origin() {
        let with = html(&status(true, "t"), &WebConfig::default(), Some("https://x.example"));
        assert!(with.contains("content=\"https://x.example/thumbnail.jpg\""), "{with}");
        let offline = html(&status(false, "t"), &WebConfig::default(), Some("https://x.example"));
        assert!(offline.contains("content=\"https://x.example/logo/external\""), "{offline}");
        let without = html(&status(true, "t"), &WebConfig::default(), None);
        assert!(!without.contains("og:image") && without.contains("summary"), "{without}");
    }

    #[test]
    fn a_card_plays_where_the_page_has_tls() {
        for (origin, card) in [("https://x.example", "player"), ("http://x.example", "summary")] {
            let page = html(&status(true, "t"), &WebConfig::default(), Some(origin));
            let tag = format!("<meta name=\"twitter:card\" content=\"{card}\" />");
            assert!(page.contains(&tag), "{page}");
            let embed = format!("property=\"og:video\" content=\"{origin}/embed/video\"");
            assert!(page.contains(&embed), "{page}");
            assert_eq!(page.contains("twitter:player"), card == "player");
            assert_eq!(page.contains("og:video:secure_url"), card == "player");
            // The first one wins where only one is shown.
            assert!(page.find("/embed/video") < page.find("/hls/stream.m3u8\""), "{page}");
        }
    }

    #[test]
    fn the_embed_is_not_listed() {
        let (status, config) = (status(true, "t"), WebConfig::default());
        let origin = Some("https://x.example");
        let kind = PageKind::VideoEmbed;
        let page = render(&PageState { status: &status, config: &config, origin, kind });
        let page = String::from_utf8(page.html).unwrap();
        assert!(page.contains("content=\"noindex\"") && !page.contains("og:"), "{page}");
    }
}
