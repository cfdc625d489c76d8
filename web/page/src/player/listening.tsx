// What fills the stage while there is sound and no picture: because the viewer chose so, because the
// broadcast has none, or because this browser cannot decode it, which it says in words.

import { SoundIcon } from "../icons";
import { RiverArt } from "../river";
import { player } from "../state";
import { text } from "../text";
import { STREAM_URL } from "./player";

export function isListening(): boolean {
  return player.selection.value === "audio" || player.picture.value !== "shown";
}

export function Listening() {
  const undecodable = player.picture.value === "undecodable";
  return (
    <div class="listening">
      <RiverArt />
      {undecodable && player.selection.value !== "audio" ? (
        <div class="listening-words" role="alert">
          <h2>{text.noPictureTitle}</h2>
          <p>{text.noPictureHint}</p>
          <a class="button" href={STREAM_URL}>
            {text.openInPlayer}
          </a>
        </div>
      ) : (
        <p class="listening-label">
          <SoundIcon loud />
          {text.audioOnly}
        </p>
      )}
    </div>
  );
}
