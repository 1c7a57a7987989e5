// Elements of the page. Text is set as text, never as markup.

import { label, say } from "../text/language.js";

export function byId(id) {
  return document.getElementById(id);
}

/** An element; `say` and `label` name its text and its accessible name, `on` has its listeners. */
export function element(name, { say: key, label: labelKey, on = {}, ...properties } = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  if (key) say(made, key);
  if (labelKey) label(made, labelKey);
  for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
  made.append(...children);
  return made;
}

/** A button whose listener is not called again while it works. */
export function button(key, listener, className = "") {
  const made = element("button", { type: "button", say: key, className });
  made.addEventListener("click", async () => {
    if (made.getAttribute("aria-busy")) return;
    made.setAttribute("aria-busy", "true");
    try {
      await listener(made);
    } finally {
      made.removeAttribute("aria-busy");
    }
  });
  return made;
}
