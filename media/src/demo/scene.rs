//! What the demo shows: a night sky that changes colour slowly, the name, a clock to the
//! millisecond, a dial whose hand goes round once a second, and a ball that bounces over a river.
//!
//! Lengths are in units of the layout, 1280 wide and 720 high, scaled to the picture and centred.
//! Shapes that stand still are rasterised once; a picture costs a copy of the sky, the water and a
//! few small blends.

use std::f32::consts::TAU;

use super::canvas::{Capsule, Ink, Mask, OPAQUE, Point, draw, stamp};
use super::lettering::Style;
use super::sky::Sky;
use super::water::Water;
use crate::codec::{Picture, PictureSize};
use crate::time::UnixTime;

/// Width and height of the layout.
const LAYOUT: (f32, f32) = (1_280.0, 720.0);
/// Left edge of the name.
const MARGIN: f32 = 72.0;
/// Baseline of the name.
const NAME_BASELINE: f32 = 116.0;
/// Baseline of the clock.
const CLOCK_BASELINE: f32 = 350.0;
/// Height of the line that fills once a second.
const PROGRESS_Y: f32 = 398.0;
/// Baseline of the date and the counter.
const CAPTION_BASELINE: f32 = 452.0;
/// Middle and radius of the dial.
const DIAL: (Point, f32) = ((1_160.0, 94.0), 42.0);
/// Discs in the tail of the dial's hand.
const TAIL: u16 = 56;
/// Top of the water.
const WATER_TOP: f32 = 500.0;
/// Radius of the ball.
const BALL_RADIUS: f32 = 17.0;
/// How high the ball bounces.
const BOUNCE: f64 = 84.0;
/// Seconds for the ball to cross the picture once.
const CROSSING_SECONDS: f64 = 8.0;
/// What the flash keeps of its light from one picture to the next, at 30 pictures a second.
const FLASH_DECAY: f32 = 0.72;

/// Speed to the side and upwards in units a second, and radius, of each drop of the splash.
const SPLASH: [(f32, f32, f32); 6] = [
    (-95.0, 190.0, 2.6),
    (-60.0, 260.0, 3.4),
    (-22.0, 215.0, 2.2),
    (30.0, 240.0, 2.8),
    (66.0, 265.0, 3.2),
    (104.0, 180.0, 2.4),
];
/// Units a second squared.
const GRAVITY: f32 = 1_100.0;

/// The state of one picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Moment {
    /// Count of pictures before it.
    pub(super) picture: u64,
    /// Media time since the start.
    pub(super) seconds: f64,
    /// What the clock shows.
    pub(super) date: UnixTime,
    /// Seconds since the last beat; 0 in the picture of the beat itself.
    pub(super) beat_age: Option<f32>,
}

/// Everything that is prepared once, and the picture it is drawn into.
pub(super) struct Scene {
    picture: Picture,
    sky: Sky,
    water: Water,
    name: Mask,
    tag: Mask,
    zone: Mask,
    counter: Mask,
    clock: Digits,
    fraction: Digits,
    caption: Digits,
    grid: Grid,
    inks: Inks,
}

struct Inks {
    text: Ink,
    quiet: Ink,
    accent: Ink,
    light: Ink,
}

/// From layout units to pixels.
#[derive(Clone, Copy)]
struct Grid {
    scale: f32,
    origin: Point,
}

impl Scene {
    /// Prepares pictures of one size.
    pub(super) fn new(size: PictureSize) -> Self {
        let grid = Grid::new(size);
        let caption = grid.style(22.0, 2.7, 8.0);
        let water_top = grid.point(0.0, WATER_TOP).1 as usize;
        Self {
            picture: Picture::black(size),
            sky: Sky::new(size),
            water: Water::new(size.width() as usize, water_top, f64::from(grid.scale)),
            name: Mask::text("Riverrun", grid.style(46.0, 5.4, 13.5)),
            tag: Mask::text("demo", grid.style(30.0, 3.2, 9.0)),
            zone: Mask::text("UTC", caption),
            counter: Mask::text("frame", caption),
            clock: Digits::new(grid.style(126.0, 11.5, 24.0)),
            fraction: Digits::new(grid.style(78.0, 7.5, 16.0)),
            caption: Digits::new(caption),
            grid,
            inks: Inks {
                text: Ink::rgb(238, 245, 250),
                quiet: Ink::rgb(128, 164, 190),
                accent: Ink::rgb(255, 178, 84),
                light: Ink::rgb(255, 236, 204),
            },
        }
    }

