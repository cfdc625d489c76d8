// Read-only facts for tests and for curious operators: `window.riverrun` in the console.

import { phase, player } from "./state";

export function exposeFacts(): void {
  const facts = {
    get state() {
      return phase.value;
    },
    get stalls() {
      return player.stalls;
    },
    get delaySeconds() {
      return player.delay.value;
    },
    get decodedFrames() {
      return player.pictures.decoded;
    },
    get droppedFrames() {
      return player.pictures.dropped;
    },
  };
  Object.defineProperty(window, "riverrun", { value: Object.freeze(facts) });
}
