#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| riverrun_media::fuzzing::h264_decode(data));
