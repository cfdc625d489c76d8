import { expect, test } from "vitest";
import { agoText, clockText, delayText, levelText, viewersText } from "../src/format";

test.each([
  [-3, "0:00"],
  [5.9, "0:05"],
  [754, "12:34"],
  [3_754, "1:02:34"],
  [360_000, "100:00:00"],
])("%s seconds on a clock", (seconds, words) => {
  expect(clockText(seconds)).toBe(words);
});

test.each([
  [1.44, "1.4 s behind"],
  [9.96, "10.0 s behind"],
  [31.2, "31 s behind"],
  [75, "1:15 behind"],
])("a delay of %s", (seconds, words) => {
  expect(delayText(seconds)).toBe(words);
});

test.each([
  [5_000, "5 seconds ago"],
  [-5_000, "now"],
  [119_000, "1 minute ago"],
  [3 * 3_600_000, "3 hours ago"],
  [26 * 3_600_000, "yesterday"],
])("%s ms ago", (ms, words) => {
  expect(agoText(1_000_000_000_000 - ms, 1_000_000_000_000, "en")).toBe(words);
});

test.each([
  [1920, 1080, 60, 6_000_000, "1080p60"],
  [1920, 1080, 59.94, 6_000_000, "1080p60"],
  [1280, 720, 30, 2_000_000, "720p"],
  [720, 1280, 25, 2_000_000, "720p"],
  [0, 0, 0, 2_500_000, "2.5 Mbit/s"],
])("a level of %sx%s at %s", (width, height, fps, bitrate, words) => {
  expect(levelText(width, height, fps, bitrate)).toBe(words);
});

test("viewers are counted in words", () => {
  expect(viewersText(1)).toBe("1 viewer");
  expect(viewersText(12)).toBe("12 viewers");
});
