// How fast a viewer who follows the broadcast plays, so that the delay stays what the playlist asks
// for. Two thresholds instead of one: a speed that flips with every part can be heard. Pure.

/** Behind the target by more than this, s, catching up begins … */
const BEGIN_S = 0.35;
/** … and it ends when what is left is less than this. */
const END_S = 0.06;
/** The slowest and the fastest way to catch up. Above a tenth voices sound wrong. */
const GENTLE = 1.03;
const FASTEST = 1.08;
/** From this far behind on, s, it is done as fast as it may. */
const FAR_S = 1.2;
/** Less than this to play, s: speed would only run it dry. */
const AHEAD_MIN_S = 0.4;

export class Pace {
  #catchingUp = false;

  /** The playback rate for a viewer `behind` seconds from the target with `ahead` to play. */
  rate(behind: number, ahead: number): number {
    if (behind > BEGIN_S) this.#catchingUp = true;
    if (behind < END_S) this.#catchingUp = false;
    if (!this.#catchingUp || ahead < AHEAD_MIN_S) return 1;
    const share = Math.min(1, Math.max(0, behind - BEGIN_S) / (FAR_S - BEGIN_S));
    return GENTLE + share * (FASTEST - GENTLE);
  }
}
