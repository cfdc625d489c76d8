import { expect, test } from "vitest";
import { clampSeek, delaySeconds, isAtEdge, shouldJump, smoothDelay } from "../src/player/latency";

test.each([
  [10_000, 8_600, 1.4],
  [10_000, 10_020, 0],
  [10_000, null, null],
  [10_000, Number.NaN, null],
])("delay at %s of a picture made at %s is %s", (now, made, seconds) => {
  expect(delaySeconds(now, made)).toBe(seconds);
});

test("a shown delay is calm but follows jumps", () => {
  expect(smoothDelay(null, 2)).toBe(2);
  expect(smoothDelay(2, null)).toBe(null);
  expect(smoothDelay(1, 1.5)).toBeCloseTo(1.15);
  expect(smoothDelay(1, 9)).toBe(9);
});

test("whoever follows is either at the edge or brought back to it", () => {
  for (const behind of [-1, 0, 2.4, 2.5, 2.6, 30]) {
    expect(isAtEdge(100 - behind, 100)).toBe(!shouldJump(100 - behind, 100));
  }
});

test.each([
  [50, 10, 60, 50],
  [5, 10, 60, 11],
  [99, 10, 60, 60],
  [0, 10, 10.5, 10.5],
])("a seek to %s in %s to %s lands at %s", (target, start, end, landed) => {
  expect(clampSeek(target, start, end)).toBe(landed);
});
