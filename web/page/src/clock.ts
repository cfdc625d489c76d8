// The server's clock seen from here. A viewer's own clock may be minutes off, and the delay we show
// is a difference between two clocks, so it must be corrected.

interface Sample {
  offsetMs: number;
  roundTripMs: number;
}

/** Samples kept: the best of the last few follows a drifting clock and forgets a slow network. */
const SAMPLES_MAX = 8;

export class ServerClock {
  #samples: Sample[] = [];

  /** Takes one exchange. The server read its clock about half-way between sending and receiving. */
  addSample(serverMs: number, sentAtMs: number, receivedAtMs: number): void {
    if (!Number.isFinite(serverMs) || receivedAtMs < sentAtMs) return;
    const roundTripMs = receivedAtMs - sentAtMs;
    this.#samples.push({ offsetMs: serverMs - (sentAtMs + roundTripMs / 2), roundTripMs });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  /** Server minus local clock in ms. The quickest exchange has the smallest error. */
  get offsetMs(): number {
    let best: Sample | undefined;
    for (const sample of this.#samples) {
      if (!best || sample.roundTripMs <= best.roundTripMs) best = sample;
    }
    return best?.offsetMs ?? 0;
  }

  now(): number {
    return Date.now() + this.offsetMs;
  }
}
