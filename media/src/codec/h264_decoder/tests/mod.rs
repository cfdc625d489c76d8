mod stream;

use stream::{Stream, reference, x264};

use super::*;

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
