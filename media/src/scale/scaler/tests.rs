use super::*;
use crate::codec::Plane;

fn size(width: u32, height: u32) -> PictureSize {
    PictureSize::new(width, height).unwrap()
}

/// A picture whose planes are drawn by functions of the luma position in 0..1 of the whole.
fn drawn(
    size: PictureSize,
    luma: impl Fn(f64, f64) -> f64,
    cb: impl Fn(f64, f64) -> f64,
) -> Picture {
    let mut picture = Picture::black(size);
    let (width, height) = (f64::from(size.width()), f64::from(size.height()));
    let [y_plane, cb_plane, cr_plane] = picture.planes_mut();
    fill(y_plane, |x, y| luma((x + 0.5) / width, (y + 0.5) / height));
    // Sited on the left luma sample, and between the two rows.
    fill(cb_plane, |x, y| cb((2.0 * x + 0.5) / width, (2.0 * y + 1.0) / height));
    fill(cr_plane, |x, y| 255.0 - cb((2.0 * x + 0.5) / width, (2.0 * y + 1.0) / height));
    picture
}

fn fill(plane: &mut Plane, value: impl Fn(f64, f64) -> f64) {
    for y in 0..plane.height() {
        for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
            *sample = value(x as f64, y as f64).round() as u8;
        }
    }
}

fn scaled(source: &Picture, target: PictureSize) -> Picture {
    let mut picture = Picture::black(target);
    Scaler::new(source.size(), target).scale(source.view(), &mut picture);
    picture
}

/// Largest difference between samples of two planes, leaving out `margin` samples at each edge.
fn difference(a: &Plane, b: &Plane, margin: usize) -> u8 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let rows = margin..a.height() - margin;
    let differences = rows.flat_map(|y| {
        let columns = margin..a.width() - margin;
        columns.map(move |x| a.row(y)[x].abs_diff(b.row(y)[x]))
    });
    differences.max().unwrap()
}

const SIZES: [((u32, u32), (u32, u32)); 10] = [
    ((1920, 1080), (1280, 720)),
    ((1280, 720), (854, 480)),
    ((854, 480), (640, 360)),
    ((1920, 1080), (640, 360)),
    ((1920, 1080), (426, 240)),
    ((720, 576), (1024, 576)),
    ((70, 46), (34, 22)),
    ((30, 18), (16, 16)),
    ((16, 16), (50, 34)),
    ((640, 16), (16, 16)),
];

#[test]
fn flat_pictures_stay_flat() {
    for (source, target) in SIZES {
        for value in [0, 1, 16, 128, 235, 254, 255] {
            let flat = f64::from(value);
            let source = drawn(size(source.0, source.1), |_, _| flat, |_, _| flat);
            let target = scaled(&source, size(target.0, target.1));
            for (plane, value) in
                [(target.luma(), value), (target.cb(), value), (target.cr(), 255 - value)]
            {
                let all = (0..plane.height()).flat_map(|y| plane.row(y));
                assert!(all.clone().all(|&sample| sample == value), "{value} to {target:?}");
            }
        }
    }
}

#[test]
fn slopes_stay_where_they_are() {
    // A slope shows every shift: a quarter of a sample is two steps of brightness or more.
    let across = |x: f64, _: f64| 10.0 + 235.0 * x;
    let down = |_: f64, y: f64| 10.0 + 235.0 * y;
    for (source, target) in SIZES {
        for slope in [&across as &dyn Fn(f64, f64) -> f64, &down] {
            let source = drawn(size(source.0, source.1), slope, slope);
            let target = size(target.0, target.1);
            let expected = drawn(target, slope, slope);
            let found = scaled(&source, target);
            let steps = 235.0 / f64::from(target.width().min(target.height()));
            let allowed = 1 + (0.08 * steps) as u8;
            let margin = if target.height() < 40 { 3 } else { 4 };
            for (found, expected) in [
                (found.luma(), expected.luma()),
                (found.cb(), expected.cb()),
                (found.cr(), expected.cr()),
            ] {
                let off = difference(found, expected, margin.min(found.height() / 2 - 1));
                assert!(off <= allowed, "{:?} to {target:?}: {off}", source.size());
            }
        }
    }
}

#[test]
fn an_edge_of_colour_stays_on_its_edge_of_light() {
    // Light and colour change at one place; after a cascade of three they still do. The edge is
    // soft, for where a hard one lies depends on where it is sampled.
    let edge = |x: f64, _: f64| 60.0 + 140.0 * ((x - 0.5) * 40.0 + 0.5).clamp(0.0, 1.0);
    let mut picture = drawn(size(1920, 1080), edge, edge);
    for (width, height) in [(1280, 720), (854, 480), (640, 360)] {
        picture = scaled(&picture, size(width, height));
        let crossing = |plane: &Plane, lead: f64| {
            let row = plane.row(plane.height() / 2);
            let right = row.iter().position(|&sample| sample >= 130).unwrap();
            let (below, above) = (f64::from(row[right - 1]), f64::from(row[right]));
            let x = right as f64 - (above - 130.0) / (above - below);
            (x + 0.5 - lead) / row.len() as f64 * f64::from(width)
        };
        let (luma, cb) = (crossing(picture.luma(), 0.0), crossing(picture.cb(), 0.25));
        assert!((luma - f64::from(width) / 2.0).abs() < 0.1, "{width}: light at {luma}");
        assert!((cb - luma).abs() < 0.1, "{width}: light at {luma}, colour at {cb}");
    }
}

#[test]
fn fine_patterns_turn_grey_rather_than_coarse() {
    // Lines of one pixel cannot be shown at half the size: anything but grey is aliasing.
    let lines = |x: f64, _: f64| if ((x * 640.0) as u32).is_multiple_of(2) { 16.0 } else { 235.0 };
    let source = drawn(size(640, 64), lines, |_, _| 128.0);
    let target = scaled(&source, size(320, 32));
    let row = target.luma().row(16);
    assert!(row[4..316].iter().all(|sample| (120..=131).contains(sample)), "{row:?}");
}

#[test]
fn a_borrowed_picture_needs_no_padding() {
    use crate::codec::{PictureView, PlaneView};
    let picture = drawn(size(70, 46), |x, y| 200.0 * x + 40.0 * y, |x, _| 255.0 * x);
    let tight = |plane: &Plane| -> Vec<u8> {
        (0..plane.height()).flat_map(|y| plane.row(y).to_vec()).collect()
    };
    let (luma, cb, cr) = (tight(picture.luma()), tight(picture.cb()), tight(picture.cr()));
    let view = PictureView::new(
        picture.size(),
        PlaneView::new(&luma, 70, 46, 70).unwrap(),
        PlaneView::new(&cb, 35, 23, 35).unwrap(),
        PlaneView::new(&cr, 35, 23, 35).unwrap(),
    );
    let target = size(34, 22);
    let mut found = Picture::black(target);
    let mut scaler = Scaler::new(size(16, 16), size(16, 16));
    scaler.scale(view.unwrap(), &mut found);
    assert_eq!(found, scaled(&picture, target));
    assert_eq!(scaler.source(), picture.size());
}
