// The stage: the <video>, what lies over it, and when the controls show.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { MutedIcon, PlayIcon } from "../icons";
import { StagePanel } from "../panels";
import { phase, player } from "../state";
import { text } from "../text";
import { Controls } from "./controls";
import { setStage, toggleFullScreen } from "./fullscreen";
import { Listening, isListening } from "./listening";

/** The controls leave this long after the last movement over a playing picture. */
const CONTROLS_LEAVE_MS = 2_600;
/** Starved for longer than this, we say why. */
const EXPLAIN_AFTER_S = 4;

export function Stage() {
  const stage = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const awake = useSignal(true);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wokeByTouch = useRef(false);

  useEffect(() => {
    if (!stage.current || !video.current) return;
    setStage(stage.current, video.current);
    player.attach(video.current);
  }, []);

  const wake = () => {
    awake.value = true;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      awake.value = false;
    }, CONTROLS_LEAVE_MS);
  };
  const shown = awake.value || player.paused.value;
  useSignalEffect(() => {
    // A broadcast that begins shows the controls once, so that a viewer knows where they are.
    if (player.started.value) wake();
  });

  return (
    <div
      ref={stage}
      class="stage"
      role="region"
      aria-label={text.player}
      data-controls={shown ? "shown" : "hidden"}
      data-audio-only={isListening()}
      onPointerMove={(event) => event.pointerType !== "touch" && wake()}
      onPointerLeave={(event) => {
        if (event.pointerType !== "touch") awake.value = false;
      }}
      onFocusIn={wake}
      onPointerDownCapture={(event) => {
        // The first touch shows the controls and must not press the one that happens to lie there.
        wokeByTouch.current = event.pointerType === "touch" && !shown;
        wake();
      }}
      onClickCapture={(event) => {
        if (wokeByTouch.current && phase.value === "live") event.stopPropagation();
        wokeByTouch.current = false;
      }}
    >
      <video
        ref={video}
        playsInline
        tabIndex={-1}
        onClick={() => phase.value === "live" && player.togglePlay()}
        onDblClick={toggleFullScreen}
      />
      {phase.value === "live" && isListening() && <Listening />}
      <StagePanel />
      {phase.value === "live" && <LiveLayer />}
    </div>
  );
}

function LiveLayer() {
  const starved = player.starvedSeconds.value;
  return (
    <>
      {starved > 0 && !player.paused.value && (
        <div class="starved" role="status">
          <span class="spinner" />
          {starved > EXPLAIN_AFTER_S && <p>{text.waiting}</p>}
        </div>
      )}
      {player.playBlocked.value && (
        <button class="big-play" type="button" aria-label={text.play} onClick={() => player.play()}>
          <PlayIcon />
        </button>
      )}
      {player.soundBlocked.value && !player.playBlocked.value && (
        <button class="unmute" type="button" onClick={() => player.toggleMute()}>
          <MutedIcon />
          {text.tapToUnmute}
        </button>
      )}
      <Controls />
    </>
  );
}
