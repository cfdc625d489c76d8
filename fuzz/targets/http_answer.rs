#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| riverrun_net::http::fuzzing::http_answer(data));
