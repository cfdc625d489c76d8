import { expect, test, vi } from "vitest";

/** One exchange of the loader underneath, answered by the test. */
const asked = vi.hoisted(() => [] as { url: string; answer(data: string): void; aborted: boolean }[]);

vi.mock("hls.js", () => {
  class Loader {
    #exchange: (typeof asked)[number] | undefined;
    load(
      context: { url: string },
      _policy: unknown,
      callbacks: { onSuccess(response: { data: string }, ...rest: unknown[]): void },
    ): void {
      const answer = (data: string) => callbacks.onSuccess({ data }, {}, context, null);
      this.#exchange = { url: context.url, answer, aborted: false };
      asked.push(this.#exchange);
    }
    abort(): void {
      if (this.#exchange) this.#exchange.aborted = true;
    }
    destroy(): void {
      this.abort();
    }
  }
  return { default: { DefaultConfig: { loader: Loader } } };
});

const { blockedUrl, OpeningLoader, openingMsn } = await import("../src/player/opening-loader");

const HEAD = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:281\n";
const PART = '#EXT-X-PART:DURATION=0.33300,URI="281.0.m4s",INDEPENDENT=YES\n';
const SEGMENT = "#EXTINF:1.33300,\n281.m4s\n";

test.each<[string, string, string | null]>([
  ["parts alone", HEAD + PART, "281"],
  ["a whole segment", HEAD + PART + SEGMENT, null],
  ["nothing", HEAD, null],
  ["a multivariant playlist", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n0/stream.m3u8\n", null],
])("%s", (_name, playlist, want) => {
  expect(openingMsn(playlist)).toBe(want);
});

test("the address keeps its query and gets one directive", () => {
  expect(blockedUrl("/hls/0/stream.m3u8", "7")).toBe("/hls/0/stream.m3u8?_HLS_msn=7");
  expect(blockedUrl("/x?a=1&_HLS_msn=2&_HLS_part=3", "7")).toBe("/x?a=1&_HLS_msn=7");
});

function start() {
  asked.length = 0;
  const onSuccess = vi.fn();
  const loader = new OpeningLoader({} as never);
  loader.load({ url: "/hls/0/stream.m3u8" } as never, {} as never, { onSuccess } as never);
  return { loader, onSuccess };
}

test("a playlist with a segment is passed on", () => {
  const { onSuccess } = start();
  asked[0]?.answer(HEAD + SEGMENT);
  expect(onSuccess).toHaveBeenCalledOnce();
  expect(asked).toHaveLength(1);
});

test("one with parts alone is asked for again and only the second answer counts", () => {
  const { loader, onSuccess } = start();
  asked[0]?.answer(HEAD + PART);
  expect(onSuccess).not.toHaveBeenCalled();
  expect(asked[1]?.url).toBe("/hls/0/stream.m3u8?_HLS_msn=281");
  loader.abort();
  expect(asked[1]?.aborted).toBe(true);
  asked[1]?.answer(HEAD + PART + SEGMENT);
  expect(onSuccess).toHaveBeenCalledOnce();
});
