// Asks /api/status again and again and lets the player follow what it says. While nothing is on, the
// server holds the answer back until that changes: a broadcast shows at once and waiting costs little.

import { effect } from "@preact/signals";
import { awaitBroadcast, fetchConfig, fetchStatus, ping, type StatusReply } from "./api";
import { clock, config, phase, player, reachable, serverNow, status } from "./state";

const SECOND = 1_000;
const WHILE_LIVE_MS = 4 * SECOND;
const WHILE_HIDDEN_MS = 10 * SECOND;
/** Only where the server holds nothing back. */
const WHILE_OFFLINE_MS = 1.2 * SECOND;
/** A status that took longer tells nothing about the clock: the server may have held it back. */
const CLOCK_SAMPLE_MS = SECOND;
/** Requests in a row that must fail before we speak of it: one lost packet is nobody's business. */
const FAILURES_SHOWN = 3;
const PING_MS = 8 * SECOND;

let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
/** What ends the wait for a broadcast early; null while no request waits. */
let held: AbortController | null = null;
let inFlight = false;

export function startPolling(): void {
  document.addEventListener("visibilitychange", () => {
    // A tab that nobody sees holds no connection.
    if (document.hidden) held?.abort();
    else pollNow();
  });
  window.addEventListener("online", pollNow);
  setInterval(() => {
    serverNow.value = clock.now();
  }, SECOND);
  setInterval(() => {
    if (phase.value === "live" && !player.paused.value) ping();
  }, PING_MS);
  // The end of a playlist is news that the status has to confirm.
  effect(() => {
    if (player.ended.value) pollNow();
  });
  pollNow();
}

export function pollNow(): void {
  clearTimeout(timer);
  if (held) held.abort();
  else if (!inFlight) void poll();
}

async function poll(): Promise<void> {
  inFlight = true;
  const startedAt = performance.now();
  try {
    accept(await nextStatus());
    if (!reachable.value) player.retry();
    failures = 0;
    reachable.value = true;
    config.value ??= await fetchConfig();
  } catch {
    // Our own change of mind is no failure.
    if (!held?.signal.aborted) failures += 1;
    if (failures >= FAILURES_SHOWN) reachable.value = false;
  } finally {
    held = null;
    inFlight = false;
    timer = setTimeout(() => void poll(), pollDelayMs(performance.now() - startedAt));
  }
}

function nextStatus(): Promise<StatusReply> {
  const waits = status.value?.online === false && !document.hidden && failures === 0;
  if (!waits) return fetchStatus();
  held = new AbortController();
  return awaitBroadcast(held.signal);
}

function accept({ status: next, sentAt, receivedAt }: StatusReply): void {
  if (receivedAt - sentAt < CLOCK_SAMPLE_MS) {
    clock.addSample(Date.parse(next.serverTime), sentAt, receivedAt);
  }
  serverNow.value = clock.now();
  const wasOnline = status.value?.online === true;
  status.value = next;
  if (next.online) {
    player.follow(next.presentation ?? 0);
  } else {
    if (wasOnline) refreshConfig();
    player.finish();
  }
}

function refreshConfig(): void {
  fetchConfig().then(
    (fresh) => {
      config.value = fresh;
    },
    () => undefined,
  );
}

/**
 * Spread by a tenth so that many pages do not ask in step. `tookMs` is how long the last answer took:
 * one that was held back has been waited for already, one that came at once came from a cache or an
 * older server that knows no holding back.
 */
function pollDelayMs(tookMs: number): number {
  const spread = 0.95 + Math.random() * 0.1;
  if (failures > 0) return Math.min(1.5 ** failures * SECOND, 10 * SECOND) * spread;
  if (status.value?.online) return WHILE_LIVE_MS * spread;
  if (document.hidden) return WHILE_HIDDEN_MS * spread;
  return Math.max(0, WHILE_OFFLINE_MS - tookMs) * spread;
}
