// The quality menu: automatic, each level, sound alone.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { CheckIcon, QualityIcon } from "../icons";
import { player } from "../state";
import { text } from "../text";
import type { Selection } from "./player";

export function Quality() {
  const open = useSignal(false);
  const root = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open.value) return;
    root.current?.querySelector<HTMLElement>("[aria-checked=true]")?.focus();
    const close = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("pointerdown", close);
    return () => document.removeEventListener("pointerdown", close);
  }, [open.value]);

  const leave = () => {
    open.value = false;
    root.current?.querySelector("button")?.focus();
  };

  return (
    <div
      ref={root}
      class="quality"
      onKeyDown={(event) => {
        if (event.key === "Escape" && open.value) leave();
        else if (open.value) moveFocus(event);
      }}
      onFocusOut={(event) => {
        if (!root.current?.contains(event.relatedTarget as Node | null)) open.value = false;
      }}
    >
      <button
        class="control"
        type="button"
        aria-label={text.quality}
        aria-haspopup="menu"
        aria-expanded={open.value}
        title={text.quality}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <QualityIcon />
      </button>
      {open.value && (
        <div class="menu" role="menu" aria-label={text.quality}>
          {choices().map(({ selection, label }) => (
            <button
              key={String(selection)}
              type="button"
              role="menuitemradio"
              aria-checked={player.selection.value === selection}
              tabIndex={-1}
              onClick={() => {
                player.select(selection);
                leave();
              }}
            >
              <CheckIcon />
              {label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function choices(): { selection: Selection; label: string }[] {
  const levels = player.levels.value;
  const current = levels.find((level) => level.index === player.level.value);
  const automatic = player.selection.value === "auto" && current && levels.length > 1;
  const list: { selection: Selection; label: string }[] = [
    { selection: "auto", label: automatic ? `${text.auto} (${current.label})` : text.auto },
    ...levels.map((level) => ({ selection: level.index, label: level.label })),
  ];
  if (player.audioUrl.value) list.push({ selection: "audio", label: text.audioOnly });
  return list;
}

function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=menuitemradio]")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[next]?.focus();
}
