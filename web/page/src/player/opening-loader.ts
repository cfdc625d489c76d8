// Loads playlists for hls.js. A broadcast that has just begun lists parts but no whole segment yet,
// which hls.js takes for empty and asks again half a second later; here the server is asked to answer
// when the first segment is whole (blocking reload, HLS §6.2.5.2).

import Hls, { type HlsConfig, type Loader, type PlaylistLoaderContext } from "hls.js";

type Base = Loader<PlaylistLoaderContext>;
type Load = Base["load"];

/** The number of the first segment if the playlist lists parts of it and nothing else, else null. */
export function openingMsn(playlist: string): string | null {
  if (!playlist.includes("#EXT-X-PART:") || playlist.includes("#EXTINF:")) return null;
  return /^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(playlist)?.[1] ?? null;
}

/** The address that answers once this segment is whole. */
export function blockedUrl(url: string, msn: string): string {
  const [address, query] = url.split("?", 2);
  const others = (query ?? "").split("&").filter((pair) => pair && !pair.startsWith("_HLS_"));
  return `${address}?${[...others, `_HLS_msn=${msn}`].join("&")}`;
}

export class OpeningLoader extends (Hls.DefaultConfig.loader as new (config: HlsConfig) => Base) {
  readonly #config: HlsConfig;
  #blocked: Base | null = null;

  constructor(config: HlsConfig) {
    super(config);
    this.#config = config;
  }

  override load(...[context, policy, callbacks]: Parameters<Load>): void {
    super.load(context, policy, {
      ...callbacks,
      onSuccess: (response, stats, loaded, details) => {
        const msn = typeof response.data === "string" ? openingMsn(response.data) : null;
        if (msn === null) return callbacks.onSuccess(response, stats, loaded, details);
        this.#blocked = new Hls.DefaultConfig.loader(this.#config) as Base;
        this.#blocked.load({ ...context, url: blockedUrl(context.url, msn) }, policy, callbacks);
      },
    });
  }

  override abort(): void {
    super.abort();
    this.#blocked?.abort();
  }

  override destroy(): void {
    super.destroy();
    this.#blocked?.destroy();
  }
}
