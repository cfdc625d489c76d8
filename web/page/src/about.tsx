// Below the stage: what is on, who sends it, since when, and how many watch.

import { ClockIcon, PeopleIcon } from "./icons";
import { clockText, viewersText } from "./format";
import { config, serverName, serverNow, status, title } from "./state";
import { text } from "./text";

export function About() {
  const summary = config.value?.summary;
  const hasOwnTitle = title.value !== serverName.value;
  return (
    <section class="about" id="about">
      <img class="about-logo" src={config.value?.logo ?? "/logo"} alt="" width="52" height="52" />
      <div class="about-words">
        <h1>{title}</h1>
        {(hasOwnTitle || summary) && (
          <p class="about-summary">
            {hasOwnTitle && <strong>{serverName}</strong>}
            {hasOwnTitle && summary ? <span class="dot" aria-hidden="true" /> : null}
            {summary}
          </p>
        )}
        <Tags />
      </div>
      <Facts />
    </section>
  );
}

function Facts() {
  const now = status.value;
  if (!now?.online) return null;
  const since = now.lastConnectTime ? Date.parse(now.lastConnectTime) : Number.NaN;
  const viewers = now.viewerCount ?? 0;
  return (
    <ul class="facts">
      {Number.isFinite(since) && (
        <li>
          <ClockIcon />
          <span>
            {text.liveFor} <b>{clockText((serverNow.value - since) / 1000)}</b>
          </span>
        </li>
      )}
      {!config.value?.hideViewerCount && viewers > 0 && (
        <li>
          <PeopleIcon />
          <b>{viewersText(viewers)}</b>
        </li>
      )}
    </ul>
  );
}

function Tags() {
  const tags = config.value?.tags ?? [];
  const handles = (config.value?.socialHandles ?? []).flatMap(({ platform, url }) =>
    url ? [{ url, name: platform || url }] : [],
  );
  if (tags.length === 0 && handles.length === 0) return null;
  return (
    <ul class="tags">
      {tags.map((tag) => (
        <li key={tag}>#{tag}</li>
      ))}
      {handles.map((handle) => (
        <li key={handle.url}>
          <a href={handle.url} rel="me noopener">
            {handle.name}
          </a>
        </li>
      ))}
    </ul>
  );
}
