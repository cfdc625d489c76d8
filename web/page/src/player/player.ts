// The player: owns the <video>, keeps an engine alive while there is a broadcast, and turns media
// events into signals that the controls show. It never decides what the page looks like.

import { signal } from "@preact/signals";
import type { ServerClock } from "../clock";
import { loadSound, saveSound } from "../prefs";
import {
  createEngine,
  type Engine,
  type LineFigures,
  type Picture,
  type QualityLevel,
  type Trouble,
} from "./engine";
import { clampSeek, delaySeconds, isAtEdge, shouldJump, smoothDelay } from "./latency";
import { Recovery } from "./recovery";
import { ProgressWatch } from "./watch";

export const STREAM_URL = "/hls/stream.m3u8";

const TICK_MS = 250;
/** A playlist that ended while the status still says online is believed after this long. */
const ENDED_RELOAD_MS = 6_000;
/** After "offline", what is buffered may play out for at most this long. */
const PLAY_OUT_MS = 12_000;
/** An engine that has neither shown a picture nor given up after this long is replaced. */
const LOAD_DEADLINE_MS = 15_000;

export type Selection = number | "auto" | "audio";
export type Failure = "unsupported" | "failed";

export class Player {
  /** A broadcast is there and should be playing, or would be if not paused. */
  readonly wanted = signal(false);
  /** The first picture or sound of this broadcast is there. */
  readonly started = signal(false);
  readonly ended = signal(false);
  readonly paused = signal(true);
  /** Playing has run dry, s since then; 0 while it flows. */
  readonly starvedSeconds = signal(0);
  readonly muted = signal(false);
  readonly volume = signal(1);
  /** The browser allowed no sound without a gesture. */
  readonly soundBlocked = signal(false);
  /** The browser allowed nothing without a gesture. */
  readonly playBlocked = signal(false);
  readonly failure = signal<Failure | null>(null);
  readonly position = signal(0);
  readonly windowStart = signal(0);
  readonly livePosition = signal(0);
  readonly delay = signal<number | null>(null);
  readonly atEdge = signal(true);
  readonly levels = signal<QualityLevel[]>([]);
  readonly level = signal(-1);
  readonly selection = signal<Selection>("auto");
  readonly audioUrl = signal<string | null>(null);
  readonly picture = signal<Picture>("shown");

  readonly #clock: ServerClock;
  readonly #recovery = new Recovery();
  readonly #watch = new ProgressWatch();
  #video: HTMLVideoElement | null = null;
  #engine: Engine | null = null;
  /** Counts loads, so that an engine that arrives late is dropped. */
  #generation = 0;
  #presentation: number | null = null;
  #endedAt = 0;
  #finishAt = 0;
  #pausedByViewer = false;
  #following = true;
  /** From a load until the browser answered to play(): the element is paused, the viewer meant no pause. */
  #loading = false;
  /** This load has come as far as its tracks, so that play() is the last thing to wait for. */
  #hasTracks = false;
  /** This load has shown a picture or played a sound. */
  #hasPicture = false;
  /** Since when this load has owed us a picture. */
  #owedSince = 0;
  /** Counts calls of play(), so that the answer to one that was overtaken decides nothing. */
  #starts = 0;
  #remedyPending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  attach(video: HTMLVideoElement): void {
    this.#video = video;
    const sound = loadSound();
    video.volume = sound.volume;
    video.muted = sound.muted;
    this.#listen(video);
    this.#showSound();
    setInterval(() => this.#tick(), TICK_MS);
    if (this.wanted.value) this.#load();
  }