    /// Draws one picture.
    pub(super) fn draw(&mut self, moment: &Moment) -> &Picture {
        self.sky.draw(&mut self.picture, moment.seconds);
        let (ball, touch) = self.ball(moment);
        self.glow(ball);
        self.water.draw(&mut self.picture, moment.seconds);
        self.splash(touch, moment);
        self.fill(&Capsule::disc(ball, BALL_RADIUS * self.grid.scale), self.inks.accent, 1.0);
        self.names();
        self.dial(moment);
        self.clock(moment.date);
        self.progress(moment.date);
        self.captions(moment);
        &self.picture
    }

    /// Middle of the ball, and the point of the water below it. It touches the water on the full
    /// second of the clock.
    fn ball(&self, moment: &Moment) -> (Point, Point) {
        let way = (moment.seconds / CROSSING_SECONDS).rem_euclid(2.0);
        let there_and_back = 1.0 - (1.0 - way).abs();
        let span = f64::from(LAYOUT.0 - 2.0 * MARGIN);
        let x = self.grid.point(MARGIN + (there_and_back * span) as f32, 0.0).0;
        let phase = f64::from(fraction_of_second(moment.date));
        let height = 4.0 * BOUNCE * phase * (1.0 - phase) * f64::from(self.grid.scale);
        let surface = self.water.surface(f64::from(x), moment.seconds);
        let radius = BALL_RADIUS * self.grid.scale;
        ((x, (surface - height) as f32 - radius * 0.6), (x, surface as f32))
    }

    /// Light of the ball on the sky behind it.
    fn glow(&mut self, ball: Point) {
        let radius = BALL_RADIUS * self.grid.scale;
        let glow = Capsule { from: ball, to: ball, radius: radius * 1.6, softness: radius * 3.2 };
        self.fill(&glow, self.inks.accent, 0.22);
    }

    /// Drops that spring from the point of touch on each beat and fall back.
    fn splash(&mut self, touch: Point, moment: &Moment) {
        let Some(age) = moment.beat_age else {
            return;
        };
        let unit = self.grid.scale;
        for (sideways, upwards, radius) in SPLASH {
            let rise = (upwards - GRAVITY / 2.0 * age) * age;
            if rise < 0.0 {
                continue;
            }
            let at = (touch.0 + sideways * age * unit, touch.1 - rise * unit);
            self.fill(&Capsule::disc(at, radius * unit), self.inks.light, 0.8);
        }
    }

    fn names(&mut self) {
        let name = self.grid.point(MARGIN, NAME_BASELINE);
        let style = self.grid.style(46.0, 5.4, 13.5);
        let at = (name.0 - style.margin(), name.1 - style.ascent());
        stamp(&mut self.picture, &self.name, at, self.inks.text, OPAQUE);
        let tag = self.grid.style(30.0, 3.2, 9.0);
        let left = at.0 + self.name.width() as f32 + 14.0 * self.grid.scale;
        let at = (left, name.1 - tag.ascent());
        stamp(&mut self.picture, &self.tag, at, self.inks.accent, OPAQUE);
    }

    /// The hand with its tail, and the flash in the middle.
    fn dial(&mut self, moment: &Moment) {
        let centre = self.grid.point(DIAL.0.0, DIAL.0.1);
        let (radius, unit) = (DIAL.1 * self.grid.scale, self.grid.scale);
        let head = fraction_of_second(moment.date);
        for step in (0..TAIL).rev() {
            let behind = f32::from(step) / f32::from(TAIL);
            let angle = TAU * (head - 0.42 * behind);
            let at = (centre.0 + radius * angle.sin(), centre.1 - radius * angle.cos());
            let disc = Capsule::disc(at, (1.6 + 3.6 * (1.0 - behind).powi(3)) * unit);
            let ink = if step == 0 { self.inks.light } else { self.inks.quiet };
            self.fill(&disc, ink, 0.85 * (1.0 - behind).powi(2) + 0.08);
        }
        let light = moment.beat_age.map_or(0.0, |age| FLASH_DECAY.powf(age * 30.0));
        self.fill(&Capsule::disc(centre, 25.0 * unit), self.inks.quiet, 0.16);
        self.fill(&Capsule::disc(centre, 25.0 * unit), self.inks.light, light);
    }

    fn clock(&mut self, date: UnixTime) {
        let text = date.to_string();
        // "yyyy-mm-ddThh:mm:ss.mmmZ"; years past 9999 only shift the digits.
        let time = text.split_once('T').map_or("", |(_, time)| time).trim_end_matches('Z');
        let (seconds, millis) = time.split_at_checked(8).unwrap_or((time, ""));
        let middle = self.grid.point(LAYOUT.0 / 2.0, CLOCK_BASELINE);
        let left = (middle.0 - self.clock_width() / 2.0, middle.1);
        let end = self.clock.write(&mut self.picture, seconds, left, self.inks.text);
        self.fraction.write(&mut self.picture, millis, (end, middle.1), self.inks.accent);
    }

