import { expect, test } from "vitest";
import { StallCushion } from "../src/player/cushion";

test("stalls add distance up to half a second", () => {
  const cushion = new StallCushion();
  expect(cushion.seconds(0)).toBe(0);
  const grown = [1_000, 2_000, 3_000, 4_000].map((now) => {
    cushion.onStall(now);
    return cushion.seconds(now);
  });
  expect(grown).toEqual([0.25, 0.5, 0.5, 0.5]);
});

test("half a minute without a stall takes the distance back for good", () => {
  const cushion = new StallCushion();
  for (const now of [0, 20_000, 40_000]) cushion.onStall(now);
  expect(cushion.seconds(69_999)).toBe(0.5);
  expect(cushion.seconds(70_000)).toBe(0);
  cushion.onStall(80_000);
  expect(cushion.seconds(80_000)).toBe(0.25);
});

test("a stall after a calm time counts as the first, even if nobody asked meanwhile", () => {
  const cushion = new StallCushion();
  cushion.onStall(0);
  cushion.onStall(1_000);
  cushion.onStall(60_000);
  expect(cushion.seconds(60_000)).toBe(0.25);
});
