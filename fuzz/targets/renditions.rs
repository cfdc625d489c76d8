#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| riverrun_media::fuzzing::renditions(
    std::time::Instant::now(),
    data
));
