// Notices of the page, and errors with their reason, message and hint.

import { errorTexts, sayThat, text } from "../text/language.js";
import { button, byId, element } from "./dom.js";

const NOTICE_SECONDS = 6;

/** Show a sentence for a while. */
export function notify(name, values) {
  const notice = element("p", { className: "notice" });
  sayThat(notice, () => text(name, values));
  byId("notices").append(notice);
  setTimeout(() => notice.remove(), NOTICE_SECONDS * 1000);
}

export function clearNotices() {
  byId("notices").replaceChildren();
}

/** Show an error until it is closed. */
export function report(error) {
  const shown = element("div", { className: "notice error" }, errorText(error));
  shown.append(button("close", () => shown.remove(), "quiet"));
  byId("notices").append(shown);
}

/** Run a step; an error of it is reported. */
export async function attempt(step) {
  try {
    return await step();
  } catch (error) {
    report(error);
    return undefined;
  }
}

/** A paragraph that describes an error as the commands do: message, reason and hint. */
export function errorText(error) {
  return sayThat(element("p", { className: "error-text" }), () => described(error));
}

export function described(error) {
  const { title, hint } = errorTexts(error.reason);
  const parts = [title, error.message && error.message !== title ? error.message : ""];
  if (!parts.join("")) parts.push(String(error.reason ?? error));
  if (error.reason && error.reason !== "UNKNOWN") parts.push(`(${error.reason})`);
  if (error.request) parts.push(`[${text("request_id", { id: error.request })}]`);
  return [...parts, hint].filter(Boolean).join(" ");
}
