import { expect, test } from "vitest";
import { Recovery } from "../src/player/recovery";

test("network faults restart with growing pauses and are told after a while", () => {
  const recovery = new Recovery();
  const remedies = Array.from({ length: 7 }, () => recovery.next("network", 0));
  expect(remedies.map((remedy) => remedy.delayMs)).toEqual([400, 800, 1600, 3200, 6400, 8000, 8000]);
  expect(remedies.map((remedy) => remedy.tellViewer)).toEqual([
    false, false, false, false, true, true, true,
  ]);
  expect(remedies.every((remedy) => remedy.action === "restart")).toBe(true);
});

test("a decoder fault is repaired once, then started over", () => {
  const recovery = new Recovery();
  expect(recovery.next("media", 0)).toEqual({ action: "repair", delayMs: 0, tellViewer: false });
  expect(recovery.next("media", 3_000).action).toBe("restart");
  expect(recovery.next("media", 60_000).action).toBe("repair");
});

test("success forgets", () => {
  const recovery = new Recovery();
  for (let i = 0; i < 9; i += 1) recovery.next("network", 0);
  recovery.succeed();
  expect(recovery.next("network", 0)).toEqual({ action: "restart", delayMs: 400, tellViewer: false });
});

test("a silent engine has cost much time already: the second is told", () => {
  const recovery = new Recovery();
  expect(recovery.next("silent", 0)).toEqual({ action: "restart", delayMs: 1_600, tellViewer: false });
  expect(recovery.next("silent", 15_000)).toEqual({ action: "restart", delayMs: 8_000, tellViewer: true });
});
