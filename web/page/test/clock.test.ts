import { expect, test } from "vitest";
import { ServerClock } from "../src/clock";

test("the quickest exchange decides", () => {
  const clock = new ServerClock();
  expect(clock.offsetMs).toBe(0);
  clock.addSample(5_400, 1_000, 1_800);
  expect(clock.offsetMs).toBe(4_000);
  clock.addSample(6_030, 2_000, 2_040);
  expect(clock.offsetMs).toBe(4_010);
  clock.addSample(9_000, 3_000, 5_000);
  expect(clock.offsetMs).toBe(4_010);
});

test("nonsense is not a sample", () => {
  const clock = new ServerClock();
  clock.addSample(Number.NaN, 0, 10);
  clock.addSample(5_000, 20, 10);
  expect(clock.offsetMs).toBe(0);
});
