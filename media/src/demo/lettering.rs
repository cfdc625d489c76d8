//! Letters and digits drawn from strokes: a monoline alphabet with round ends, small enough to be
//! read here and free of any font file.
//!
//! A glyph is a set of polylines in a box whose baseline is y = 0 and whose capitals reach y = 1;
//! small letters reach [`X_HEIGHT`]. [`Mask::text`] turns text into coverage by distance to the
//! strokes, which anti-aliases at every size. It holds only the characters the demo shows; others
//! are drawn as a gap.

use super::canvas::Mask;

/// Height of small letters without ascender, in capital heights.
const X_HEIGHT: f32 = 0.7;
/// Width of a digit's cell without the space after it: all digits are equally wide, so that a
/// running clock does not tremble.
const DIGIT_WIDTH: f32 = 0.56;
/// Segments of a full turn; 48 keep the corners below a tenth of a pixel at clock size.
const SEGMENTS_PER_TURN: f32 = 48.0;
/// Dots are this much thicker than strokes, or they look thin.
const DOT_WEIGHT: f32 = 1.35;

/// How text is set. All lengths in pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Style {
    /// Height of a capital letter between the middles of its strokes.
    pub(super) height: f32,
    /// Width of a stroke.
    pub(super) stroke: f32,
    /// Space between two glyphs.
    pub(super) spacing: f32,
}

/// A straight stroke in glyph units, with its thickness relative to the style's.
#[derive(Clone, Copy)]
struct Stroke {
    from: (f32, f32),
    to: (f32, f32),
    weight: f32,
}

impl Mask {
    /// Rasterises one line of text. The baseline of the text lies at [`Style::ascent`] below the
    /// top of the mask.
    pub(super) fn text(text: &str, style: Style) -> Self {
        let mut strokes = Vec::new();
        let mut pen = style.margin();
        for character in text.chars() {
            let glyph = Glyph::of(character);
            strokes.extend(glyph.strokes.iter().map(|stroke| Stroke {
                from: style.place(pen, stroke.from),
                to: style.place(pen, stroke.to),
                weight: stroke.weight * style.stroke / 2.0,
            }));
            pen += glyph.width * style.height + style.spacing;
        }
        let width = pen - style.spacing + style.margin();
        let height = style.ascent() + style.margin();
        Self::from_coverage(even(width), even(height), |x, y| {
            let nearest = strokes.iter().map(|stroke| {
                super::canvas::segment_distance((x, y), stroke.from, stroke.to) - stroke.weight
            });
            0.5 - nearest.fold(f32::INFINITY, f32::min)
        })
    }
}

impl Style {
    /// From the top of a mask to the baseline.
    pub(super) fn ascent(self) -> f32 {
        self.margin() + self.height
    }

    /// Room for half a stroke and the soft edge.
    pub(super) fn margin(self) -> f32 {
        (self.stroke * DOT_WEIGHT / 2.0 + 1.0).ceil()
    }

    fn place(self, pen: f32, (x, y): (f32, f32)) -> (f32, f32) {
        (pen + x * self.height, self.ascent() - y * self.height)
    }
}

/// The next even whole number: masks start on chroma samples.
fn even(length: f32) -> usize {
    (length.max(0.0).ceil() as usize).next_multiple_of(2)
}

/// The shape of one character.
struct Glyph {
    width: f32,
    strokes: Vec<Stroke>,
}

impl Glyph {
    fn of(character: char) -> Self {
        let mut glyph = Self { width: DIGIT_WIDTH, strokes: Vec::new() };
        match character {
            '0'..='9' => glyph.digit(character),
            'R' | 'U' | 'T' | 'C' => glyph.capital(character),
            'a'..='z' => glyph.small(character),
            _ => glyph.sign(character),
        }
        glyph
    }

    fn digit(&mut self, character: char) {
        match character {
            '0' => {
                self.arc((0.28, 0.7), (0.28, 0.3), 0.0, 180.0);
                self.arc((0.28, 0.3), (0.28, 0.3), 180.0, 360.0);
                self.line(&[(0.0, 0.7), (0.0, 0.3)]);
                self.line(&[(0.56, 0.7), (0.56, 0.3)]);
            }
            '1' => self.line(&[(0.1, 0.8), (0.33, 1.0), (0.33, 0.0)]),
            '2' => {
                self.arc((0.28, 0.72), (0.27, 0.28), 165.0, -42.0);
                self.line(&[(0.48, 0.533), (0.01, 0.0), (0.56, 0.0)]);
            }
            '3' => {
                self.arc((0.27, 0.76), (0.24, 0.24), 150.0, -90.0);
                self.arc((0.27, 0.26), (0.28, 0.26), 90.0, -155.0);
            }
            '4' => {
                self.line(&[(0.42, 1.0), (0.0, 0.28), (0.57, 0.28)]);
                self.line(&[(0.42, 1.0), (0.42, 0.0)]);
            }
            '5' => {
                self.line(&[(0.5, 1.0), (0.1, 1.0), (0.06, 0.548)]);
                self.arc((0.26, 0.315), (0.29, 0.315), 133.0, -150.0);
            }
            '6' => {
                self.arc((0.28, 0.31), (0.28, 0.31), 0.0, 360.0);
                self.arc((0.56, 0.31), (0.56, 0.69), 180.0, 102.0);
            }
            '7' => self.line(&[(0.02, 1.0), (0.56, 1.0), (0.19, 0.0)]),
            '8' => {
                self.arc((0.28, 0.76), (0.235, 0.24), 0.0, 360.0);
                self.arc((0.28, 0.26), (0.28, 0.26), 0.0, 360.0);
            }
            _ => {
                self.arc((0.28, 0.69), (0.28, 0.31), 0.0, 360.0);
                self.arc((0.0, 0.69), (0.56, 0.69), 0.0, -78.0);
            }
        }
    }

