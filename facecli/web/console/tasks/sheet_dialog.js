// The dialog with the contact sheet of a task: some frames before and after.

import { openDialog } from "../page/dialog.js";
import { element } from "../page/dom.js";
import { label, say } from "../text/language.js";
import { localLink } from "./links.js";

export async function showSheet(task) {
  const image = element("img", { className: "sheet", src: await localLink(task.previewUrl) });
  label(image, "sheet_text");
  const note = element("p", { className: "muted small", role: "status" });
  image.addEventListener("error", () => say(note, "sheet_failed"));
  openDialog("sheet_title", { id: task.taskId.slice(0, 8) }, [image, note], { className: "large" });
}
