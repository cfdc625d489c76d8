import { expect, test } from "vitest";
import { type Moment, reports } from "../src/report";

const calm: Moment = {
  playing: "playing",
  delaySeconds: 1.2344,
  figures: { line: 5_400_000, downloadMs: 81.4, bitrate: 2_500_000 },
  stalls: 3,
  troubles: 1,
  levelChanges: 2,
};

test("figures in the units of CMCD", () => {
  expect(reports("x", calm, calm)).toEqual([
    { sid: "x", sta: "p", ltc: 1234, mtp: 5400, br: 2500, ttlb: 81 },
  ]);
});

test("what happened since the last report", () => {
  const later = { ...calm, stalls: 5, troubles: 2, levelChanges: 4 };
  const told = reports("x", calm, later);
  expect(told[0]).toMatchObject({ bs: true });
  expect(told.slice(1).map((report) => report.e)).toEqual(["e", "bc", "bc"]);
  expect(reports("x", calm, { ...calm, levelChanges: 1_000 })).toHaveLength(11);
});

test("what is not known is left out", () => {
  const figures = { line: null, downloadMs: null, bitrate: null };
  const silent: Moment = { ...calm, playing: "paused", figures };
  expect(reports("x", silent, silent)).toEqual([{ sid: "x", sta: "a" }]);
});
