// A dialog above the page: Escape and its button close it, and the focus returns to where it was.

import { say } from "../text/language.js";
import { button, element } from "./dom.js";

let count = 0;

export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}

/** Show a dialog with this title; `onClose` runs once it is closed, and may move the focus. */
export function openDialog(title, values, content, { className = "", onClose = () => {} } = {}) {
  const before = document.activeElement;
  const id = `dialog-${(count += 1)}`;
  const heading = say(element("h2", { id }), title, values);
  const close = button("close", () => dialog.close(), "quiet");
  const head = element("div", { className: "row spread" }, heading, close);
  const dialog = element("dialog", { className: `card ${className}` }, head, ...content);
  dialog.setAttribute("aria-labelledby", id);
  dialog.addEventListener("close", () => {
    dialog.remove();
    before?.focus();
    onClose();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
