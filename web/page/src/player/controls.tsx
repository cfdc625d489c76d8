// The control bar. Media runs from left to right in every language, so the bar does too.

import {
  EnterFullScreenIcon,
  LeaveFullScreenIcon,
  MutedIcon,
  PauseIcon,
  PlayIcon,
  SoundIcon,
} from "../icons";
import { delayText } from "../format";
import { player } from "../state";
import { text } from "../text";
import { canFullScreen, fullScreen, toggleFullScreen } from "./fullscreen";
import { Quality } from "./quality";
import { Timeline } from "./timeline";

export function Controls() {
  return (
    <div class="controls" dir="ltr">
      <Timeline />
      <div class="controls-row">
        <PlayButton />
        <Sound />
        <LiveButton />
        <Delay />
        <span class="spring" />
        <Quality />
        <FullScreenButton />
      </div>
    </div>
  );
}

function PlayButton() {
  const paused = player.paused.value;
  return (
    <button
      class="control"
      type="button"
      aria-label={paused ? text.play : text.pause}
      title={`${paused ? text.play : text.pause} (k)`}
      onClick={() => player.togglePlay()}
    >
      {paused ? <PlayIcon /> : <PauseIcon />}
    </button>
  );
}

function Sound() {
  const silent = player.muted.value || player.volume.value === 0;
  const label = silent ? text.unmute : text.mute;
  return (
    <div class="sound">
      <button
        class="control"
        type="button"
        aria-label={label}
        title={`${label} (m)`}
        onClick={() => player.toggleMute()}
      >
        {silent ? <MutedIcon /> : <SoundIcon loud={player.volume.value > 0.5} />}
      </button>
      <input
        class="slider volume"
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label={text.volume}
        aria-valuetext={`${Math.round(player.volume.value * 100)} %`}
        data-own-arrows
        value={silent ? 0 : player.volume.value}
        style={{ "--fill": `${silent ? 0 : player.volume.value * 100}%` }}
        onInput={(event) => player.setVolume(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

function LiveButton() {
  const edge = player.atEdge.value && !player.paused.value;
  return (
    <button
      class="live-button"
      type="button"
      data-edge={edge}
      aria-label={text.goToLive}
      aria-pressed={edge}
      title={`${text.goToLive} (l)`}
      onClick={() => player.goLive()}
    >
      <span>{edge ? text.live : text.backToLive}</span>
    </button>
  );
}

function Delay() {
  const seconds = player.delay.value;
  return (
    <span class="delay" data-testid="delay">
      {seconds === null ? "" : delayText(seconds)}
    </span>
  );
}

function FullScreenButton() {
  if (!canFullScreen()) return null;
  const label = fullScreen.value ? text.exitFullScreen : text.fullScreen;
  return (
    <button
      class="control"
      type="button"
      aria-label={label}
      title={`${label} (f)`}
      onClick={toggleFullScreen}
    >
      {fullScreen.value ? <LeaveFullScreenIcon /> : <EnterFullScreenIcon />}
    </button>
  );
}
