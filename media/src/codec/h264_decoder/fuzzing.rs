//! Hostile access units through the real library: what comes out is what the configuration says, in
//! order, and every error ends in the wait for an IDR picture.

use crate::codec::{DecodedPicture, H264Decoder};
use crate::cursor::Cursor;
use crate::h264::AvcConfig;
use crate::time::{MediaTime, Timescale};

/// Largest picture that is decoded, in pixels; larger ones only slow the search down.
const PIXELS_MAX: u32 = 640 * 480;

/// Blocks behind lengths of two bytes: configuration records and access units. A block that starts
/// with the version of a record and reads as one is a record.
pub fn h264_decode(data: &[u8]) {
    let mut cursor = Cursor::new(data);
    let mut decoder: Option<H264Decoder> = None;
    let mut last = None;
    let mut pts = 0;
    while let Ok(len) = cursor.u16() {
        let block = cursor.take(usize::from(len).min(cursor.len())).unwrap_or_default();
        let config = AvcConfig::parse(block).ok().map(|(config, _)| config).filter(|config| {
            let sps = config.sps();
            sps.coded_width * sps.coded_height <= PIXELS_MAX
        });
        let size = decoder.as_ref().map(H264Decoder::size);
        let mut each = |decoded: DecodedPicture<'_>| {
            assert!(last < Some(decoded.pts), "{last:?} before {:?}", decoded.pts);
            last = Some(decoded.pts);
            assert_eq!(Some(decoded.picture.size()), size);
            let [luma, cb, cr] = decoded.picture.planes();
            // Every sample can be read.
            let samples = [luma, cb, cr].iter().flat_map(|plane| plane.rows()).flatten().count();
            assert_eq!(samples, luma.width() * luma.height() * 3 / 2);
        };
        match (&mut decoder, config) {
            (None, Some(config)) => decoder = H264Decoder::new(&config).ok(),
            (Some(decoder), Some(config)) => {
                // Refused sets leave the old ones.
                let _ = decoder.configure(&config, &mut each);
            }
            (None, None) => {}
            (Some(decoder), None) => {
                // Pairs of units swap their times, as a B picture and the one after it.
                pts += 3_600;
                let shown = if pts / 3_600 % 3 == 0 { pts - 5_000 } else { pts };
                let time = MediaTime::new(shown, Timescale::VIDEO);
                let decoded = decoder.decode(block, time, &mut each);
                assert!(decoded.is_ok() || decoder.awaits_idr());
            }
        }
    }
}
