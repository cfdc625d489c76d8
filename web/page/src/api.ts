// What the server tells the page: the shapes of /api/status and /api/config that we use, the facts
// embedded in the HTML, and one request function with a deadline.

/** `/api/status`, Owncast 0.2.3 names; `presentation` is ours. */
export interface Status {
  serverTime: string;
  lastConnectTime: string | null;
  lastDisconnectTime: string | null;
  versionNumber: string;
  streamTitle: string;
  /** Left out when zero or hidden. */
  viewerCount?: number;
  online: boolean;
  /** Changes when the multivariant playlist has other tracks and must be loaded anew. */
  presentation?: number;
}

/** The part of `/api/config` that the page shows. */
export interface Config {
  name: string;
  summary: string;
  version: string;
  streamTitle?: string;
  /** HTML made safe by the server. */
  offlineMessage: string;
  /** HTML made safe by the server. */
  extraPageContent: string;
  logo: string;
  tags: string[];
  socialHandles: { platform?: string; url?: string; icon?: string }[];
  hideViewerCount: boolean;
}

export interface Facts {
  status: Status;
  config: Config;
}

/** A status with the moment it was asked for and received, for the clock (clock.ts). */
export interface StatusReply {
  status: Status;
  sentAt: number;
  receivedAt: number;
}

const DEADLINE_MS = 8_000;
/** The server holds an answer back for 20 s. */
const HELD_DEADLINE_MS = 30_000;

export async function fetchStatus(): Promise<StatusReply> {
  const sentAt = Date.now();
  const status = await getJson<Status>("/api/status");
  return { status, sentAt, receivedAt: Date.now() };
}

/** As fetchStatus, but while nothing is on the server answers only when that changes, or after 20 s. */
export async function awaitBroadcast(signal: AbortSignal): Promise<StatusReply> {
  const sentAt = Date.now();
  const status = await getJson<Status>("/api/status?while=offline", HELD_DEADLINE_MS, signal);
  return { status, sentAt, receivedAt: Date.now() };
}

export function fetchConfig(): Promise<Config> {
  return getJson<Config>("/api/config");
}

/** Counts this viewer as present; the answer does not matter. */
export function ping(): void {
  request("/api/ping").catch(() => undefined);
}

/** Tells the server something; what becomes of it does not matter. */
export function send(path: string, body: unknown): void {
  fetch(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
    credentials: "same-origin",
    signal: AbortSignal.timeout(DEADLINE_MS),
  }).catch(() => undefined);
}

/** The facts the server wrote into the page, or null when it is opened without one. */
export function embeddedFacts(): Facts | null {
  const text = document.getElementById("facts")?.textContent;
  if (!text) return null;
  try {
    return JSON.parse(text) as Facts;
  } catch {
    return null;
  }
}

async function getJson<T>(path: string, deadlineMs = DEADLINE_MS, cancel?: AbortSignal): Promise<T> {
  const response = await request(path, deadlineMs, cancel);
  return (await response.json()) as T;
}

async function request(
  path: string,
  deadlineMs = DEADLINE_MS,
  cancel?: AbortSignal,
): Promise<Response> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const response = await fetch(path, {
    cache: "no-store",
    credentials: "same-origin",
    signal: cancel ? either(cancel, deadline) : deadline,
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

/** AbortSignal.any, which browsers of 2023 lack. */
function either(first: AbortSignal, second: AbortSignal): AbortSignal {
  const both = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) both.abort(signal.reason);
    signal.addEventListener("abort", () => both.abort(signal.reason), { once: true });
  }
  return both.signal;
}
