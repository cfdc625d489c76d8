import { expect, test } from "vitest";
import { ProgressWatch, type Verdict } from "../src/player/watch";

/** Looks every 250 ms from `from` for `ms`; `position` and `edge` may depend on the time. */
function run(
  watch: ProgressWatch,
  from: number,
  ms: number,
  position: (now: number) => number,
  edge: (now: number) => number,
): Verdict[] {
  const seen: Verdict[] = [];
  for (let now = from; now < from + ms; now += 250) {
    const verdict = watch.look(position(now), edge(now), false, now);
    if (seen.at(-1) !== verdict) seen.push(verdict);
  }
  return seen;
}

test("a picture that moves is flowing after a while", () => {
  const watch = new ProgressWatch();
  watch.reset(0);
  const clock = (now: number) => now / 1000;
  expect(run(watch, 0, 8_000, clock, clock)).toEqual(["moving", "flowing"]);
});

test("a publisher that is silent for 30 s is waited for", () => {
  const watch = new ProgressWatch();
  watch.reset(0);
  expect(run(watch, 0, 30_000, () => 10, () => 11)).toEqual(["moving", "still"]);
  expect(watch.starvedSeconds).toBeGreaterThan(25);
});

test("an engine that stands still before new media is stuck", () => {
  const watch = new ProgressWatch();
  watch.reset(0);
  const verdicts = run(watch, 0, 12_000, () => 10, (now) => 10 + now / 1000);
  expect(verdicts).toContain("stuck");
});

test("jumps after the edge do not hide that nothing plays", () => {
  const watch = new ProgressWatch();
  watch.reset(0);
  const verdicts: Verdict[] = [];
  for (let now = 0; now < 12_000; now += 250) {
    // Every two seconds the player moves the playhead; by itself it never moves.
    const position = Math.floor(now / 2_000) * 2;
    watch.onJump(position);
    verdicts.push(watch.look(position, position + 2, false, now));
  }
  expect(verdicts).toContain("stuck");
  expect(verdicts).not.toContain("flowing");
});

test("a stall is counted once, and never right after a seek", () => {
  const watch = new ProgressWatch();
  watch.reset(0);
  watch.onWaiting(false, 500);
  watch.onWaiting(true, 5_000);
  expect(watch.stalls).toBe(0);
  watch.onWaiting(false, 5_000);
  watch.onWaiting(false, 5_200);
  expect(watch.stalls).toBe(1);
  watch.onPlaying();
  watch.onWaiting(false, 9_000);
  expect(watch.stalls).toBe(2);
});
