import { expect, test } from "vitest";
import { StallCushion } from "../src/player/cushion";

test("stalls add up to half a second to the usual distance", () => {
  const cushion = new StallCushion();
  expect(cushion.seconds(0)).toBeCloseTo(0.2);
  const grown = [1_000, 2_000, 3_000, 4_000].map((now) => {
    cushion.onStall(now);
    return cushion.seconds(now);
  });
  expect(grown).toEqual([0.45, 0.7, 0.7, 0.7]);
});

test("half a minute without a stall takes what stalls added back for good", () => {
  const cushion = new StallCushion();
  for (const now of [0, 20_000, 40_000]) cushion.onStall(now);
  expect(cushion.seconds(69_999)).toBeCloseTo(0.7);
  expect(cushion.seconds(70_000)).toBeCloseTo(0.2);
  cushion.onStall(80_000);
  expect(cushion.seconds(80_000)).toBeCloseTo(0.45);
});

test("a stall after a calm time counts as the first, even if nobody asked meanwhile", () => {
  const cushion = new StallCushion();
  cushion.onStall(0);
  cushion.onStall(1_000);
  cushion.onStall(60_000);
  expect(cushion.seconds(60_000)).toBeCloseTo(0.45);
});

test("two stalls within half a minute spend the cushion", () => {
  const cushion = new StallCushion();
  const spent = [0, 20_000, 55_000, 60_000].map((now) => {
    cushion.onStall(now);
    return cushion.isSpent(now);
  });
  expect(spent).toEqual([false, true, false, true]);
  expect(cushion.isSpent(90_000)).toBe(false);
});
