// What can turn a playlist into moving pictures in a <video>: hls.js where the browser has Media
// Source Extensions, the browser itself elsewhere (older iPhones). The player sees only this face.

/** Seconds on the media timeline. start ≤ live ≤ edge. */
export interface LiveWindow {
  /** The oldest second that can still be watched. */
  start: number;
  /** Where a viewer should be to be live: the edge less the hold-back. */
  live: number;
  /** The end of what the playlist offers. */
  edge: number;
}

export interface QualityLevel {
  /** The engine's own number for it. */
  index: number;
  label: string;
}

/** What there is to see: the picture, none in a broadcast of sound, or one that this browser cannot decode. */
export type Picture = "shown" | "none" | "undecodable";

/**
 * Why playing stopped: the network or server, the decoder, an engine that never said anything, or a
 * browser that never can.
 */
export type Trouble = "network" | "media" | "silent" | "unsupported";

/** What the engine measures of the line and of what it plays; null where it does not say. */
export interface LineFigures {
  /** Speed of the line, bit/s. */
  line: number | null;
  /** To load the newest segment or part once its first byte was there, ms. */
  downloadMs: number | null;
  /** Of the level that is played, bit/s. */
  bitrate: number | null;
}

export interface EngineEvents {
  /** The tracks are known; `audioUrl` is the playlist to load for sound alone. */
  onTracks(levels: QualityLevel[], audioUrl: string | null, picture: Picture): void;
  /** Another level is on screen. */
  onLevel(index: number): void;
  /** The engine gave up; it must be repaired or replaced. */
  onTrouble(trouble: Trouble, detail: string): void;
}

export interface Engine {
  load(url: string): void;
  window(): LiveWindow | null;
  /** When the picture on screen was made, ms since 1970, from EXT-X-PROGRAM-DATE-TIME. */
  playingDateMs(): number | null;
  figures(): LineFigures;
  /** -1 lets the engine choose. */
  selectLevel(index: number): void;
  /** Called several times a second while playing: speeds up a viewer who follows and fell behind. */
  pace(following: boolean): void;
  /** Tries to go on after a decoder fault without starting over. */
  repair(): void;
  destroy(): void;
}

/** Picks and loads an engine; null when this browser can play no HLS at all. */
export async function createEngine(
  video: HTMLVideoElement,
  events: EngineEvents,
): Promise<Engine | null> {
  if (hasMediaSource()) {
    const { HlsEngine } = await import("./hls-engine");
    return new HlsEngine(video, events);
  }
  if (video.canPlayType("application/vnd.apple.mpegurl")) {
    const { NativeEngine } = await import("./native-engine");
    return new NativeEngine(video, events);
  }
  return null;
}

function hasMediaSource(): boolean {
  const scope = globalThis as typeof globalThis & { ManagedMediaSource?: typeof MediaSource };
  const source = scope.ManagedMediaSource ?? scope.MediaSource;
  return source?.isTypeSupported('video/mp4; codecs="avc1.42E01E,mp4a.40.2"') ?? false;
}
