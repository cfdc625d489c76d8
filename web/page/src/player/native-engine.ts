// The browser's own HLS, for iPhones without Managed Media Source. It hides its levels and its
// latency, so the quality menu stays empty and the window comes from `seekable`.

import type { Engine, EngineEvents, LineFigures, LiveWindow } from "./engine";

/** Apple's player keeps about three parts from the end of `seekable` by itself. */
const HOLD_BACK_S = 1;

export class NativeEngine implements Engine {
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;
  readonly #listening = new AbortController();

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
    const { signal } = this.#listening;
    video.addEventListener("loadedmetadata", () => events.onTracks([], null, "shown"), { signal });
    video.addEventListener("error", () => this.#onError(), { signal });
  }

  load(url: string): void {
    this.#video.src = url;
    this.#video.load();
  }

  window(): LiveWindow | null {
    const { seekable } = this.#video;
    if (seekable.length === 0) return null;
    const start = seekable.start(0);
    const edge = seekable.end(seekable.length - 1);
    return { start, live: Math.max(start, edge - HOLD_BACK_S), edge };
  }

  playingDateMs(): number | null {
    const video = this.#video as HTMLVideoElement & { getStartDate?(): Date };
    const startMs = video.getStartDate?.().getTime() ?? Number.NaN;
    return Number.isFinite(startMs) ? startMs + video.currentTime * 1000 : null;
  }

  figures(): LineFigures {
    return { line: null, downloadMs: null, bitrate: null };
  }

  selectLevel(): void {
    // Safari chooses alone.
  }

  pace(): void {
    // Safari catches up by itself.
  }

  repair(): void {
    this.#video.load();
  }

  destroy(): void {
    this.#listening.abort();
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #onError(): void {
    const code = this.#video.error?.code;
    const decode = code === MediaError.MEDIA_ERR_DECODE;
    this.#events.onTrouble(decode ? "media" : "network", `media error ${code ?? "unknown"}`);
  }
}
