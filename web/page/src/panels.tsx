// What fills the stage when there is no picture: joining, offline, or something is wrong. Each says
// who has to act, and it is never the viewer without being told how.

import { agoText } from "./format";
import { pollNow } from "./poll";
import { RiverArt } from "./river";
import { config, phase, player, serverName, serverNow, status } from "./state";
import { text } from "./text";
import { STREAM_URL } from "./player/player";

export function StagePanel() {
  switch (phase.value) {
    case "live":
      return null;
    case "loading":
      return <LoadingPanel />;
    case "offline":
      return <OfflinePanel />;
    case "error":
      return <ErrorPanel />;
  }
}

function LoadingPanel() {
  return (
    <div class="panel panel-loading" role="status">
      <span class="spinner" />
      <p>{text.joining}</p>
    </div>
  );
}

function OfflinePanel() {
  const message = config.value?.offlineMessage;
  const last = status.value?.lastDisconnectTime;
  const lastMs = last ? Date.parse(last) : Number.NaN;
  return (
    <div class="panel panel-offline" role="status">
      <RiverArt />
      <div class="panel-words">
        <p class="kicker">{text.offline}</p>
        <h2>{text.offlineTitle(serverName.value)}</h2>
        {message ? (
          <div class="panel-message" dangerouslySetInnerHTML={{ __html: message }} />
        ) : (
          <p class="panel-message">{text.offlineHint}</p>
        )}
        {Number.isFinite(lastMs) && (
          <p class="panel-note">
            <time dateTime={last ?? ""}>{text.lastLive(agoText(lastMs, serverNow.value))}</time>
          </p>
        )}
      </div>
    </div>
  );
}

function ErrorPanel() {
  const failure = player.failure.value;
  const [heading, hint] =
    failure === "unsupported"
      ? [text.unsupportedTitle, text.unsupportedHint]
      : failure === "failed"
        ? [text.failedTitle, text.failedHint]
        : [text.unreachableTitle, text.unreachableHint];
  return (
    <div class="panel panel-error" role="alert">
      <RiverArt />
      <div class="panel-words">
        <h2>{heading}</h2>
        <p class="panel-message">{hint}</p>
        {failure ? (
          <a class="button" href={STREAM_URL}>
            {text.openInPlayer}
          </a>
        ) : (
          <button class="button" type="button" onClick={pollNow}>
            {text.tryNow}
          </button>
        )}
      </div>
    </div>
  );
}
