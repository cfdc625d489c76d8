// Watches whether the picture moves. Tells a broadcast that pauses (nothing to play, so wait) from
// an engine that is stuck (there is something to play, and it does not). Pure: time is an argument.

/** `flowing` has moved for a while, `moving` only just; `still` waits, or is paused. */
export type Verdict = "flowing" | "moving" | "still" | "stuck";

/** Shorter stops are the normal life of a buffer. */
const STARVED_AFTER_MS = 400;
/** Moving this long without a stop proves a remedy. */
const FLOWING_AFTER_MS = 4_000;
/** There are this many seconds to play, and still nothing moves … */
const STUCK_AHEAD_S = 1;
/** … for this long. */
const STUCK_AFTER_MS = 7_000;
/** Nothing new for this long: start over even without proof, the connection may be half dead. */
const SILENT_AFTER_MS = 45_000;
/** A `waiting` so soon after a seek belongs to the seek. */
const SEEK_GRACE_MS = 1_500;

export class ProgressWatch {
  /** Times that playing ran dry by itself. */
  stalls = 0;
  starvedSeconds = 0;
  #position = Number.NaN;
  #movedAt = 0;
  #stoppedAt = 0;
  #resetAt = Number.NEGATIVE_INFINITY;
  #waiting = false;

  /** A seek or a new source: what stops now is no stall. */
  reset(nowMs: number): void {
    this.#resetAt = nowMs;
    this.#movedAt = nowMs;
    this.#stoppedAt = nowMs;
    this.#waiting = false;
    this.starvedSeconds = 0;
  }

  /** We moved the playhead ourselves, which proves nothing: the time it stands still counts on. */
  onJump(position: number): void {
    this.#position = position;
  }

  onWaiting(seeking: boolean, nowMs: number): void {
    if (this.#waiting || seeking || nowMs - this.#resetAt < SEEK_GRACE_MS) return;
    this.#waiting = true;
    this.stalls += 1;
  }

  onPlaying(): void {
    this.#waiting = false;
  }

  look(position: number, edge: number, idle: boolean, nowMs: number): Verdict {
    if (idle || position !== this.#position) {
      if (this.starvedSeconds > 0 || idle) this.#stoppedAt = nowMs;
      this.#position = position;
      this.#movedAt = nowMs;
      this.starvedSeconds = 0;
      if (idle) return "still";
      return nowMs - this.#stoppedAt > FLOWING_AFTER_MS ? "flowing" : "moving";
    }
    const stillMs = nowMs - this.#movedAt;
    this.starvedSeconds = stillMs > STARVED_AFTER_MS ? stillMs / 1000 : 0;
    const ahead = edge - position > STUCK_AHEAD_S;
    if ((ahead && stillMs > STUCK_AFTER_MS) || stillMs > SILENT_AFTER_MS) {
      this.#movedAt = nowMs;
      return "stuck";
    }
    return "still";
  }
}
