// Reads a playlist from stdin with the npm package m3u8-parser; prints what it understood as JSON.

import { readFileSync } from "node:fs";
import { Parser } from "m3u8-parser";

const parser = new Parser();
parser.push(readFileSync(0, "utf8"));
parser.end();
const { manifest } = parser;
const multivariant = Boolean(manifest.playlists);
const open = manifest.preloadSegment?.parts ?? [];
const parts = [...manifest.segments.flatMap((segment) => segment.parts ?? []), ...open];
const groups = Object.values(manifest.mediaGroups?.AUDIO ?? {});
console.log(
  JSON.stringify({
    target: manifest.targetDuration ?? null,
    msn: multivariant ? null : manifest.mediaSequence,
    ended: Boolean(manifest.endList),
    segments: manifest.segments.map((segment) => [segment.uri, segment.duration]),
    parts: parts.filter((part) => part.uri).map((part) => [part.uri, part.duration]),
    variants: (manifest.playlists ?? []).map((variant) => [
      variant.uri,
      variant.attributes.BANDWIDTH,
      variant.attributes.CODECS,
    ]),
    audio: groups.flatMap((group) => Object.values(group).map((member) => member.uri)),
  }),
);
