mod damage;
mod stream;

use stream::{FIXTURES, Stream, reference, x264};

use super::*;
use crate::access_unit::VideoCodec;
use crate::av1::Av1Config;
use crate::codec::{CpuUsage, H264Encoder, H264EncoderConfig, Picture};
use crate::h264::{Colour, ParameterSets, Sps};
use crate::hevc::HevcConfig;
use crate::testdata::record;

/// Decodes a whole stream. Gives the times and samples of the pictures, and how many units were in
/// when each came out.
fn decode(stream: &Stream) -> (Vec<MediaTime>, Vec<u8>, Vec<usize>) {
    let mut decoder = H264Decoder::new(&stream.config).unwrap();
    let (mut times, mut samples, mut fed) = (Vec::new(), Vec::new(), Vec::new());
    for (index, unit) in stream.units.iter().enumerate() {
        let each = &mut |decoded: DecodedPicture<'_>| {
            times.push(decoded.pts);
            samples.extend(decoded.picture.planes().iter().flat_map(PlaneView::rows).flatten());
            fed.push(index + 1);
        };
        decoder.decode(&unit.payload, unit.pts, each).unwrap();
    }
    decoder.drain(&mut |decoded| {
        times.push(decoded.pts);
        samples.extend(decoded.picture.planes().iter().flat_map(PlaneView::rows).flatten());
        fed.push(stream.units.len());
    });
    assert_eq!(decoder.counts().pictures, times.len() as u64);
    assert_eq!((decoder.counts().errors, decoder.counts().late), (0, 0));
    (times, samples, fed)
}

/// Peak signal to noise ratio in dB; infinite for equal bytes.
fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / squares as f64).log10()
}

const B: f64 = 38.0;
const EXACT: f64 = f64::INFINITY;

/// Name, x264's options, delay in pictures, least PSNR of any picture against ffmpeg's decoding.
/// Intra and P pictures are exact; B pictures of openh264 round otherwise, and in a pyramid or with
/// implicit weights the difference adds up until the next P picture.
const KINDS: &[(&str, &[&str], usize, f64)] = &[
    ("High without B pictures", &["-profile:v", "high", "-bf", "0"], 0, EXACT),
    ("High, B pictures", &["-bf", "3", "-x264-params", "b-pyramid=none:b-adapt=0"], 1, B),
    ("B-pyramid", &["-bf", "3", "-x264-params", "b-pyramid=normal:b-adapt=0"], 2, B),
    ("strict B-pyramid", &["-bf", "7", "-x264-params", "b-pyramid=strict:b-adapt=0"], 2, B),
    ("weighted prediction", &["-x264-params", "weightp=2:weightb=1:bframes=3:b-adapt=0"], 2, B),
    ("four slices", &["-slices", "4", "-x264-params", "bframes=3:b-adapt=0"], 2, B),
    ("many slices", &["-x264-params", "slice-max-mbs=13:bframes=2:b-adapt=0"], 1, B),
    ("open GOP", &["-x264-params", "open-gop=1:bframes=3:b-adapt=0"], 2, B),
    ("infinite GOP", &["-x264-params", "keyint=infinite:bframes=3:b-adapt=0"], 2, B),
    ("CAVLC", &["-coder", "0", "-x264-params", "bframes=3:b-adapt=0"], 2, B),
    ("Main", &["-profile:v", "main", "-x264-params", "bframes=2:b-adapt=0"], 1, B),
    ("Main without B pictures", &["-profile:v", "main", "-bf", "0"], 1, EXACT),
    ("Baseline", &["-profile:v", "baseline"], 0, EXACT),
    ("most references", &["-x264-params", "ref=16:bframes=16:b-adapt=0"], 2, B),
    ("fewest references", &["-refs", "1", "-x264-params", "bframes=1:b-adapt=0"], 1, B),
    ("zerolatency", &["-tune", "zerolatency", "-preset", "ultrafast"], 0, EXACT),
    ("intra refresh", &["-refs", "1", "-x264-params", "intra-refresh=1:bframes=0"], 0, EXACT),
    ("intra only", &["-g", "1"], 0, EXACT),
    ("4x4 transform only", &["-x264-params", "8x8dct=0:bframes=0"], 1, EXACT),
    ("scaling lists", &["-x264-params", "cqm=jvt:bframes=0"], 0, EXACT),
    ("constrained intra", &["-x264-params", "constrained-intra=1:bframes=0"], 0, EXACT),
    ("constant bit rate with filler", &["-x264-params", "nal-hrd=cbr:bframes=0"], 0, EXACT),
];

