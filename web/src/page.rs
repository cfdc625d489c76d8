//! The page as HTML with the true state in it.
//!
//! What a visitor without script, a link preview or a search engine sees is what is the case: name,
//! title, live or offline. The script then takes over the same markup. Everything that people typed
//! is escaped, except the two configured texts that are HTML by contract (API §1.9), and even those
//! can run nothing: the policy allows neither inline script nor style nor another host (T2).

mod head;

use std::fmt::Write as _;

use crate::api::{self, Status, WebConfig};
use crate::assets::TEMPLATE;
use crate::rfc3339;

/// What the page is rendered from.
#[derive(Clone, Debug)]
pub struct PageState<'a> {
    /// As the API gives it.
    pub status: &'a Status,
    /// As the API gives it.
    pub config: &'a WebConfig,
    /// `https://live.example.org`, without a slash at the end. Link previews need full addresses;
    /// without one they get words but no picture.
    pub origin: Option<&'a str>,
    /// How much of it is shown.
    pub kind: PageKind,
}

/// How much of the page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// All of it.
    Whole,
    /// The stage alone, in a frame on another site's page.
    VideoEmbed,
}

/// A rendered page and the policy it must be sent with.
#[derive(Clone, Debug)]
pub struct Page {
    /// UTF-8, `text/html; charset=utf-8`.
    pub html: Vec<u8>,
    /// Value of `Content-Security-Policy`.
    pub csp: &'static str,
}

/// Blocks whatever the page does not need. The embedded facts are a data block, which is not script
/// to a browser, so there is no inline code and no nonce. `blob:` is how Media Source Extensions
/// hand media to a `<video>`; `data:` and `blob:` pictures may come from the operator's own texts.
pub const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; \
    worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'self'";
/// The same for what other sites may show in a frame: it plays, and changes nothing on the server.
pub const EMBED_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; \
    worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors *";

/// The other headers of every HTML answer (T2).
pub const SECURITY_HEADERS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Fills the template.
#[must_use]
pub fn render(state: &PageState<'_>) -> Page {
    let [start, after_head, after_body, end] = TEMPLATE;
    let mut html = String::with_capacity(8 * 1024);
    html.push_str(start);
    head::write(&mut html, state);
    html.push_str(after_head);
    match state.kind {
        PageKind::Whole => write_body(&mut html, state),
        PageKind::VideoEmbed => write_embed(&mut html, state),
    }
    html.push_str(after_body);
    let mut html = html.into_bytes();
    write_facts(&mut html, state);
    html.extend_from_slice(end.as_bytes());
    let csp = match state.kind {
        PageKind::Whole => CSP,
        PageKind::VideoEmbed => EMBED_CSP,
    };
    Page { html, csp }
}

impl PageState<'_> {
    /// What is on, or who would be sending.
    fn title(&self) -> &str {
        [&self.status.stream_title, &self.config.stream_title, &self.config.name]
            .into_iter()
            .find(|title| !title.is_empty())
            .map_or("Riverrun", String::as_str)
    }

    /// What fills the stage before the script runs.
    const fn phase(&self) -> &'static str {
        if self.status.online { "loading" } else { "offline" }
    }

    fn description(&self) -> String {
        match (self.config.summary.as_str(), self.status.online) {
            ("", true) => format!("{} is live now.", self.config.name),
            ("", false) => format!("{} is offline.", self.config.name),
            (summary, _) => summary.to_owned(),
        }
    }
}

/// The same elements and classes as the components (`page/src/app.tsx`), so that nothing jumps when
/// the script takes over.
fn write_body(html: &mut String, state: &PageState<'_>) {
    let PageState { status, config, .. } = state;
    let name = Escaped(&config.name);
    let phase = state.phase();
    let (tag, tag_class) =
        if status.online { ("Live", "tag tag-live") } else { ("Offline", "tag") };
    push(
        html,
        format_args!(
            "<div id=\"app\" data-state=\"{phase}\">\n      \
             <header class=\"header\"><a class=\"brand\" href=\"/\">\
             <img class=\"mark\" src=\"/logo\" alt=\"\" width=\"28\" height=\"28\" />\
             <span>{name}</span></a><span class=\"{tag_class}\">{tag}</span></header>\n      \
             <main class=\"main\">\n        <div class=\"stage\">"
        ),
    );
    write_panel(html, state);
    push(
        html,
        format_args!(
            "</div>\n        <section class=\"about\" id=\"about\">\
             <img class=\"about-logo\" src=\"/logo\" alt=\"\" width=\"52\" height=\"52\" />\
             <div class=\"about-words\"><h1>{}</h1><p class=\"about-summary\">",
            Escaped(state.title()),
        ),
    );
    if state.title() != config.name {
        push(html, format_args!("<strong>{name}</strong>"));
        if !config.summary.is_empty() {
            html.push_str("<span class=\"dot\" aria-hidden=\"true\"></span>");
        }
    }
    push(html, format_args!("{}</p></div></section>\n", Escaped(&config.summary)));
    if !config.extra_page_content.is_empty() {
        push(
            html,
            format_args!(
                "        <section class=\"extra\">{}</section>\n",
                config.extra_page_content
            ),
        );
    }
    html.push_str("      </main>\n    </div>");
}

/// The stage alone; the script sees by the attribute that no more is wanted.
fn write_embed(html: &mut String, state: &PageState<'_>) {
    let phase = state.phase();
    push(
        html,
        format_args!(
            "<div id=\"app\" data-embed=\"video\" data-state=\"{phase}\">\n      \
             <main class=\"main\"><div class=\"stage\">"
        ),
    );
    write_panel(html, state);
    html.push_str("</div></main>\n    </div>");
}

