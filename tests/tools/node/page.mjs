// A browser on a line: each line on stdin is one order as JSON, each answer one line of JSON on stdout. tests/live/browser.rs
// gives the orders, because its tests also run the server and the publishers. Chromium is the system's own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { embed } from "./foreign.mjs";

const profile = mkdtempSync(join(tmpdir(), "riverrun-page-"));
const quiet = ["networking", "timer-throttling"].map((what) => `--disable-background-${what}`);
const root = process.getuid?.() === 0;
let context;
let page;
let problems = [];
let site;

/** Opens our page at `url`; with `player` a foreign site's page on which that player plays the stream at `url`. */
async function open({ url, player, width, height, phone }) {
  await context?.close();
  site?.close();
  site = player ? await embed(player, url) : undefined;
  problems = [];
  context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    viewport: { width, height },
    ...(phone ? { isMobile: true, hasTouch: true, deviceScaleFactor: 2 } : {}),
    args: [
      ...quiet,
      ...(root ? ["--no-sandbox"] : []),
      "--autoplay-policy=no-user-gesture-required",
      "--disable-component-update",
      "--disable-quic",
      "--disable-sync",
      "--mute-audio",
      "--no-first-run",
    ],
  });
  page = context.pages()[0] ?? (await context.newPage());
  const origins = [url, site?.url ?? url].map((address) => new URL(address).origin);
  await page.addInitScript(() => {
    // Every codec that the browser was asked to decode.
    window.sourceTypes = [];
    const { addSourceBuffer } = MediaSource.prototype;
    MediaSource.prototype.addSourceBuffer = function (type) {
      window.sourceTypes.push(type);
      return addSourceBuffer.call(this, type);
    };
  });
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.stack ?? error}`));
  page.on("request", (request) => {
    const to = request.url();
    if (!origins.some((origin) => to.startsWith(origin)) && !/^(blob|data):/.test(to)) problems.push(`foreign request: ${to}`);
  });
  await page.goto(site?.url ?? url, { waitUntil: "domcontentloaded" });
  return {};
}

/** Our page, in a frame of the other site's where there is one. */
const ours = () => page.frames().find((frame) => frame.url().includes("/embed/")) ?? page;

/** What the page says of itself, and what the video element says without asking the page. */
const facts = () =>
  ours().evaluate(() => {
    const video = document.querySelector("video");
    const quality = video?.getVideoPlaybackQuality?.();
    const said = window.riverrun;
    const scroller = document.scrollingElement;
    return {
      root: document.querySelector("[data-state]")?.dataset.state ?? null,
      state: said?.state ?? null,
      stalls: said?.stalls ?? null,
      delaySeconds: said?.delaySeconds ?? null,
      decodedFrames: said?.decodedFrames ?? null,
      droppedFrames: said?.droppedFrames ?? null,
      delayText: document.querySelector("[data-testid=delay]")?.textContent ?? null,
      title: document.title,
      time: video?.currentTime ?? null,
      paused: video?.paused ?? null,
      muted: video?.muted ?? null,
      width: video?.videoWidth ?? null,
      totalFrames: quality?.totalVideoFrames ?? null,
      overflow: scroller.scrollWidth - window.innerWidth,
      alert: document.querySelector("[role=alert]")?.innerText ?? null,
      sourceTypes: window.sourceTypes,
      foreign: window.foreign?.() ?? null,
    };
  });

const orders = {
  open,
  facts,
  async press({ key }) {
    await page.keyboard.press(key);
    return {};
  },
  async click({ name }) {
    await page.locator("video").first().hover({ timeout: 10_000 }).catch(() => {});
    await page.getByRole("button", { name, exact: true }).first().click({ timeout: 10_000 });
    return {};
  },
  /** Chooses in the quality menu. */
  async choose({ name }) {
    await page.locator("video").first().hover({ timeout: 10_000 }).catch(() => {});
    await page.getByRole("button", { name: "Quality", exact: true }).first().click({ timeout: 10_000 });
    await page.getByRole("menuitemradio", { name }).first().click({ timeout: 10_000 });
    return {};
  },
  async labels() {
    const names = {};
    for (const name of ["Play", "Pause", "Mute", "Unmute", "Go to live", "Full screen", "Quality"]) {
      names[name] = await page.getByRole("button", { name, exact: true }).count();
    }
    for (const name of ["Volume", "Rewind"]) {
      names[name] = await page.getByRole("slider", { name, exact: true }).count();
    }
    return names;
  },
  /** Moves the rewind bar `seconds` back from its end, as a pointer would: input, then change. */
  async rewind({ seconds }) {
    const slider = page.getByRole("slider", { name: "Rewind", exact: true });
    return slider.evaluate((input, back) => {
      const length = Number(input.max);
      input.value = String(length - back);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
      return { length };
    }, seconds);
  },
  /** Mean brightness of the picture on the screen and how much it varies: a black one has none. */
  async picture() {
    return page.evaluate(() => {
      const video = document.querySelector("video");
      const canvas = document.createElement("canvas");
      canvas.width = 160;
      canvas.height = 90;
      const drawing = canvas.getContext("2d");
      drawing.drawImage(video, 0, 0, 160, 90);
      const { data } = drawing.getImageData(0, 0, 160, 90);
      let sum = 0;
      let squares = 0;
      for (let at = 0; at < data.length; at += 4) {
        const light = (data[at] + data[at + 1] + data[at + 2]) / 3;
        sum += light;
        squares += light * light;
      }
      const count = data.length / 4;
      return { mean: sum / count, deviation: Math.sqrt(squares / count - (sum / count) ** 2) };
    });
  },
  async screenshot({ file }) {
    await page.screenshot({ path: file });
    return {};
  },
  problems: () => ({ problems }),
};

async function close() {
  await context?.close().catch(() => {});
  site?.close();
  rmSync(profile, { recursive: true, force: true });
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  try {
    console.log(JSON.stringify(await orders[order.do](order)));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error.stack ?? error) }));
  }
}
await close();
