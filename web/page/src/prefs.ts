// What a viewer chose last time. Storage may be forbidden or full: then nothing is remembered.

const VOLUME = "riverrun.volume";
const MUTED = "riverrun.muted";

export interface SoundPrefs {
  /** 0 to 1. */
  volume: number;
  muted: boolean;
}

export function loadSound(): SoundPrefs {
  const volume = Number(read(VOLUME) ?? "1");
  return {
    volume: Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : 1,
    muted: read(MUTED) === "true",
  };
}

export function saveSound(prefs: SoundPrefs): void {
  write(VOLUME, prefs.volume.toFixed(2));
  write(MUTED, String(prefs.muted));
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Private windows refuse; the page works without.
  }
}
