// After Vite: gathers the licences of what was bundled, compresses what compresses, and fails the
// build when the page outgrows its budget. The binary embeds the results as they are (web/build.rs),
// so no request pays for compression.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist", import.meta.url).pathname;
const compressible = /\.(html|js|css|svg|json|txt)$/;
const kB = 1000;

/** Sums of gzip bytes. The engine, hls.js, is fetched only when a broadcast is on. */
const budgets = {
  "HTML and critical CSS": { limit: 15 * kB, files: /(index\.html|\.css)$/ },
  "viewer script without engine": { limit: 35 * kB, files: /assets\/(?!hls-engine).*\.js$/ },
  "viewer script with engine": { limit: 155 * kB, files: /\.js$/ },
};

/** Everything of which code is in the scripts. */
const bundled = [
  "preact",
  "@preact/signals",
  "@preact/signals-core",
  "hls.js",
  "eventemitter3",
  "url-toolkit",
  "@svta/cml-id3",
  "@svta/cml-utils",
];

const licences = bundled.map((name) => {
  const folder = new URL(`../node_modules/${name}/`, import.meta.url);
  const { version, license } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  const words = readFileSync(new URL("LICENSE", folder), "utf8").trim();
  return `${name} ${version} (${license})\n\n${words}\n`;
});
writeFileSync(join(dist, "licenses.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));

const sizes = new Map();
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || /\.(gz|br)$/.test(path)) continue;
  const bytes = readFileSync(path);
  const gzip = gzipSync(bytes, { level: 9 });
  sizes.set(path.slice(dist.length + 1), gzip.length);
  // The HTML is a template: what leaves the server is rendered for each request.
  if (!compressible.test(path) || path.endsWith(".html")) continue;
  writeFileSync(`${path}.gz`, gzip);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
}

let over = false;
for (const [name, { limit, files }] of Object.entries(budgets)) {
  let sum = 0;
  for (const [path, size] of sizes) if (files.test(path)) sum += size;
  const verdict = sum > limit ? "OVER BUDGET" : "ok";
  over ||= sum > limit;
  console.log(`${name}: ${(sum / kB).toFixed(1)} of ${limit / kB} kB gzip, ${verdict}`);
}
if (over) process.exit(1);
