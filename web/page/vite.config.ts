import { defineConfig } from "vite";

// Everything the page needs comes from our own origin under hashed names, and nothing is inlined:
// the content-security policy allows neither inline script or style nor another host.
export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The engine is one lazy chunk; its size has a budget of its own (build/finish.mjs).
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
