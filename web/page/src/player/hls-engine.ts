// hls.js, set up for low-latency live. This file is the only one that knows it, and it is loaded
// when a broadcast is there to be played, not before.

import Hls, { type ErrorData, type HlsConfig, type Level } from "hls.js";
import { levelText } from "../format";
import { StallCushion } from "./cushion";
import type { Engine, EngineEvents, LineFigures, LiveWindow, QualityLevel } from "./engine";
import { Pace } from "./pace";

/** Bits per second that a line is thought to carry before anything was measured. */
const FIRST_GUESS = 3_000_000;

/** What a line that stalls is thought to carry of the level that is played. */
const CARRIED_SHARE = 0.8;

const settings: Partial<HlsConfig> = {
  lowLatencyMode: true,
  // The distance to the edge is the server's PART-HOLD-BACK and the cushion after stalls
  // (#keepDistance). hls.js would add to it for every stall and take nothing back.
  liveSyncOnStallIncrease: 0,
  // Catching up by speed is pace.ts: hls.js flips between two speeds with nearly every part.
  maxLiveSyncPlaybackRate: 1,
  // liveMaxLatencyDuration stays infinite: with a limit hls.js would also pull a rewound viewer back
  // to live. The player brings back only those who follow (latency.ts).
  liveDurationInfinity: true,
  // What was seen stays for a short rewind without a request; more would grow without end.
  backBufferLength: 90,
  maxBufferLength: 20,
  // The first guess decides the first picture; most lines carry 3 Mbit/s, and ABR corrects at once.
  abrEwmaDefaultEstimate: FIRST_GUESS,
  testBandwidth: false,
  capLevelToPlayerSize: true,
  // Parts are 0.334 s; the default tolerance of 0.25 s skips parts not much longer (hls.js #5028).
  maxFragLookUpTolerance: 0.1,
  enableWorker: false,
  manifestLoadPolicy: policy(8, 500, 2_000),
  // A publisher that drops and returns leaves the playlist silent or refused for some seconds.
  playlistLoadPolicy: policy(12, 500, 2_000),
  fragLoadPolicy: policy(5, 300, 2_000),
};

function policy(retries: number, delayMs: number, delayMaxMs: number): HlsConfig["fragLoadPolicy"] {
  return {
    default: {
      maxTimeToFirstByteMs: 10_000,
      maxLoadTimeMs: 30_000,
      timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: {
        maxNumRetry: retries,
        retryDelayMs: delayMs,
        maxRetryDelayMs: delayMaxMs,
        backoff: "linear",
      },
    },
  };
}