    fn progress(&mut self, date: UnixTime) {
        let half = self.clock_width() / 2.0;
        let middle = self.grid.point(LAYOUT.0 / 2.0, PROGRESS_Y);
        let (left, right) = (middle.0 - half, middle.0 + half);
        let line = |end: f32, radius: f32| Capsule {
            from: (left, middle.1),
            to: (end, middle.1),
            radius: radius * self.grid.scale,
            softness: 1.0,
        };
        let (track, bar) =
            (line(right, 1.2), line(left + 2.0 * half * fraction_of_second(date), 2.4));
        self.fill(&track, self.inks.quiet, 0.35);
        self.fill(&bar, self.inks.accent, 0.95);
    }

    /// The date on the left, the count of pictures on the right, aligned with the clock.
    fn captions(&mut self, moment: &Moment) {
        let half = self.clock_width() / 2.0;
        let middle = self.grid.point(LAYOUT.0 / 2.0, CAPTION_BASELINE);
        let ink = self.inks.quiet;
        let text = moment.date.to_string();
        let day = text.split_once('T').map_or("", |(day, _)| day);
        let left = (middle.0 - half, middle.1);
        let end = self.caption.write(&mut self.picture, day, left, ink);
        let space = 10.0 * self.grid.scale;
        let top = middle.1 - self.caption.style.ascent();
        stamp(&mut self.picture, &self.zone, (end + space, top), ink, OPAQUE);
        let number = format!("{:07}", moment.picture);
        let width = self.caption.width(&number) - self.caption.style.spacing;
        let left = middle.0 + half - width;
        self.caption.write(&mut self.picture, &number, (left, middle.1), ink);
        let space = space + self.caption.style.spacing;
        let at = (left - space - self.counter.width() as f32, top);
        stamp(&mut self.picture, &self.counter, at, ink, OPAQUE);
    }

    fn clock_width(&self) -> f32 {
        self.clock.width("00:00:00") + self.fraction.width(".000") - self.fraction.style.spacing
    }

    fn fill(&mut self, shape: &Capsule, ink: Ink, opacity: f32) {
        draw(&mut self.picture, shape, ink, opacity);
    }
}

impl Grid {
    fn new(size: PictureSize) -> Self {
        let (width, height) = (size.width() as f32, size.height() as f32);
        let scale = (width / LAYOUT.0).min(height / LAYOUT.1);
        Self {
            scale,
            origin: ((width - LAYOUT.0 * scale) / 2.0, (height - LAYOUT.1 * scale) / 2.0),
        }
    }

    fn point(self, x: f32, y: f32) -> Point {
        (self.origin.0 + x * self.scale, self.origin.1 + y * self.scale)
    }

    fn style(self, height: f32, stroke: f32, spacing: f32) -> Style {
        Style {
            height: height * self.scale,
            stroke: (stroke * self.scale).max(1.0),
            spacing: spacing * self.scale,
        }
    }
}

/// The characters of a date in one size, rasterised once.
struct Digits {
    style: Style,
    glyphs: Vec<(char, Mask)>,
}

impl Digits {
    fn new(style: Style) -> Self {
        let glyph = |character: char| (character, Mask::text(&character.to_string(), style));
        Self { style, glyphs: "0123456789:.-".chars().map(glyph).collect() }
    }

    /// From the pen position of one character to the next.
    fn advance(&self, mask: &Mask) -> f32 {
        mask.width() as f32 - 2.0 * self.style.margin() + self.style.spacing
    }

    fn width(&self, text: &str) -> f32 {
        text.chars().filter_map(|c| self.glyph(c)).map(|mask| self.advance(mask)).sum()
    }

    fn glyph(&self, character: char) -> Option<&Mask> {
        self.glyphs.iter().find_map(|(of, mask)| (*of == character).then_some(mask))
    }

    /// Writes `text` with its baseline starting at `at`; gives the pen position after it.
    fn write(&self, picture: &mut Picture, text: &str, at: Point, ink: Ink) -> f32 {
        let mut pen = at.0;
        for mask in text.chars().filter_map(|character| self.glyph(character)) {
            let corner = (pen - self.style.margin(), at.1 - self.style.ascent());
            stamp(picture, mask, corner, ink, OPAQUE);
            pen += self.advance(mask);
        }
        pen
    }
}

/// 0 at the full second, towards 1 before the next.
fn fraction_of_second(date: UnixTime) -> f32 {
    date.millis().rem_euclid(1_000) as f32 / 1_000.0
}
