// Keys of the player, as viewers know them from other sites. They act on the whole page, except
// where the focused element has its own use for the key.

import { toggleFullScreen } from "./player/fullscreen";
import { phase, player } from "./state";

const SEEK_S = 5;
const VOLUME_STEP = 0.05;

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || phase.value !== "live") return;
    if (isTyping(event.target) || takesKey(event.target, event.key)) return;
    const act = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

const actions: Record<string, () => void> = {
  " ": () => player.togglePlay(),
  k: () => player.togglePlay(),
  m: () => player.toggleMute(),
  f: () => toggleFullScreen(),
  l: () => player.goLive(),
  End: () => player.goLive(),
  Home: () => player.seekTo(player.windowStart.value),
  ArrowLeft: () => player.seekBy(-SEEK_S),
  ArrowRight: () => player.seekBy(SEEK_S),
  ArrowUp: () => player.setVolume(player.volume.value + VOLUME_STEP),
  ArrowDown: () => player.setVolume(player.volume.value - VOLUME_STEP),
  "9": () => player.setVolume(player.volume.value - VOLUME_STEP),
  "0": () => player.setVolume(player.volume.value + VOLUME_STEP),
};

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== "range";
  return target.isContentEditable || target.matches("textarea, select");
}

/** Buttons and links are pressed with space, menus and the volume are walked with arrows. */
function takesKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (key === " ") return target.matches("button, a, summary, [role^=menuitem]");
  if (target.closest("[role=menu]")) return key.startsWith("Arrow") || key === "Home" || key === "End";
  return target.matches("input[data-own-arrows]") && key.startsWith("Arrow");
}