#[test]
fn every_kind_of_stream_decodes_completely_in_order_and_alike() {
    // Cropped at the bottom: 120 rows are 7.5 macroblocks.
    const PICTURE: usize = 208 * 120 * 3 / 2;
    for (name, options, delay, floor) in KINDS {
        let mut options = options.to_vec();
        options.extend(["-b:v", "400k", "-maxrate", "400k", "-bufsize", "400k"]);
        let flv = x264("208x120", 60, &options);
        let stream = Stream::of_flv(&flv);
        assert_eq!(stream.units.len(), 60, "{name}");
        let (times, samples, fed) = decode(&stream);
        assert_eq!(times, stream.shown(), "{name}: every picture once, at its time");
        let held = fed.iter().enumerate().map(|(out, fed)| fed - out - 1).max();
        assert_eq!(held, Some(*delay), "{name}: pictures behind");
        let expected = reference(&flv);
        assert_eq!(samples.len(), expected.len(), "{name}");
        for (index, (a, b)) in samples.chunks(PICTURE).zip(expected.chunks(PICTURE)).enumerate() {
            let seen = psnr(a, b);
            assert!(seen >= *floor, "{name}: picture {index} has {seen:.1} dB");
        }
    }
}

/// T16: stopped after every number of units, what went in comes out.
#[test]
fn a_stream_can_end_after_any_unit() {
    for (name, flv) in FIXTURES {
        let whole = Stream::of_flv(flv);
        for count in 0..=whole.units.len() {
            let mut stream = Stream::of_flv(flv);
            stream.units.truncate(count);
            let (times, ..) = decode(&stream);
            assert_eq!(times, stream.shown(), "{name} after {count}");
        }
    }
}

#[test]
fn new_parameter_sets_make_a_new_start() {
    let small = Stream::of_flv(&x264("80x48", 25, &["-bf", "3", "-g", "50"]));
    let large = Stream::of_flv(&x264("176x144", 25, &["-bf", "3", "-g", "50"]));
    let mut decoder = H264Decoder::new(&small.config).unwrap();
    let mut seen = Vec::new();
    for turn in 0..8 {
        let stream = if turn % 2 == 0 { &small } else { &large };
        let later = MediaTime::from_millis(turn * 1_000);
        let mut each = |decoded: DecodedPicture<'_>| {
            seen.push((decoded.pts, decoded.picture.size()));
        };
        for _again in 0..2 {
            decoder.configure(&stream.config, &mut each).unwrap();
        }
        for unit in &stream.units {
            // The same sets before each picture change nothing (AV-6).
            decoder.configure(&stream.config, &mut each).unwrap();
            decoder.decode(&unit.payload, unit.pts.plus(later), &mut each).unwrap();
        }
        // Sets that cannot be used leave the old ones and their pictures.
        let refused = decoder.configure(&avcc("high10"), &mut each);
        assert_eq!(refused, Err(Undecodable::BitDepth(10)));
    }
    decoder.drain(&mut |decoded| seen.push((decoded.pts, decoded.picture.size())));
    let expected: Vec<_> = (0..8)
        .flat_map(|turn| {
            let (stream, width, height) =
                if turn % 2 == 0 { (&small, 80, 48) } else { (&large, 176, 144) };
            let size = PictureSize::new(width, height).unwrap();
            let later = MediaTime::from_millis(turn * 1_000);
            stream.shown().into_iter().map(move |pts| (pts.plus(later), size))
        })
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(decoder.counts().errors, 0);
    // In the middle of a group the new sets have nothing to start with.
    decoder.configure(&small.config, &mut |_| {}).unwrap();
    decoder.decode(&small.units[3].payload, small.units[3].pts, &mut |_| panic!()).unwrap();
    assert!(decoder.awaits_idr());
}

fn avcc(name: &str) -> AvcConfig {
    let file = include_str!("../../../../testdata/h264/avcc.hex");
    AvcConfig::parse(&record(file, name)).unwrap().0
}

