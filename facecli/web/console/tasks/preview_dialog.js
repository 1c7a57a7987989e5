// The dialog that shows some frames before and after, swapped by the server before a task is created.

import { openDialog } from "../page/dialog.js";
import { element } from "../page/dom.js";
import { errorText } from "../page/notices.js";
import { retried } from "../rpc/backoff.js";
import { fromBase64 } from "../rpc/base64.js";
import { call } from "../rpc/calls.js";
import { crc32c } from "../rpc/crc32c.js";
import { Refusal } from "../rpc/refusal.js";
import { label } from "../text/language.js";

const CALL_SECONDS = 90; // the server gives a preview up after 60
const MAX_TRIES = 20; // while the server makes other previews

/** Ask for a preview of this task; closing the dialog gives it up, or leads to the field that was refused. */
export async function showPreview(task, lead) {
  const closed = new AbortController();
  let refusal = null;
  const onClose = () => {
    closed.abort();
    if (refusal?.field) lead(refusal);
  };
  const bar = label(element("progress"), "preview_making");
  const body = element("div", { role: "status" }, element("p", { className: "muted", say: "preview_making" }), bar);
  openDialog("preview_title", {}, [body], { className: "large", onClose });
  try {
    const bytes = await retried(() => previewOf(task, closed.signal), { tries: MAX_TRIES, signal: closed.signal });
    if (!closed.signal.aborted) body.replaceChildren(picture(bytes, closed.signal));
  } catch (error) {
    if (closed.signal.aborted) return;
    refusal = error;
    body.replaceChildren(errorText(error));
  }
}

async function previewOf(task, signal) {
  const response = await call("TaskService/PreviewTask", task, { signal, seconds: CALL_SECONDS });
  const bytes = fromBase64(response.image ?? "");
  if (crc32c(bytes) !== (response.crc32c ?? 0)) throw new Refusal("", { reason: "UNEXPECTED_RESPONSE" });
  return bytes;
}

function picture(bytes, closed) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  closed.addEventListener("abort", () => URL.revokeObjectURL(url));
  return label(element("img", { className: "sheet", src: url }), "sheet_text");
}