fn write_panel(html: &mut String, state: &PageState<'_>) {
    let PageState { status, config, .. } = state;
    if status.online {
        html.push_str(
            "<div class=\"panel panel-loading\"><p>Live now</p>\
             <noscript><p>Watching here needs script. \
             <a href=\"/hls/stream.m3u8\">Open the stream in a media player</a></p>\
             </noscript></div>",
        );
        return;
    }
    push(
        html,
        format_args!(
            "<div class=\"panel panel-offline\"><div class=\"panel-words\">\
             <p class=\"kicker\">Offline</p><h2>{} is offline</h2>",
            Escaped(&config.name)
        ),
    );
    if !config.offline_message.is_empty() {
        push(html, format_args!("<div class=\"panel-message\">{}</div>", config.offline_message));
    }
    if let Some(ended_ms) = status.last_disconnect_ms {
        let when = rfc3339::seconds(ended_ms);
        let words = when.replace('T', " ").replace('Z', " UTC");
        push(
            html,
            format_args!(
                "<p class=\"panel-note\">Last live <time datetime=\"{when}\">{words}</time></p>"
            ),
        );
    }
    html.push_str("</div></div>");
}

/// What the script starts from. [`api::to_json`] leaves no `<` in it, so nothing can close the
/// element.
fn write_facts(html: &mut Vec<u8>, state: &PageState<'_>) {
    #[derive(serde::Serialize)]
    struct Facts<'a> {
        status: &'a Status,
        config: &'a WebConfig,
    }
    html.extend_from_slice(b"<script type=\"application/json\" id=\"facts\">");
    html.extend_from_slice(&api::to_json(&Facts { status: state.status, config: state.config }));
    html.extend_from_slice(b"</script>");
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("writing to a String cannot fail");
}

/// Text for an element or a quoted attribute.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // HTML has no way to write NUL; parsers replace it too.
                '\0' => f.write_char('\u{fffd}')?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</title></script><script>alert(1)</script>\" onload='x' <!--&";

    pub(super) fn status(online: bool, title: &str) -> Status {
        Status {
            server_time_ms: 1_795_334_423_040,
            last_connect_ms: online.then_some(1_795_330_000_000),
            last_disconnect_ms: (!online).then_some(1_795_330_000_000),
            version_number: "0.1.0".to_owned(),
            stream_title: title.to_owned(),
            viewer_count: 0,
            online,
            presentation: 1,
        }
    }

    pub(super) fn html(status: &Status, config: &WebConfig, origin: Option<&str>) -> String {
        let kind = PageKind::Whole;
        String::from_utf8(render(&PageState { status, config, origin, kind }).html).unwrap()
    }

    #[test]
    fn live_and_offline_are_said_without_script() {
        let config = WebConfig { name: "Northern Light".to_owned(), ..WebConfig::default() };
        let live = html(&status(true, "Evening"), &config, None);
        assert!(live.contains("<title>Evening · Live</title>"), "{live}");
        assert!(live.contains("<h1>Evening</h1>") && live.contains("Live now"), "{live}");
        let offline = html(&status(false, ""), &config, None);
        assert!(offline.contains("<title>Northern Light</title>"), "{offline}");
        assert!(offline.contains("<h2>Northern Light is offline</h2>"), "{offline}");
        assert!(
            offline
                .contains("<time datetime=\"2026-11-22T06:46:40Z\">2026-11-22 06:46:40 UTC</time>")
        );
    }

    #[test]
    fn what_people_typed_cannot_become_markup() {
        let config = WebConfig {
            name: HOSTILE.to_owned(),
            summary: HOSTILE.to_owned(),
            tags: vec![HOSTILE.to_owned()],
            ..WebConfig::default()
        };
        for online in [true, false] {
            let page = html(&status(online, HOSTILE), &config, Some("https://x.example"));
            assert!(!page.contains("<script>"), "{page}");
            assert!(!page.contains("' <!--"), "{page}");
            // The module and the facts, and nothing else, are script elements.
            assert_eq!(page.matches("<script").count(), 2, "{page}");
            assert_eq!(page.matches("</script>").count(), 2, "{page}");
        }
    }

    #[test]
    fn a_hostile_host_header_cannot_become_markup() {
        let page = html(&status(true, "t"), &WebConfig::default(), Some("https://\"><script>"));
        assert!(page.contains("content=\"https://&quot;&gt;&lt;script&gt;/\""), "{page}");
    }

    #[test]
    fn facts_parse_back() {
        let page = html(&status(true, HOSTILE), &WebConfig::default(), None);
        let (_, rest) = page.split_once("id=\"facts\">").unwrap();
        let (json, _) = rest.split_once("</script>").unwrap();
        let facts: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(facts["status"]["streamTitle"], HOSTILE);
        assert_eq!(facts["config"]["logo"], "/logo");
    }

    #[test]
    fn the_embed_is_the_stage_alone() {
        let (status, config) = (status(false, "t"), WebConfig::default());
        let kind = PageKind::VideoEmbed;
        let page = render(&PageState { status: &status, config: &config, origin: None, kind });
        assert!(page.csp.contains("frame-ancestors *") && !page.csp.contains("unsafe"));
        let html = String::from_utf8(page.html).unwrap();
        assert!(html.contains("data-embed=\"video\" data-state=\"offline\""), "{html}");
        assert!(html.contains("is offline") && !html.contains("<header"), "{html}");
        assert!(html.contains("id=\"facts\""), "{html}");
    }

    #[test]
    fn no_inline_code_and_no_other_host() {
        let page = html(&status(false, "t"), &WebConfig::default(), None);
        for forbidden in ["<style", "style=", " onclick", " onload", "http://", "https://"] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
        assert!(!CSP.contains("unsafe"));
    }
}