#[test]
fn what_cannot_be_decoded_is_told_with_the_setting_to_change() {
    let enhanced = include_str!("../../../../testdata/enhanced.hex");
    let hevc = HevcConfig::parse(&record(enhanced, "hevc")).unwrap().0;
    let av1 = Av1Config::parse(&record(enhanced, "av1").into()).unwrap().unwrap();
    for (codec, words) in [
        (VideoCodec::Hevc(hevc), ["are HEVC", "Video Encoder"]),
        (VideoCodec::Av1(av1), ["are AV1", "Video Encoder"]),
        (VideoCodec::H264(avcc("high10")), ["10 bits", "Color Format to NV12"]),
        (VideoCodec::H264(avcc("high422_interlaced")), ["4:2:2", "Color Format to NV12"]),
        (VideoCodec::H264(avcc("high444")), ["4:4:4", "Color Format to NV12"]),
        (VideoCodec::H264(avcc("gray")), ["monochrome", "Color Format to NV12"]),
        (VideoCodec::H264(avcc("interlaced_cropped")), ["interlaced", "deinterlace"]),
    ] {
        let told = Undecodable::check(&codec).unwrap_err().to_string();
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
        assert!(!told.contains(". ") && told.contains(" OBS "), "one sentence: {told}");
    }
    for (name, size) in [
        ("baseline", (320, 240)),
        ("main", (1280, 720)),
        ("high_1080_ntsc", (1920, 1080)),
        ("high_full_range", (640, 360)),
        ("cropped", (322, 182)),
        ("scaling_lists", (640, 480)),
        ("hrd", (640, 480)),
        ("smallest", (16, 16)),
    ] {
        let codec = VideoCodec::H264(avcc(name));
        let decoder = H264Decoder::new(Undecodable::check(&codec).unwrap()).unwrap();
        assert_eq!((decoder.size().width(), decoder.size().height()), size, "{name}");
    }
    let of = |change: fn(&mut Sps)| {
        let mut sps = avcc("main").sps().clone();
        change(&mut sps);
        undecodable::check_sps(&sps).unwrap_err().to_string()
    };
    for (told, word) in [
        (of(|sps| sps.profile_idc = 88), "profile 88"),
        (of(|sps| sps.level_idc = 62), "level_idc 62"),
        (of(|sps| (sps.coded_width, sps.coded_height) = (8_192, 8_192)), "36864 macroblocks"),
        (of(|sps| sps.width = 8), "16x16"),
    ] {
        assert!(told.contains(word) && told.contains("Settings, "), "{told}");
    }
}

#[test]
fn our_own_encoder_comes_back_without_delay() {
    let size = PictureSize::new(322, 182).unwrap();
    let mut encoder = H264Encoder::new(H264EncoderConfig {
        size,
        frame_rate_millis: 25_000,
        bitrate: 2_000_000,
        cpu_usage: CpuUsage::default(),
        sync_interval: None,
        colour: Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false },
    })
    .unwrap();
    let config = AvcConfig::from_parameter_sets(&[encoder.sps()], &[encoder.pps()]).unwrap();
    let mut decoder = H264Decoder::new(&config).unwrap();
    for step in 0..30_usize {
        let mut picture = Picture::black(size);
        for plane in picture.planes_mut() {
            for y in 0..plane.height() {
                let row = plane.row_mut(y).iter_mut().enumerate();
                row.for_each(|(x, sample)| *sample = (60 + (x + 2 * step) % 90 + y % 60) as u8);
            }
        }
        let coded = encoder.encode(&picture, step == 13).unwrap();
        let pts = MediaTime::from_millis(step as i64 * 40);
        let mut shown = 0;
        decoder
            .decode(&coded.length_prefixed(), pts, &mut |decoded| {
                shown += 1;
                assert_eq!(decoded.pts, pts);
                let samples = |picture: PictureView<'_>| -> Vec<u8> {
                    picture.planes().iter().flat_map(PlaneView::rows).flatten().copied().collect()
                };
                let seen = psnr(&samples(decoded.picture), &samples(picture.view()));
                assert!(seen > 30.0, "picture {step} has {seen:.1} dB");
                // What is decoded can be encoded again from where it lies.
                let mut again = H264Encoder::new(*encoder.config()).unwrap();
                assert!(again.encode(decoded.picture, false).unwrap().sync);
            })
            .unwrap();
        assert_eq!(shown, 1, "picture {step}");
    }
}

#[test]
fn a_decoder_can_be_moved_to_a_codec_thread() {
    const fn movable<T: Send>() {}
    movable::<H264Decoder>();
}
