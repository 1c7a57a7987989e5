// The dialog that creates a link to a result.

import { openDialog } from "../page/dialog.js";
import { button, element } from "../page/dom.js";
import { attempt, notify, report } from "../page/notices.js";
import { Refusal } from "../rpc/refusal.js";
import { label, say } from "../text/language.js";
import { createLink } from "./links.js";

const EXPIRIES = { link_hour: 3600, link_day: 86400, link_week: 7 * 86400 }; // seconds

export function showLink(task) {
  const expiry = element("select", { id: "link-expiry" });
  for (const [name, seconds] of Object.entries(EXPIRIES)) expiry.append(element("option", { value: seconds, say: name }));
  const url = element("input", { readOnly: true, className: "wide", id: "link-url" });
  label(url, "link_url");
  const until = element("p", { className: "muted small" });
  const copy = button("copy", () => copied(url));
  const made = element("div", { hidden: true, role: "status" }, element("div", { className: "row" }, url, copy), until);
  const create = button("link_create", () => attempt(async () => {
    const link = await createLink(task.resultUrl, Number(expiry.value));
    url.value = link.url;
    say(until, "link_until", { time: link.expiresAt });
    made.hidden = false;
    url.select();
  }), "primary");
  const choice = element("label", { say: "link_expires", htmlFor: expiry.id });
  openDialog("link_title", {}, [
    element("p", { className: "muted", say: "link_text" }),
    element("div", { className: "row" }, choice, expiry, create),
    made,
  ]);
}

async function copied(url) {
  url.select();
  try {
    await navigator.clipboard.writeText(url.value);
    notify("copied");
  } catch {
    report(new Refusal("", { reason: "COPY_FAILED" }));
  }
}
