// Arithmetic of being live: how far behind, whether at the edge, when to jump. Pure.

/** Behind the target by less than this counts as live, s. Above the jitter of one part and one stall. */
const EDGE_TOLERANCE_S = 2.5;
/**
 * A viewer who follows the broadcast and is further back than this is moved to live, s. Nearer, the
 * engine catches up by speed, which at 8 % takes about half a minute from here.
 */
const JUMP_AFTER_S = EDGE_TOLERANCE_S;
/** A single measurement moves the shown delay by this much of the difference. */
const SMOOTHING = 0.3;

/** Seconds from the moment a picture was made to the moment it is seen; null when unknown. */
export function delaySeconds(serverNowMs: number, playingDateMs: number | null): number | null {
  if (playingDateMs === null || !Number.isFinite(playingDateMs)) return null;
  // Two clocks may disagree by a few ms; a picture from the future is one that has just been made.
  return Math.max(0, (serverNowMs - playingDateMs) / 1000);
}

/** Quiet the last digit, but follow a real jump at once. */
export function smoothDelay(previous: number | null, measured: number | null): number | null {
  if (measured === null || previous === null || Math.abs(measured - previous) > 1) return measured;
  return previous + (measured - previous) * SMOOTHING;
}

/** True when `position` is close enough to the live position to be called live. */
export function isAtEdge(position: number, livePosition: number): boolean {
  return livePosition - position <= EDGE_TOLERANCE_S;
}

/** True when a following viewer has fallen so far back that catching up by speed would take too long. */
export function shouldJump(position: number, livePosition: number): boolean {
  return livePosition - position > JUMP_AFTER_S;
}

/** Keeps a seek inside what is on offer, a little away from the oldest second that is about to go. */
export function clampSeek(target: number, start: number, end: number): number {
  const safeStart = Math.min(start + 1, end);
  return Math.min(Math.max(target, safeStart), end);
}
