#![no_main]

use riverrun_web::metrics::{cmcd_of_query, parse_cmcd, parse_cmcd_text, parse_report};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = parse_report(data);
    let mut told = parse_cmcd(data).unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(data) {
        told.extend(parse_cmcd_text([text].into_iter()).unwrap_or_default());
        let _ = cmcd_of_query(Some(text));
    }
    for cmcd in told {
        let report = cmcd.report;
        assert!(report.errors <= 100.0 && report.quality_changes <= 100.0, "{report:?}");
        assert!(report.latency.is_none_or(|seconds| (0.0..=86_400.0).contains(&seconds)));
        assert!(cmcd.session.is_none_or(|name| name.chars().count() <= 64));
    }
});
