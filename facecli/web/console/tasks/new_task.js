// The form that creates a task: two files, an engine and its options, and terms.

import { byId, element } from "../page/dom.js";
import { errorText, notify } from "../page/notices.js";
import { retried } from "../rpc/backoff.js";
import { call } from "../rpc/calls.js";
import { Refusal } from "../rpc/refusal.js";
import { say, text } from "../text/language.js";
import { Slot } from "../uploads/slot.js";
import { showPreview } from "./preview_dialog.js";
import { TermsFields } from "./terms.js";

const MAX_TRIES = 5;
const NORMAL = "normal"; // the priority of most tasks

export class NewTask {
  #slots;
  #terms = new TermsFields();
  #step = 0; // the newest one

  constructor() {
    const face = new Slot(byId("face-slot"), { name: "face", kind: "image" });
    const video = new Slot(byId("video-slot"), { name: "video", kind: "video" });
    this.#slots = { face, video };
    face.addEventListener("other", (event) => video.take(event.detail));
    video.addEventListener("other", (event) => face.take(event.detail));
    for (const slot of [face, video]) slot.addEventListener("change", () => this.#update());
    for (const event of ["dragover", "drop"]) window.addEventListener(event, (each) => each.preventDefault());
    byId("new-task").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#create();
    });
    byId("preview").addEventListener("click", () => this.#preview());
    for (const id of ["engine", "options"]) byId(id).addEventListener("change", () => this.#check());
  }

  /** Offer the engines of the server. */
  show(info) {
    const engines = byId("engine");
    const chosen = engines.value;
    engines.replaceChildren(
      ...(info.engines ?? []).map((name) => {
        const option = element("option", { value: name, textContent: name });
        return name === info.defaultEngine ? say(option, "engine_default", { name }) : option;
      }),
    );
    engines.value = info.engines?.includes(chosen) ? chosen : info.defaultEngine;
    this.#terms.show(info);
  }

  clear() {
    this.#slots.face.clear();
    this.#slots.video.clear();
    byId("options").value = "";
    byId("priority").value = NORMAL;
    this.#terms.clear();
    byId("new-task-error").replaceChildren();
  }

  #update() {
    const ready = Boolean(this.#slots.face.fileUrl && this.#slots.video.fileUrl);
    byId("create").disabled = byId("preview").disabled = !ready;
    byId("create-text").hidden = ready;
  }

  /** Let the server check the engine and its options. */
  async #check() {
    await this.#shown(async () => {
      const { engine, options } = this.#wanted();
      try {
        await call("TaskService/CheckTask", { engine, options });
      } catch (error) {
        if (!error.field) throw error; // terms may still be filled in
      }
    }, { isCheck: true });
  }

  async #create() {
    const create = byId("create");
    create.disabled = true;
    const created = await this.#shown(async () => {
      const terms = await this.#terms.message();
      return createOnce(this.#task(), { terms, priority: byId("priority").value });
    });
    this.#update();
    if (created) notify("created");
  }

  async #preview() {
    await this.#shown(async () => {
      const terms = await this.#terms.message();
      await showPreview({ ...this.#task(), ...(terms && { terms }) }, (error) => this.#terms.focus(error.field));
    });
  }

  /** The message that asks for the task, or a preview of it. */
  #task() {
    return { ...this.#wanted(), imageUrl: this.#slots.face.fileUrl, videoUrl: this.#slots.video.fileUrl };
  }

  #wanted() {
    const lines = byId("options").value.split("\n").map((line) => line.trim()).filter(Boolean);
    const malformed = lines.find((line) => line.indexOf("=") < 1);
    if (malformed) throw new Refusal(text("option_malformed", { line: malformed }));
    const pairs = lines.map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()]);
    return { engine: byId("engine").value, options: Object.fromEntries(pairs) };
  }

  /** Run a step, and show its error in the form; the result of a check is void once another step begins. */
  async #shown(step, { isCheck = false } = {}) {
    const place = byId("new-task-error");
    const number = ++this.#step;
    const isVoid = () => isCheck && number !== this.#step;
    try {
      const value = await step();
      if (!isVoid()) place.replaceChildren();
      return value;
    } catch (error) {
      if (isVoid()) return null;
      place.replaceChildren(errorText(error));
      this.#terms.focus(error.field);
      return null;
    }
  }
}

/** Create a task; a try whose answer was lost and the next one create the same task. */
async function createOnce(task, { terms, priority }) {
  const headers = { "idempotency-key": `console-${randomHex()}` };
  const more = { ...(terms && { terms }), ...(priority !== NORMAL && { priority }) };
  const [method, message] = Object.keys(more).length
    ? ["TaskService/CreateTaskUnderTerms", { task, ...more }]
    : ["VideoService/CreateTask", task];
  return retried(() => call(method, message, { headers }), { tries: MAX_TRIES });
}

function randomHex() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
