// Extra distance to the live edge: a little for everybody, more after stalls. A line that hiccups gets
// room to hiccup in; one that has behaved since is live again. Pure: time is an argument.

/** On top of the hold-back of three parts, s: what a busy phone or a late packet takes now and then. */
const ALWAYS_S = 0.2;

/** What one stall adds, s: most of a part. */
const PER_STALL_S = 0.25;
/** All stalls together, s: with the hold-back of three parts the delay stays about two seconds. */
const MAX_S = 0.5;
/** A line without a stall for this long needs no cushion. */
const FORGIVEN_AFTER_MS = 30_000;

export class StallCushion {
  #seconds = 0;
  #stalledAt = Number.NEGATIVE_INFINITY;

  onStall(nowMs: number): void {
    this.#forgive(nowMs);
    this.#seconds = Math.min(this.#seconds + PER_STALL_S, MAX_S);
    this.#stalledAt = nowMs;
  }

  /** To be added to the hold-back of the playlist. */
  seconds(nowMs: number): number {
    this.#forgive(nowMs);
    return ALWAYS_S + this.#seconds;
  }

  /** More distance is not to be had: what still stalls lacks bits, not time. */
  isSpent(nowMs: number): boolean {
    this.#forgive(nowMs);
    return this.#seconds >= MAX_S;
  }

  #forgive(nowMs: number): void {
    if (nowMs - this.#stalledAt >= FORGIVEN_AFTER_MS) this.#seconds = 0;
  }
}
