// Another site, on a loopback port of its own: one page per player that we did not write, each of which embeds a stream of
// ours. So Chromium also holds our answers against its rules for other origins.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Each `start` sets `window.foreign`, which tells what the player says of itself; `fatal` lists errors it gave up on. */
const players = {
  shaka: {
    script: "shaka-player/dist/shaka-player.hls.js",
    start: `
      shaka.polyfill.installAll();
      const player = new shaka.Player();
      player.addEventListener("error", ({ detail }) => {
        if (detail.severity === shaka.util.Error.Severity.CRITICAL) fatal.push("code " + detail.code);
      });
      player.configure({ streaming: { lowLatencyMode: true } });
      window.foreign = () => {
        const active = player.getVariantTracks().find((track) => track.active);
        const shown = player.getPlayheadTimeAsDate();
        return {
          fatal,
          codecs: active ? [active.videoCodec, active.audioCodec] : null,
          delaySeconds: shown ? (Date.now() - shown.getTime()) / 1000 : null,
        };
      };
      player
        .attach(video)
        .then(() => player.load(stream))
        .then(() => video.play())
        .catch((error) => fatal.push(String(error.code ?? error)));`,
  },
  videojs: {
    script: "video.js/dist/video.min.js",
    start: `
      const player = videojs(video);
      player.on("error", () => fatal.push(player.error().message));
      window.foreign = () => {
        const playlist = player.tech(true)?.vhs?.playlists?.media();
        const attributes = playlist?.attributes;
        return { fatal, codecs: attributes?.CODECS?.split(",") ?? null, delaySeconds: null };
      };
      player.src({ src: stream, type: "application/vnd.apple.mpegurl" });
      player.ready(() => player.play()?.catch((error) => fatal.push(String(error))));`,
  },
};

/** Our own embed, in a frame of the site's page. */
const frame = (address) => `<!doctype html><meta charset="utf-8"><title>frame</title><link rel="icon" href="data:,">
<iframe src="${address}" width="640" height="360" allow="autoplay; fullscreen"></iframe>`;

const html = (name, stream) => `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,">
<video width="640" height="360" muted playsinline></video>
<script src="/${name}.js"></script>
<script>
      const fatal = [];
      const stream = ${JSON.stringify(stream)};
      const video = document.querySelector("video");
      ${players[name].start}
</script>`;

/** Starts the site; gives the address of the page on which the player named plays `stream`, and what ends it. The player
 * `frame` is our own page at that address. */
export async function embed(name, stream) {
  const script = name === "frame" ? "" : readFileSync(require.resolve(players[name].script));
  const server = createServer((request, response) => {
    const isPage = request.url === "/";
    if (!isPage && request.url !== `/${name}.js`) return response.writeHead(404).end();
    response.setHeader("content-type", isPage ? "text/html" : "text/javascript");
    const document = name === "frame" ? frame(stream) : html(name, stream);
    response.end(isPage ? document : script);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}
