// The page comes alive: the server's rendering of the true state is taken over by components.

import "./style/base.css";
import "./style/page.css";
import "./style/panels.css";
import "./style/player.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { embeddedFacts } from "./api";
import { App, VideoEmbed } from "./app";
import { exposeFacts } from "./debug";
import { listenToKeys } from "./keyboard";
import { startPolling } from "./poll";
import { startReporting } from "./report";
import { config, phase, player, status, title } from "./state";
import { text } from "./text";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no element with the id app");

const facts = embeddedFacts();
if (facts) {
  status.value = facts.status;
  config.value = facts.config;
  if (facts.status.online) player.follow(facts.status.presentation ?? 0);
}

root.replaceChildren();
render(root.dataset["embed"] === "video" ? <VideoEmbed /> : <App />, root);
effect(() => {
  root.dataset["state"] = phase.value;
});
effect(() => {
  if (!status.value) return;
  document.title = status.value.online ? `${title.value} · ${text.live}` : title.value;
});
exposeFacts();
listenToKeys();
startPolling();
startReporting();
