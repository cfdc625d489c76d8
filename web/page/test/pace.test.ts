import { expect, test } from "vitest";
import { Pace } from "../src/player/pace";

test("small differences are left alone, in both directions", () => {
  const pace = new Pace();
  for (const behind of [-1, 0, 0.05, 0.2, 0.35]) expect(pace.rate(behind, 2)).toBe(1);
});

test("catching up begins late and ends late, so the speed does not flip", () => {
  const pace = new Pace();
  expect(pace.rate(0.4, 1)).toBeGreaterThan(1);
  expect(pace.rate(0.2, 1)).toBeGreaterThan(1);
  expect(pace.rate(0.07, 1)).toBeGreaterThan(1);
  expect(pace.rate(0.05, 1)).toBe(1);
  expect(pace.rate(0.2, 1)).toBe(1);
});

test("the further behind the faster, up to a limit that voices bear", () => {
  const rates = [0.4, 0.8, 1.2, 2.4].map((behind) => new Pace().rate(behind, 1));
  expect(rates).toEqual([...rates].sort((a, b) => a - b));
  expect(rates.at(-1)).toBeCloseTo(1.08);
});

test("a viewer with little to play is not hurried into a stall", () => {
  const pace = new Pace();
  expect(pace.rate(1, 0.3)).toBe(1);
  expect(pace.rate(1, 0.5)).toBeGreaterThan(1);
});
