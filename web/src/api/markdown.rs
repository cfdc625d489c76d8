//! The operator's Markdown as HTML. HTML in it is kept, as Owncast keeps it; what it could do is
//! bounded by the page's policy (`page::CSP`).

use pulldown_cmark::{Options, Parser, html};

/// Trimmed HTML.
pub(super) fn to_html(markdown: &str) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut text = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut text, Parser::new_ext(markdown, options));
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_and_html_side_by_side() {
        for (markdown, html) in [
            ("", ""),
            ("back *soon*", "<p>back <em>soon</em></p>"),
            ("# A\n\n<div>b</div>\n", "<h1>A</h1>\n<div>b</div>"),
            ("a & b", "<p>a &amp; b</p>"),
        ] {
            assert_eq!(to_html(markdown), html);
        }
    }
}
