// The map of the page: a slim header, the stage, and what is known about the broadcast below it. In a
// frame on another site's page (/embed/video) it is the stage alone.

import { About } from "./about";
import { LogoMark } from "./icons";
import { Stage } from "./player/stage";
import { config, reachable, phase, serverName } from "./state";
import { text } from "./text";

export function App() {
  return (
    <>
      <header class="header">
        <a class="brand" href="/">
          <LogoMark />
          <span>{serverName}</span>
        </a>
        <StateTag />
      </header>
      <main class="main">
        <Stage />
        <About />
        <ExtraContent />
      </main>
      <footer class="footer">
        {config.value?.version} · <a href="/licenses.txt">{text.licences}</a>
      </footer>
      {!reachable.value && phase.value === "live" && (
        <p class="toast" role="status">
          {text.unreachableToast}
        </p>
      )}
    </>
  );
}

export function VideoEmbed() {
  return (
    <main class="main">
      <Stage />
    </main>
  );
}

function StateTag() {
  if (phase.value === "live") return <span class="tag tag-live">{text.live}</span>;
  if (phase.value === "offline") return <span class="tag">{text.offline}</span>;
  return null;
}

function ExtraContent() {
  const html = config.value?.extraPageContent;
  if (!html) return null;
  return <section class="extra" dangerouslySetInnerHTML={{ __html: html }} />;
}
