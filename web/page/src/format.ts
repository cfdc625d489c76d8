// Numbers to the words people read. Pure.

/** 5 → "0:05", 754 → "12:34", 3754 → "1:02:34". */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const s = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${s}`;
}

/** 1.44 → "1.4 s behind", 75 → "1:15 behind". */
export function delayText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s behind`;
  if (seconds < 60) return `${Math.round(seconds)} s behind`;
  return `${clockText(seconds)} behind`;
}

/** "3 hours ago" in the reader's language. */
export function agoText(thenMs: number, nowMs: number, locale?: string): string {
  const seconds = Math.min(0, Math.round((thenMs - nowMs) / 1000));
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  for (const [unit, length] of steps) {
    if (-seconds >= length) return format.format(Math.ceil(seconds / length), unit);
  }
  return format.format(seconds, "second");
}

/** "1 viewer", "12 viewers". */
export function viewersText(count: number): string {
  const number = new Intl.NumberFormat().format(count);
  return count === 1 ? `${number} viewer` : `${number} viewers`;
}

/** 1080, 60 → "1080p60"; 25 or 30 pictures a second are not worth saying. */
export function levelText(width: number, height: number, fps: number, bitrate: number): string {
  const lines = width > 0 ? Math.min(width, height) : height;
  if (lines > 0) return `${lines}p${fps > 31 ? Math.round(fps) : ""}`;
  return `${(bitrate / 1_000_000).toFixed(1)} Mbit/s`;
}
