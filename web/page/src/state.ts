// The page's state as signals. One derived phase decides what fills the stage.

import { computed, signal } from "@preact/signals";
import type { Config, Status } from "./api";
import { ServerClock } from "./clock";
import { Player } from "./player/player";

export type Phase = "loading" | "live" | "offline" | "error";

export const status = signal<Status | null>(null);
export const config = signal<Config | null>(null);
/** False after several status requests in a row failed. */
export const reachable = signal(true);
/** Server time now, ms; ticks once a second for the texts that count. */
export const serverNow = signal(Date.now());
export const clock = new ServerClock();
export const player = new Player(clock);

export const phase = computed<Phase>(() => {
  if (player.failure.value) return "error";
  // What is still buffered plays to its end, whatever the server says meanwhile.
  // A browser that plays nothing without a tap may load no picture either: show where to tap.
  const visible = player.started.value || player.playBlocked.value;
  if (visible && player.wanted.value) return "live";
  if (!reachable.value) return "error";
  if (!status.value) return "loading";
  return status.value.online || player.wanted.value ? "loading" : "offline";
});

export const serverName = computed(() => config.value?.name || "Riverrun");
export const title = computed(
  () => status.value?.streamTitle || config.value?.streamTitle || serverName.value,
);
