// The rewind bar: the window on offer from its oldest second to live, as a native range.

import { useSignal } from "@preact/signals";
import { clockText } from "../format";
import { clock, player } from "../state";
import { text } from "../text";

/** Less than this on offer is no window to rewind in, s. */
const WORTH_SHOWING_S = 4;

export function Timeline() {
  const dragged = useSignal<number | null>(null);
  const hovered = useSignal<number | null>(null);
  const length = Math.max(0, player.livePosition.value - player.windowStart.value);
  const position = Math.min(length, Math.max(0, player.position.value - player.windowStart.value));
  const shown = dragged.value ?? (player.atEdge.value && !player.paused.value ? length : position);
  const share = length > 0 ? shown / length : 1;
  const marked = dragged.value ?? hovered.value;

  return (
    <div class="timeline" data-empty={length < WORTH_SHOWING_S}>
      {marked !== null && length > 0 && (
        <output class="timeline-hint" style={{ "--at": `${(marked / length) * 100}%` }}>
          {hintText(length - marked)}
        </output>
      )}
      <input
        class="slider rewind"
        type="range"
        min="0"
        max={length}
        step="any"
        aria-label={text.rewind}
        aria-valuetext={hintText(length - shown)}
        value={shown}
        style={{ "--fill": `${share * 100}%` }}
        onInput={(event) => {
          dragged.value = event.currentTarget.valueAsNumber;
        }}
        onChange={(event) => {
          player.seekTo(player.windowStart.value + event.currentTarget.valueAsNumber);
          dragged.value = null;
        }}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const at = (event.clientX - box.left) / box.width;
          hovered.value = Math.min(1, Math.max(0, at)) * length;
        }}
        onPointerLeave={() => {
          hovered.value = null;
        }}
      />
    </div>
  );
}

/** "-0:34 · 20:14:07": how far back, and what the clock showed there. */
function hintText(behindLive: number): string {
  if (behindLive < 1) return text.live;
  const back = `−${clockText(behindLive)}`;
  if (player.delay.value === null) return back;
  // Where the viewer is now was made `delay` ago; the rest is distance on the media timeline.
  const liveDelay = player.delay.value - (player.livePosition.value - player.position.value);
  const made = new Date(clock.now() - (behindLive + liveDelay) * 1000);
  return `${back} · ${made.toLocaleTimeString()}`;
}
