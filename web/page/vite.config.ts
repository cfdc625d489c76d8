import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import engine from "hls.js/package.json" with { type: "json" };

// hls.js is built from its own sources with the features that we have media for: low-latency live
// with alternate audio. Its ready-made "light" file lacks alternate audio, the full one carries
// subtitles, DRM, interstitials and more, half as much again.
const engineFeatures = {
  __VERSION__: JSON.stringify(engine.version),
  __USE_ALT_AUDIO__: "true",
  __USE_MEDIA_CAPABILITIES__: "true",
  __USE_CMCD__: "false",
  __USE_CONTENT_STEERING__: "false",
  __USE_EME_DRM__: "false",
  __USE_IFRAMES__: "false",
  __USE_INTERSTITIALS__: "false",
  __USE_M2TS_ADVANCED_CODECS__: "false",
  __USE_SUBTITLES__: "false",
  __USE_VARIABLE_SUBSTITUTION__: "false",
  __IN_WORKER__: "false",
  __HLS_WORKER_BUNDLE__: "undefined",
};

const engineSource = fileURLToPath(
  new URL("node_modules/hls.js/src/hls.ts", import.meta.url),
);

// Everything the page needs comes from our own origin under hashed names, and nothing is inlined:
// the content-security policy allows neither inline script or style nor another host.
export default defineConfig({
  base: "/",
  define: engineFeatures,
  // hls.js is written for compilers that drop fields without a value; kept, they would overwrite
  // in a subclass what its base class has just set.
  oxc: {
    assumptions: { setPublicClassFields: true },
    typescript: { removeClassFieldsWithoutInitializer: true },
  },
  resolve: { alias: { "hls.js": engineSource } },
  build: {
    target: "es2022",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Sizes are judged by build/finish.mjs.
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        entryFileNames: "assets/page-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});
