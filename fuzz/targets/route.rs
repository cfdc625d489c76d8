#![no_main]

use riverrun_web::public_file::PublicPath;
use riverrun_web::route::Route;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(path) = std::str::from_utf8(data) {
        for method in [http::Method::GET, http::Method::HEAD, http::Method::OPTIONS] {
            let _ = format!("{:?}", Route::parse(&method, path));
        }
        let address = path.strip_prefix("/public/").unwrap_or(path);
        for name in PublicPath::parse(address).iter().flat_map(PublicPath::parts) {
            let leads_down = !name.is_empty() && !name.starts_with('.');
            assert!(leads_down && !name.contains(['/', '\\', '\0']), "{name:?}");
        }
    }
});
