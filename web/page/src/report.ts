// Tells the server each ten seconds how playing goes, so that its operator sees what viewers see:
// delay, speed of the line, stops, changes of quality. As CMCD (CTA-5004) in JSON. The name of the
// session is random, lives as long as the page is open and says nothing of who watches.

import { send } from "./api";
import type { LineFigures } from "./player/engine";
import { player } from "./state";

const INTERVAL_MS = 10_000;
/** Of one kind in one report: a player that does nothing else needs no more to be seen. */
const EVENTS_MAX = 10;

/** What playing is like at a moment; counts since the page was opened. */
export interface Moment {
  playing: "starting" | "playing" | "paused" | "waiting" | "ended";
  delaySeconds: number | null;
  figures: LineFigures;
  stalls: number;
  troubles: number;
  levelChanges: number;
}

/** The keys of CMCD that are sent. */
export interface Report {
  sid: string;
  sta?: string;
  ltc?: number;
  mtp?: number;
  br?: number;
  ttlb?: number;
  bs?: boolean;
  e?: "e" | "bc";
}

const STATES = { starting: "s", playing: "p", paused: "a", waiting: "w", ended: "e" } as const;

/** What happened between two moments: the figures of the later one, and one report for each event. */
export function reports(sid: string, before: Moment, now: Moment): Report[] {
  const { line, downloadMs, bitrate } = now.figures;
  const first: Report = { sid, sta: STATES[now.playing] };
  // A paused picture grows old, and that is no fault of the line.
  if (now.delaySeconds !== null && now.playing === "playing") {
    first.ltc = Math.max(0, Math.round(now.delaySeconds * 1000));
  }
  if (line !== null) first.mtp = Math.round(line / 1000);
  if (bitrate !== null) first.br = Math.round(bitrate / 1000);
  if (downloadMs !== null) first.ttlb = Math.round(downloadMs);
  if (now.stalls > before.stalls) first.bs = true;
  const events = (count: number, e: "e" | "bc"): Report[] =>
    Array.from({ length: Math.min(Math.max(0, count), EVENTS_MAX) }, () => ({ sid, e }));
  return [
    first,
    ...events(now.troubles - before.troubles, "e"),
    ...events(now.levelChanges - before.levelChanges, "bc"),
  ];
}

export function startReporting(): void {
  const sid = sessionName();
  let before = moment();
  setInterval(() => {
    const now = moment();
    const isNews = player.started.value || now.troubles > before.troubles;
    if (player.wanted.value && isNews) send("/api/metrics/cmcd", reports(sid, before, now));
    before = now;
  }, INTERVAL_MS);
}

function moment(): Moment {
  return {
    playing: playing(),
    delaySeconds: player.delay.value,
    figures: player.figures,
    stalls: player.stalls,
    troubles: player.troubles,
    levelChanges: player.levelChanges,
  };
}

function playing(): Moment["playing"] {
  if (!player.started.value) return "starting";
  if (player.ended.value) return "ended";
  if (player.paused.value) return "paused";
  return player.starvedSeconds.value > 0 ? "waiting" : "playing";
}

/** randomUUID is missing on pages without HTTPS. */
function sessionName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