    fn capital(&mut self, character: char) {
        match character {
            'R' => {
                self.line(&[(0.0, 0.0), (0.0, 1.0), (0.27, 1.0)]);
                self.arc((0.27, 0.74), (0.26, 0.26), 90.0, -90.0);
                self.line(&[(0.0, 0.48), (0.27, 0.48), (0.54, 0.0)]);
            }
            'U' => {
                self.line(&[(0.0, 1.0), (0.0, 0.29)]);
                self.arc((0.29, 0.29), (0.29, 0.29), 180.0, 360.0);
                self.line(&[(0.58, 0.29), (0.58, 1.0)]);
            }
            'T' => {
                self.line(&[(0.0, 1.0), (0.58, 1.0)]);
                self.line(&[(0.29, 1.0), (0.29, 0.0)]);
            }
            _ => self.arc((0.38, 0.5), (0.38, 0.5), 48.0, 312.0),
        }
        self.width = if character == 'C' { 0.64 } else { 0.58 };
    }

    fn small(&mut self, character: char) {
        let middle = X_HEIGHT / 2.0;
        let shoulder = X_HEIGHT - 0.27;
        self.width = 0.54;
        match character {
            'i' => {
                self.line(&[(0.0, 0.0), (0.0, X_HEIGHT)]);
                self.dot(0.0, 0.97);
                self.width = 0.0;
            }
            'v' => self.line(&[(0.0, X_HEIGHT), (0.27, 0.0), (0.54, X_HEIGHT)]),
            'e' => {
                self.arc((0.3, middle), (0.3, middle), 0.0, 318.0);
                self.line(&[(0.0, middle), (0.6, middle)]);
                self.width = 0.6;
            }
            'r' => {
                self.line(&[(0.0, 0.0), (0.0, X_HEIGHT)]);
                self.arc((0.28, shoulder), (0.28, 0.27), 180.0, 72.0);
                self.width = 0.34;
            }
            'u' => {
                self.line(&[(0.0, X_HEIGHT), (0.0, 0.27)]);
                self.arc((0.27, 0.27), (0.27, 0.27), 180.0, 360.0);
                self.line(&[(0.54, X_HEIGHT), (0.54, 0.0)]);
            }
            'n' => self.arches(1, 0.27),
            'm' => {
                self.arches(2, 0.24);
                self.width = 0.96;
            }
            'o' => {
                self.arc((0.31, middle), (0.31, middle), 0.0, 360.0);
                self.width = 0.62;
            }
            'a' | 'd' => {
                self.arc((0.29, middle), (0.29, middle), 0.0, 360.0);
                self.line(&[(0.58, 0.0), (0.58, if character == 'd' { 1.0 } else { X_HEIGHT })]);
                self.width = 0.58;
            }
            'f' => {
                self.arc((0.33, 0.8), (0.19, 0.2), 78.0, 180.0);
                self.line(&[(0.14, 0.8), (0.14, 0.0)]);
                self.line(&[(0.0, X_HEIGHT), (0.34, X_HEIGHT)]);
                self.width = 0.36;
            }
            _ => {}
        }
    }

    /// A stem and `count` arches to its right: n and m.
    fn arches(&mut self, count: u8, radius: f32) {
        let shoulder = X_HEIGHT - 0.27;
        self.line(&[(0.0, 0.0), (0.0, X_HEIGHT)]);
        for arch in 0..count {
            let left = f32::from(arch) * 2.0 * radius;
            let right = left + 2.0 * radius;
            self.arc((left + radius, shoulder), (radius, 0.27), 180.0, 0.0);
            self.line(&[(right, shoulder), (right, 0.0)]);
        }
    }

    fn sign(&mut self, character: char) {
        match character {
            ':' => {
                self.dot(0.09, 0.24);
                self.dot(0.09, 0.72);
                self.width = 0.18;
            }
            '.' => {
                self.dot(0.07, 0.02);
                self.width = 0.14;
            }
            '-' => {
                self.line(&[(0.04, 0.45), (0.36, 0.45)]);
                self.width = 0.4;
            }
            _ => self.width = 0.34,
        }
    }

    fn line(&mut self, points: &[(f32, f32)]) {
        for pair in points.windows(2) {
            if let [from, to] = *pair {
                self.strokes.push(Stroke { from, to, weight: 1.0 });
            }
        }
    }

    /// Part of an ellipse, between two angles in degrees counted against the clock from the right.
    fn arc(&mut self, centre: (f32, f32), radius: (f32, f32), from: f32, to: f32) {
        let segments = ((to - from).abs() / 360.0 * SEGMENTS_PER_TURN).ceil().max(1.0);
        let point = |step: f32| {
            let angle = (from + (to - from) * step / segments).to_radians();
            (centre.0 + radius.0 * angle.cos(), centre.1 + radius.1 * angle.sin())
        };
        let points: Vec<_> = (0..=segments as u16).map(|step| point(f32::from(step))).collect();
        self.line(&points);
    }

    fn dot(&mut self, x: f32, y: f32) {
        self.strokes.push(Stroke { from: (x, y), to: (x, y), weight: DOT_WEIGHT });
    }
}
