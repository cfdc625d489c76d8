import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ServerClock } from "../src/clock";
import type { Engine, EngineEvents, LineFigures, LiveWindow } from "../src/player/engine";
import { Player } from "../src/player/player";

/** An engine that does what the test says. */
class ScriptedEngine implements Engine {
  readonly loaded: string[] = [];
  readonly selected: number[] = [];
  live: LiveWindow | null = null;
  readonly paced: boolean[] = [];
  repairs = 0;
  destroyed = false;

  constructor(readonly events: EngineEvents) {}

  load(url: string): void {
    this.loaded.push(url);
  }
  window(): LiveWindow | null {
    return this.live;
  }
  playingDateMs(): number | null {
    return null;
  }
  figures(): LineFigures {
    return { line: 5_000_000, downloadMs: 80, bitrate: 2_000_000 };
  }
  selectLevel(index: number): void {
    this.selected.push(index);
  }
  pace(following: boolean): void {
    this.paced.push(following);
  }
  repair(): void {
    this.repairs += 1;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** A <video> whose answers to play() are given by the test, as browsers give them. */
class ScriptedVideo extends EventTarget {
  volume = 1;
  muted = false;
  paused = true;
  seeking = false;
  currentTime = 0;
  readonly pending: PromiseWithResolvers[] = [];

  play(): Promise<void> {
    if (this.paused) {
      this.paused = false;
      this.dispatchEvent(new Event("play"));
    }
    return new Promise((resolve, reject) => this.pending.push({ resolve, reject }));
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
    this.refuse("AbortError");
  }

  allow(): Promise<unknown> {
    for (const { resolve } of this.pending.splice(0)) resolve();
    return settled();
  }

  /** The element plays nothing after a refusal. */
  refuse(name: string): Promise<unknown> {
    this.paused = true;
    for (const { reject } of this.pending.splice(0)) reject(new DOMException("refused", name));
    return settled();
  }
}

interface PromiseWithResolvers {
  resolve(): void;
  reject(reason: unknown): void;
}

const stage = vi.hoisted(() => ({
  engines: [] as unknown[],
  create: undefined as ((events: unknown) => Promise<unknown>) | undefined,
}));

vi.mock("../src/player/engine", () => ({
  createEngine: (_video: unknown, events: unknown) => stage.create?.(events),
}));

const settled = () => vi.advanceTimersByTimeAsync(0);
const engines = () => stage.engines as ScriptedEngine[];
const engine = () => engines().at(-1) as ScriptedEngine;
let video: ScriptedVideo;
let player: Player;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: false });
  stage.engines.length = 0;
  stage.create = (events) => {
    const created = new ScriptedEngine(events as EngineEvents);
    stage.engines.push(created);
    return Promise.resolve(created);
  };
  video = new ScriptedVideo();
  player = new Player(new ServerClock());
  player.attach(video as unknown as HTMLVideoElement);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function join(presentation = 7): Promise<void> {
  player.follow(presentation);
  await settled();
  engine().events.onTracks([{ index: 0, label: "720p" }], "/hls/audio/stream.m3u8", "shown");
}

async function watch(): Promise<void> {
  await join();
  engine().live = { start: 0, live: 10, edge: 11 };
  video.currentTime = 10;
  video.dispatchEvent(new Event("loadeddata"));
  await video.allow();
}

/** The engine gave up and was replaced; the answer to play() is pending. */
async function reload(): Promise<void> {
  engine().events.onTrouble("network", "gone");
  await vi.advanceTimersByTimeAsync(1_000);
  // The old source took the element's playing with it.
  video.paused = true;
  engine().events.onTracks([], null, "shown");
}

test("a pause while play() is pending leaves the play button working", async () => {
  await watch();
  await reload();
  expect(video.pending).toHaveLength(1);
  player.pause();
  await settled();
  expect(player.paused.value).toBe(true);
  player.togglePlay();
  await video.allow();
  expect(player.paused.value).toBe(false);
  player.togglePlay();
  expect(player.paused.value).toBe(true);
  // What the browser does by itself shows too: nothing waits for an answer any more.
  video.paused = false;
  video.dispatchEvent(new Event("play"));
  expect(player.paused.value).toBe(false);
});

test("going live after a pause that overtook play() plays", async () => {
  await watch();
  await reload();
  player.pause();
  player.play();
  player.pause();
  await settled();
  player.goLive();
  await video.allow();
  expect(video.paused).toBe(false);
  expect(player.paused.value).toBe(false);
});

test("the answer to an overtaken play() decides nothing", async () => {
  await join();
  const [first] = video.pending.splice(0);
  player.pause();
  player.play();
  first?.reject(new DOMException("refused", "NotAllowedError"));
  await settled();
  expect(video.muted).toBe(false);
  expect(player.playBlocked.value).toBe(false);
  await video.allow();
  expect(player.paused.value).toBe(false);
});