export class HlsEngine implements Engine {
  readonly #hls = new Hls(settings);
  readonly #events: EngineEvents;
  readonly #cushion = new StallCushion();
  readonly #pace = new Pace();
  readonly #video: HTMLVideoElement;
  /** The playlist offers a picture, whether this browser can decode it or not. */
  #offersPicture: boolean | undefined;
  #parsed = false;
  /** Bit rate of the smallest rendition that "Auto" may take. */
  #autoFloor = 0;
  #measured = false;
  #downloadMs: number | null = null;

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
    this.#hls.on(Hls.Events.MANIFEST_LOADED, (_event, { levels }) => {
      this.#offersPicture = levels.some((level) => Boolean(level.height || level.videoCodec));
      this.#onTracks();
    });
    this.#hls.on(Hls.Events.MANIFEST_PARSED, () => {
      this.#parsed = true;
      const first = firstLevel(this.#hls.levels);
      if (first >= 0) {
        this.#hls.startLevel = first;
        this.#hls.config.videoPreference = H264_FIRST;
        // In need it would take the lowest of all, and not leave that codec again.
        const bitrates = this.#hls.levels.filter(isH264).map((level) => level.maxBitrate);
        this.#autoFloor = Math.min(...bitrates);
        this.#hls.config.minAutoBitrate = this.#autoFloor;
      }
      this.#onTracks();
    });
    this.#hls.on(Hls.Events.FRAG_LOADED, () => {
      // From here on hls.js stays with the codec; with the preference it left a level too late.
      this.#hls.config.videoPreference = {};
    });
    this.#hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => events.onLevel(level));
    this.#hls.on(Hls.Events.FRAG_BUFFERED, (_event, { stats }) => {
      this.#measured = true;
      const { first, end } = stats.loading;
      if (end >= first) this.#downloadMs = end - first;
    });
    this.#hls.on(Hls.Events.LEVEL_UPDATED, () => this.#keepDistance());
    this.#hls.on(Hls.Events.ERROR, (_event, error) => this.#onError(error));
    this.#hls.attachMedia(video);
  }

  load(url: string): void {
    this.#hls.loadSource(url);
  }

  window(): LiveWindow | null {
    const details = this.#hls.latestLevelDetails;
    if (!details) return null;
    const live = this.#hls.liveSyncPosition ?? details.edge;
    return { start: details.fragmentStart, live, edge: details.edge };
  }

  playingDateMs(): number | null {
    return this.#hls.playingDate?.getTime() ?? null;
  }

  figures(): LineFigures {
    // Before anything was loaded the estimate is our own guess.
    const line = this.#measured ? this.#hls.bandwidthEstimate : Number.NaN;
    const bitrate = this.#hls.levels[this.#hls.currentLevel]?.bitrate;
    return {
      line: Number.isFinite(line) ? line : null,
      downloadMs: this.#downloadMs,
      bitrate: bitrate ?? null,
    };
  }

  selectLevel(index: number): void {
    // A viewer who chooses 1080p in a small window means it; the cap is for "Auto".
    this.#hls.config.capLevelToPlayerSize = index < 0;
    this.#hls.config.minAutoBitrate = index < 0 ? this.#autoFloor : 0;
    this.#hls.nextLevel = index;
  }

  pace(following: boolean): void {
    const { buffered, currentTime, playbackRate } = this.#video;
    const live = this.#hls.liveSyncPosition;
    const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : currentTime;
    const behind = following && live !== null ? live - currentTime : 0;
    const rate = this.#pace.rate(behind, end - currentTime);
    if (rate !== playbackRate) this.#video.playbackRate = rate;
  }

  repair(): void {
    this.#hls.recoverMediaError();
  }

  destroy(): void {
    this.#video.playbackRate = 1;
    this.#hls.destroy();
  }

  /** hls.js tells what was loaded before or after what it made of it. */
  #onTracks(): void {
    if (!this.#parsed || this.#offersPicture === undefined) return;
    const levels = this.#hls.levels.filter((level) => level.height > 0 || level.videoCodec);
    // hls.js has left out what the browser cannot decode, and would play the sound without a word.
    const picture = levels.length > 0 ? "shown" : this.#offersPicture ? "undecodable" : "none";
    this.#events.onTracks(qualityLevels(this.#hls.levels, levels), this.#audioUrl(), picture);
  }

  #audioUrl(): string | null {
    return this.#hls.allAudioTracks.find((track) => track.url)?.url ?? null;
  }

  /** Runs with every playlist update, so several times a second. */
  #keepDistance(): void {
    const details = this.#hls.latestLevelDetails;
    const holdBack = details?.partHoldBack || details?.holdBack;
    // A playlist that names none gets the default of hls.js.
    if (holdBack) this.#hls.targetLatency = holdBack + this.#cushion.seconds(performance.now());
  }

  /**
   * The line does not carry what is played. The estimate of hls.js remembers better times for long,
   * and parts that it gives up on do not count, so it may never fall.
   */
  #mistrust(): void {
    const level = this.#hls.levels[this.#hls.loadLevel];
    const carried = (level?.bitrate ?? 0) * CARRIED_SHARE;
    if (!this.#hls.autoLevelEnabled || this.#hls.bandwidthEstimate <= carried) return;
    this.#hls.bandwidthEstimate = carried;
  }

  #onError(error: ErrorData): void {
    if (error.details === Hls.ErrorDetails.BUFFER_STALLED_ERROR) {
      const now = performance.now();
      this.#cushion.onStall(now);
      this.#keepDistance();
      if (this.#cushion.isSpent(now)) this.#mistrust();
    }
    if (!error.fatal) return;
    const incompatible =
      error.details === Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR ||
      error.details === Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR ||
      error.details === Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR;
    if (incompatible) this.#events.onTrouble("unsupported", error.details);
    else if (error.type === Hls.ErrorTypes.MEDIA_ERROR) this.#events.onTrouble("media", error.details);
    else this.#events.onTrouble("network", error.details);
  }
}

/** Until the first part is there hls.js may choose again, whatever the level to begin with. */
const H264_FIRST = { videoCodec: "avc1" };
const isH264 = (level: Level) => level.videoCodec?.startsWith("avc1") ?? false;
const isAv1 = (level: Level) => level.videoCodec?.startsWith("av01") ?? false;

/**
 * The level to begin with where AV1 stands beside H.264: hls.js stays with the codec that it begins
 * with and would begin with AV1, which may be offered in one small size only. Else -1: let it
 * choose.
 */
function firstLevel(levels: Level[]): number {
  const usual = levels.filter(isH264);
  const carried = usual.filter((level) => level.bitrate <= FIRST_GUESS);
  // In order of their bit rates.
  const first = carried[carried.length - 1] ?? usual[0];
  return first && levels.some(isAv1) ? levels.indexOf(first) : -1;
}

/** Best first, with the bit rate beside names that would be the same. */
function qualityLevels(all: Level[], shown: Level[]): QualityLevel[] {
  const mixed = shown.some(isH264) && shown.some(isAv1);
  const name = (level: Level) => {
    const size = levelText(level.width, level.height, level.frameRate, level.bitrate);
    return mixed && isAv1(level) ? `${size} · AV1` : size;
  };
  const count = new Map<string, number>();
  for (const level of shown) count.set(name(level), (count.get(name(level)) ?? 0) + 1);
  return shown
    .map((level) => {
      const twice = (count.get(name(level)) ?? 0) > 1;
      const rate = ` · ${(level.bitrate / 1_000_000).toFixed(1)} Mbit/s`;
      return { index: all.indexOf(level), label: name(level) + (twice ? rate : ""), bitrate: level.bitrate };
    })
    .sort((a, b) => b.bitrate - a.bitrate)
    .map(({ index, label }) => ({ index, label }));
}