  /** The server says that a broadcast is on. Loads it unless it is already being played. */
  follow(presentation: number): void {
    this.#finishAt = 0;
    const over = this.ended.value && performance.now() - this.#endedAt > ENDED_RELOAD_MS;
    if (this.wanted.value && presentation === this.#presentation && !over) return;
    if (presentation !== this.#presentation) this.#forgetTracks();
    this.#presentation = presentation;
    this.wanted.value = true;
    this.#load();
  }

  /** The server answers again: no need to wait for the next attempt. */
  retry(): void {
    if (this.#remedyPending) this.#load();
  }

  /** The server says that the broadcast is over. What is buffered plays to its end. */
  finish(): void {
    if (!this.wanted.value || this.#finishAt) return;
    if (!this.started.value || this.ended.value || this.paused.value) this.#stop();
    else this.#finishAt = performance.now() + PLAY_OUT_MS;
  }

  togglePlay(): void {
    if (this.paused.value) this.play();
    else this.pause();
  }

  play(): void {
    this.#pausedByViewer = false;
    this.playBlocked.value = false;
    this.#following = isAtEdge(this.position.value, this.livePosition.value);
    // While loading, the button shows what the viewer wants, since the element cannot know yet.
    if (this.#loading) this.paused.value = false;
    void this.#start();
  }

  pause(): void {
    this.#pausedByViewer = true;
    this.#following = false;
    // A play() that is still pending will be refused, which is then no news.
    this.#starts += 1;
    this.#video?.pause();
    this.paused.value = true;
    if (this.#hasTracks) this.#loading = false;
  }

  seekTo(target: number): void {
    const video = this.#video;
    if (!video || !this.started.value) return;
    const live = this.livePosition.value;
    video.currentTime = clampSeek(target, this.windowStart.value, live);
    this.#following = isAtEdge(video.currentTime, live);
    this.#watch.reset(performance.now());
    this.#tick();
  }

  seekBy(seconds: number): void {
    this.seekTo((this.#video?.currentTime ?? 0) + seconds);
  }

  goLive(): void {
    this.seekTo(this.livePosition.value);
    this.#following = true;
    if (this.paused.value) this.play();
  }

  setVolume(volume: number): void {
    const video = this.#video;
    if (!video) return;
    video.volume = Math.min(1, Math.max(0, volume));
    video.muted = video.volume === 0;
    this.#keepSound(video);
  }

  toggleMute(): void {
    const video = this.#video;
    if (!video) return;
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
    this.#keepSound(video);
  }

  select(selection: Selection): void {
    const reload = selection === "audio" || this.selection.value === "audio";
    this.selection.value = selection;
    if (reload) this.#load();
    else this.#engine?.selectLevel(selection === "auto" ? -1 : Number(selection));
  }

  /** Times that the engine gave up, since the page was opened. */
  troubles = 0;
  /** Times that another level came on screen, the first of a broadcast not counted. */
  levelChanges = 0;

  get figures(): LineFigures {
    return this.#engine?.figures() ?? { line: null, downloadMs: null, bitrate: null };
  }

  get stalls(): number {
    return this.#watch.stalls;
  }

  /** Pictures decoded and dropped since this source was loaded. */
  get pictures(): { decoded: number; dropped: number } {
    const quality = this.#video?.getVideoPlaybackQuality?.();
    return { decoded: quality?.totalVideoFrames ?? 0, dropped: quality?.droppedVideoFrames ?? 0 };
  }

  #load(): void {
    const video = this.#video;
    if (!video) return;
    this.#unload();
    this.#loading = true;
    this.#owedSince = performance.now();
    const generation = this.#generation;
    const events = {
      onTracks: (levels: QualityLevel[], audioUrl: string | null, picture: Picture) =>
        this.#onTracks(levels, audioUrl, picture),
      onLevel: (index: number) => {
        if (this.level.value >= 0 && this.level.value !== index) this.levelChanges += 1;
        this.level.value = index;
      },
      onTrouble: (trouble: Trouble) => this.#onTrouble(trouble),
    };
    createEngine(video, events).then(
      (engine) => {
        if (generation !== this.#generation) return engine?.destroy();
        if (!engine) return this.#onTrouble("unsupported");
        this.#engine = engine;
        engine.load(this.#sourceUrl());
      },
      (error: unknown) => {
        // The engine's own script could not be fetched.
        console.warn("the player could not start", error);
        if (generation === this.#generation) this.#onTrouble("network");
      },
    );
  }

  #unload(): void {
    this.#generation += 1;
    this.#starts += 1;
    this.#hasTracks = false;
    this.#hasPicture = false;
    clearTimeout(this.#timer);
    this.#remedyPending = false;
    this.#engine?.destroy();
    this.#engine = null;
    this.ended.value = false;
    this.#following = true;
    this.#watch.reset(performance.now());
  }

  #stop(): void {
    this.#unload();
    this.#loading = false;
    this.#finishAt = 0;
    this.#presentation = null;
    this.wanted.value = false;
    this.started.value = false;
    this.failure.value = null;
    this.playBlocked.value = false;
    this.delay.value = null;
    this.starvedSeconds.value = 0;
    this.#forgetTracks();
    this.#recovery.succeed();
  }

  /** The next broadcast, or the same one continued otherwise, may lack what was selected. */
  #forgetTracks(): void {
    this.levels.value = [];
    this.level.value = -1;
    this.selection.value = "auto";
    this.audioUrl.value = null;
    this.picture.value = "shown";
  }

  /**
   * Caches may keep the multivariant playlist for a while, but a new presentation can have other
   * tracks. Its number in the query makes it another address; the server reads no meaning into it.
   */
  #sourceUrl(): string {
    const whole = `${STREAM_URL}?p=${this.#presentation ?? 0}`;
    return (this.selection.value === "audio" && this.audioUrl.value) || whole;
  }

  #onTracks(levels: QualityLevel[], audioUrl: string | null, picture: Picture): void {
    this.#hasTracks = true;
    // Playing sound alone, the engine sees no levels; the menu keeps those of the whole broadcast.
    if (this.selection.value !== "audio") {
      this.levels.value = levels;
      this.audioUrl.value = audioUrl;
      this.picture.value = picture;
      if (typeof this.selection.value === "number") this.#engine?.selectLevel(this.selection.value);
    }
    if (this.#pausedByViewer) this.#settle();
    else void this.#start();
  }

  /** What the element says about being paused counts again. */
  #settle(): void {
    this.#loading = false;
    this.paused.value = this.#video?.paused ?? true;
  }

  #onTrouble(trouble: Trouble): void {
    if (trouble === "unsupported") {
      this.#unload();
      this.failure.value = "unsupported";
      return;
    }
    if (this.#finishAt) {
      this.#stop();
      return;
    }
    this.troubles += 1;
    const remedy = this.#recovery.next(trouble, performance.now());
    if (remedy.tellViewer) this.failure.value = "failed";
    if (remedy.action === "repair") {
      this.#engine?.repair();
      // The repair gives the element a new source, and with it the element is paused again.
      if (!this.#pausedByViewer) void this.#start();
      return;
    }
    this.#remedyPending = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), remedy.delayMs);
  }

  /** Plays with sound if the browser lets us, without if it does not, and asks for a tap otherwise. */
  async #start(): Promise<void> {
    const video = this.#video;
    if (!video) return;
    this.#starts += 1;
    const turn = this.#starts;
    let blocked = false;
    let answered = true;
    try {
      await video.play();
    } catch (error) {
      blocked = error instanceof DOMException && error.name === "NotAllowedError";
      // Otherwise something came between, mostly an AbortError: a new source or a power saver.
      answered = blocked;
    }
    if (turn !== this.#starts) return;
    if (blocked && !video.muted) {
      video.muted = true;
      this.soundBlocked.value = true;
      return this.#start();
    }
    if (answered) this.playBlocked.value = blocked;
    // Before the tracks are known the source is still being attached; they will start it anew.
    if (answered || this.#hasTracks) this.#settle();
  }

  #listen(video: HTMLVideoElement): void {
    const showPaused = () => {
      if (!this.#loading) this.paused.value = video.paused;
    };
    video.addEventListener("play", showPaused);
    video.addEventListener("pause", showPaused);
    video.addEventListener("loadeddata", () => {
      this.started.value = true;
      this.#hasPicture = true;
    });
    video.addEventListener("playing", () => this.#watch.onPlaying());
    video.addEventListener("waiting", () => {
      if (this.started.value) this.#watch.onWaiting(video.seeking, performance.now());
    });
    video.addEventListener("ended", () => {
      this.#endedAt = performance.now();
      this.ended.value = true;
      if (this.#finishAt) this.#stop();
    });
    video.addEventListener("volumechange", () => this.#showSound());
  }

  #showSound(): void {
    const video = this.#video;
    if (!video) return;
    this.muted.value = video.muted;
    this.volume.value = video.volume;
    if (!video.muted) this.soundBlocked.value = false;
  }

  #keepSound(video: HTMLVideoElement): void {
    saveSound({ volume: video.volume, muted: video.muted });
    this.#showSound();
  }

  #tick(): void {
    const video = this.#video;
    if (!video || !this.wanted.value) return;
    const now = performance.now();
    if (this.#finishAt && (now > this.#finishAt || this.starvedSeconds.value > 1.5)) {
      this.#stop();
      return;
    }
    const window = this.#engine?.window() ?? null;
    if (this.#isOverdue(window !== null, now)) {
      this.#onTrouble("silent");
      return;
    }
    if (!this.started.value) return;
    if (!window) {
      this.starvedSeconds.value += TICK_MS / 1000;
      return;
    }
    this.position.value = video.currentTime;
    this.windowStart.value = window.start;
    this.livePosition.value = window.live;
    this.atEdge.value = isAtEdge(video.currentTime, window.live);
    const date = this.#engine?.playingDateMs() ?? null;
    this.delay.value = smoothDelay(this.delay.value, delaySeconds(this.#clock.now(), date));
    this.#keepUp(video, window.live, window.edge, now);
  }

  /**
   * True when the engine, or the fetch of its script, hangs without saying so. What the viewer or
   * the browser holds back is not overdue (a tab opened in the background loads nothing), nor is
   * what waits for its remedy.
   */
  #isOverdue(hasWindow: boolean, now: number): boolean {
    const heldBack = this.#pausedByViewer || this.playBlocked.value || document.hidden;
    const remedied = this.#remedyPending || this.failure.value === "unsupported";
    if ((hasWindow && this.#hasPicture) || heldBack || remedied) this.#owedSince = now;
    return now - this.#owedSince > LOAD_DEADLINE_MS;
  }

  /** Brings a following viewer back after a long stall, and replaces an engine that is stuck. */
  #keepUp(video: HTMLVideoElement, live: number, edge: number, now: number): void {
    const idle = video.paused || this.ended.value;
    const verdict = this.#watch.look(video.currentTime, edge, idle, now);
    this.starvedSeconds.value = this.#watch.starvedSeconds;
    if (verdict === "flowing" || verdict === "moving") this.failure.value = null;
    if (verdict === "flowing") this.#recovery.succeed();
    if (idle) return;
    this.#engine?.pace(this.#following);
    if (verdict === "stuck") this.#onTrouble("network");
    else if (this.#following && shouldJump(video.currentTime, live)) {
      video.currentTime = live;
      this.#watch.onJump(video.currentTime);
    }
  }
}