test("a browser that interrupts play() by itself is believed", async () => {
  await watch();
  await reload();
  await video.refuse("AbortError");
  expect(player.paused.value).toBe(true);
  player.togglePlay();
  await video.allow();
  expect(player.paused.value).toBe(false);
});

test("without a gesture the sound goes first, then a tap is asked for", async () => {
  await join();
  await video.refuse("NotAllowedError");
  expect(video.muted).toBe(true);
  expect(player.soundBlocked.value).toBe(true);
  expect(player.playBlocked.value).toBe(false);
  await video.refuse("NotAllowedError");
  expect(player.playBlocked.value).toBe(true);
  expect(player.paused.value).toBe(true);
});

test("what the viewer wants while the source loads is kept", async () => {
  player.follow(7);
  await settled();
  player.pause();
  expect(player.paused.value).toBe(true);
  player.togglePlay();
  expect(player.paused.value).toBe(false);
  player.togglePlay();
  engine().events.onTracks([], null, "shown");
  await settled();
  expect(video.pending).toHaveLength(0);
  expect(player.paused.value).toBe(true);
});

test("a repair plays on, unless the viewer had paused", async () => {
  await watch();
  video.paused = true;
  engine().events.onTrouble("media", "decode");
  expect(engine().repairs).toBe(1);
  expect(video.paused).toBe(false);
});

test("another presentation is loaded whole and by another address", async () => {
  await watch();
  expect(engine().loaded).toEqual(["/hls/stream.m3u8?p=7"]);
  player.select("audio");
  await settled();
  expect(engine().loaded).toEqual(["/hls/audio/stream.m3u8"]);
  player.follow(8);
  await settled();
  expect(player.selection.value).toBe("auto");
  expect(player.audioUrl.value).toBeNull();
  expect(engine().loaded).toEqual(["/hls/stream.m3u8?p=8"]);
});

test("a chosen level is not carried into another presentation", async () => {
  await watch();
  player.select(0);
  player.follow(8);
  await settled();
  engine().events.onTracks([], null, "shown");
  expect(player.selection.value).toBe("auto");
  expect(engine().selected).toEqual([]);
});

test("an engine that says nothing is replaced, and the second time the viewer is told", async () => {
  player.follow(7);
  await vi.advanceTimersByTimeAsync(14_000);
  expect(engines()).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(engines()).toHaveLength(2);
  expect(engines()[0]?.destroyed).toBe(true);
  expect(player.failure.value).toBeNull();
  await vi.advanceTimersByTimeAsync(16_000);
  expect(player.failure.value).toBe("failed");
});

test("a script of the engine that never arrives is told too", async () => {
  stage.create = () => new Promise(() => undefined);
  player.follow(7);
  await vi.advanceTimersByTimeAsync(40_000);
  expect(player.failure.value).toBe("failed");
});

test("a window without a picture, and a picture without a window, are overdue", async () => {
  await join();
  engine().live = { start: 0, live: 10, edge: 11 };
  await vi.advanceTimersByTimeAsync(18_000);
  expect(engines()).toHaveLength(2);
  engine().events.onTracks([], null, "shown");
  video.dispatchEvent(new Event("loadeddata"));
  await vi.advanceTimersByTimeAsync(25_000);
  expect(engines()).toHaveLength(3);
});

test.each<[string, () => void]>([
  ["the viewer paused", () => player.pause()],
  ["the tab is in the background", () => vi.stubGlobal("document", { hidden: true })],
  ["the browser asks for a tap", () => {
    player.playBlocked.value = true;
  }],
])("nothing is overdue while %s", async (_why, hold) => {
  await join();
  hold();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(engines()).toHaveLength(1);
  expect(player.failure.value).toBeNull();
});

test("a picture that this browser cannot decode is told, until the next broadcast", async () => {
  player.follow(7);
  await settled();
  engine().events.onTracks([], "/hls/audio/stream.m3u8", "undecodable");
  expect(player.picture.value).toBe("undecodable");
  // Sound alone has no picture to be told about: what the broadcast has does not change.
  player.select("audio");
  await settled();
  engine().events.onTracks([], null, "none");
  expect(player.picture.value).toBe("undecodable");
  player.follow(8);
  await settled();
  expect(player.picture.value).toBe("shown");
});

test("changes of quality and engines that give up are counted for the operator", async () => {
  expect(player.figures).toEqual({ line: null, downloadMs: null, bitrate: null });
  await watch();
  for (const level of [1, 1, 0, 2]) engine().events.onLevel(level);
  expect(player.levelChanges).toBe(2);
  expect(player.figures.bitrate).toBe(2_000_000);
  await reload();
  expect(player.troubles).toBe(1);
  // The first level of another broadcast is no change.
  await join(8);
  engine().events.onLevel(0);
  expect(player.levelChanges).toBe(2);
});
