// Full screen of the stage with our controls; iPhones can only do it for the bare <video>.

import { signal } from "@preact/signals";

type AppleVideo = HTMLVideoElement & { webkitEnterFullscreen?(): void };

export const fullScreen = signal(false);

let stage: HTMLElement | null = null;
let video: AppleVideo | null = null;

export function setStage(stageElement: HTMLElement, videoElement: HTMLVideoElement): void {
  stage = stageElement;
  video = videoElement;
  document.addEventListener("fullscreenchange", () => {
    fullScreen.value = document.fullscreenElement === stage;
  });
}

export function canFullScreen(): boolean {
  return document.fullscreenEnabled || typeof video?.webkitEnterFullscreen === "function";
}

export function toggleFullScreen(): void {
  // A refusal (no gesture, a frame without permission) needs no words: nothing happened.
  if (document.fullscreenElement) document.exitFullscreen().catch(() => undefined);
  else if (stage && document.fullscreenEnabled) stage.requestFullscreen().catch(() => undefined);
  else video?.webkitEnterFullscreen?.();
}
