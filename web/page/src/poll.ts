// Asks /api/status again and again and lets the player follow what it says.

import { effect } from "@preact/signals";
import { fetchConfig, fetchStatus, ping, type StatusReply } from "./api";
import { clock, config, phase, player, reachable, serverNow, status } from "./state";

const SECOND = 1_000;
const WHILE_LIVE_MS = 4 * SECOND;
/** Requests in a row that must fail before we speak of it: one lost packet is nobody's business. */
const FAILURES_SHOWN = 3;
const PING_MS = 8 * SECOND;

let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
let offlineSince = 0;
let inFlight = false;

export function startPolling(): void {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) pollNow();
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
  if (!inFlight) void poll();
}

async function poll(): Promise<void> {
  inFlight = true;
  try {
    accept(await fetchStatus());
    if (!reachable.value) player.retry();
    failures = 0;
    reachable.value = true;
    config.value ??= await fetchConfig();
  } catch {
    failures += 1;
    if (failures >= FAILURES_SHOWN) reachable.value = false;
  } finally {
    inFlight = false;
    timer = setTimeout(() => void poll(), pollDelayMs());
  }
}

function accept({ status: next, sentAt, receivedAt }: StatusReply): void {
  clock.addSample(Date.parse(next.serverTime), sentAt, receivedAt);
  serverNow.value = clock.now();
  const wasOnline = status.value?.online === true;
  status.value = next;
  if (next.online) {
    offlineSince = 0;
    player.follow(next.presentation ?? 0);
  } else {
    offlineSince ||= Date.now();
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
 * Someone who waits for a broadcast should see it within two seconds; a tab forgotten for hours
 * should cost nearly nothing. Spread by a tenth so that many pages do not ask in step.
 */
function pollDelayMs(): number {
  const spread = 0.95 + Math.random() * 0.1;
  if (failures > 0) return Math.min(1.5 ** failures * SECOND, 10 * SECOND) * spread;
  if (status.value?.online) return WHILE_LIVE_MS * spread;
  if (document.hidden) return 10 * SECOND * spread;
  const waitedMin = offlineSince ? (Date.now() - offlineSince) / (60 * SECOND) : 0;
  if (waitedMin < 15) return 1.2 * SECOND * spread;
  return (waitedMin < 60 ? 2.5 : 5) * SECOND * spread;
}
