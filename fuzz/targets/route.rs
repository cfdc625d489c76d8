#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(path) = std::str::from_utf8(data) {
        for method in [http::Method::GET, http::Method::HEAD, http::Method::OPTIONS] {
            let _ = format!("{:?}", riverrun_web::route::Route::parse(&method, path));
        }
    }
});
