// What to do after the engine gave up: repair in place or start over, and when. Pure.

import type { Trouble } from "./engine";

export interface Remedy {
  action: "repair" | "restart";
  delayMs: number;
  /** True once so many remedies failed that the viewer should be told. */
  tellViewer: boolean;
}

const FIRST_DELAY_MS = 400;
const DELAY_MAX_MS = 8_000;
/** Remedies without success before we speak. */
const QUIET_REMEDIES = 4;
/** A silent engine has cost its deadline of many seconds; two of them must be told. */
const SILENT_COUNTS_AS = 3;
/** A second decoder fault this soon means that the repair did not help. */
const REPAIR_AGAIN_AFTER_MS = 10_000;

export class Recovery {
  #failures = 0;
  #repairedAtMs = Number.NEGATIVE_INFINITY;

  next(trouble: Exclude<Trouble, "unsupported">, nowMs: number): Remedy {
    this.#failures += trouble === "silent" ? SILENT_COUNTS_AS : 1;
    const tellViewer = this.#failures > QUIET_REMEDIES;
    if (trouble === "media" && nowMs - this.#repairedAtMs > REPAIR_AGAIN_AFTER_MS) {
      this.#repairedAtMs = nowMs;
      return { action: "repair", delayMs: 0, tellViewer };
    }
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.#failures - 1), DELAY_MAX_MS);
    return { action: "restart", delayMs, tellViewer };
  }

  /** Pictures have moved for a while: the next fault is a new story. */
  succeed(): void {
    this.#failures = 0;
  }
}
