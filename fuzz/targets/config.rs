#![no_main]

use std::path::Path;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let config = riverrun::config::Config::parse(text, Path::new("riverrun.toml"), 2);
        let _ = config.map_err(|error| error.to_string());
    }
});
