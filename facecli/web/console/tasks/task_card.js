// One task of the list: its state, its progress, and what can be done with it.

import { button, element } from "../page/dom.js";
import { attempt, described } from "../page/notices.js";
import { call } from "../rpc/calls.js";
import { label, say, sayThat, text } from "../text/language.js";
import { download } from "./links.js";
import { showLink } from "./link_dialog.js";
import { showLog } from "./log_dialog.js";
import { play } from "./player.js";
import { showSheet } from "./sheet_dialog.js";

const ENDED = new Set(["completed", "failed", "cancelled"]);
const ID_LENGTH = 8; // characters of an id that are shown

export class TaskCard {
  constructor(task, { onDeleted }) {
    const id = task.taskId;
    const short = id.slice(0, ID_LENGTH);
    this.status = element("span", { className: "status" });
    this.bar = element("progress", { max: 100, value: 0 });
    label(this.bar, "task_bar", { id: short });
    this.facts = element("p", { className: "muted small" });
    this.error = element("p", { className: "error-text" });
    this.notes = element("p", { className: "muted small" });
    const title = say(element("h3"), "task", { id: short });
    title.title = id;
    this.buttons = {
      play: this.#button("play", () => play(this.task), "primary"),
      sheet: this.#button("sheet", () => showSheet(this.task)),
      download: this.#button("download", () => download(this.task.resultUrl)),
      link: this.#button("link", () => showLink(this.task)),
      cancel: this.#button("cancel", () => this.#change("CancelTask")),
      retry: this.#button("retry", () => this.#change("RetryTask")),
      log: this.#button("log", () => showLog(this.task), "quiet"),
      delete: this.#button("delete", () => this.#delete(onDeleted), "quiet"),
    };
    const head = element("div", { className: "row" }, title, this.status);
    const row = element("div", { className: "row" }, ...Object.values(this.buttons));
    this.root = element("li", { className: "task" }, head, this.bar, this.facts, this.error, this.notes, row);
    this.root.dataset.task = id;
    this.update(task);
  }

  get createdAt() {
    return Date.parse(this.task.createdAt);
  }

  /** Show this state, unless a newer one is shown. */
  update(task) {
    if (this.task && Number(task.revision ?? 0) < Number(this.task.revision ?? 0)) return;
    this.task = task;
    const { status, progress = 0, errorMessage = "", errorReason = "", notes = [] } = task;
    this.root.dataset.status = status;
    say(this.status, `status_${status}`);
    this.bar.value = progress;
    this.bar.hidden = ENDED.has(status);
    sayThat(this.facts, () => facts(task).join(" · "));
    sayThat(this.error, () => (errorMessage ? described({ message: errorMessage, reason: errorReason }) : ""));
    this.error.hidden = !errorMessage;
    this.notes.textContent = notes.join(" ");
    this.notes.hidden = !notes.length;
    const completed = status === "completed";
    for (const name of ["play", "download", "link"]) this.buttons[name].hidden = !completed;
    this.buttons.sheet.hidden = !task.previewUrl;
    this.buttons.cancel.hidden = ENDED.has(status);
    this.buttons.retry.hidden = !["failed", "cancelled"].includes(status);
    this.buttons.delete.hidden = !ENDED.has(status);
  }

  #button(key, listener, className = "") {
    return button(key, () => attempt(listener), className);
  }

  async #change(method) {
    const { task, priority } = await call(`TaskService/${method}`, { taskId: this.task.taskId });
    this.update({ ...task, priority });
  }

  async #delete(onDeleted) {
    if (!window.confirm(text("delete_task_sure"))) return;
    await call("TaskService/DeleteTask", { taskId: this.task.taskId });
    onDeleted();
  }
}

function facts(task) {
  const { status, progress = 0, framesDone = 0, frames = 0, engine = "", createdAt, resultSize, figures } = task;
  const { start, end, priority } = task;
  const found = [engine];
  if (priority === "high" || priority === "low") found.push(text(`task_priority_${priority}`));
  if (start || end) found.push(text("task_part", { start: start ?? "0s", end: end ?? "…" }));
  if (!ENDED.has(status)) found.push(text("task_progress", { progress }));
  if (status === "processing" && frames) found.push(text("task_frames", { done: framesDone, frames }));
  if (figures) found.push(...figureTexts(figures));
  if (resultSize) found.push(text("task_result", { size: Number(resultSize) }));
  if (createdAt) found.push(text("task_created", { time: createdAt }));
  return found.filter(Boolean);
}

/** What became of the frames; numbers that are 0 are absent. */
function figureTexts({ swapped = 0, withoutFace = 0, turnedAway = 0 }) {
  const found = [text("figures_swapped", { swapped, frames: swapped + withoutFace + turnedAway })];
  if (withoutFace) found.push(text("figures_without_face", { frames: withoutFace }));
  if (turnedAway) found.push(text("figures_turned_away", { frames: turnedAway }));
  return found;
}
