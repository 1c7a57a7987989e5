// The player: the original and the result at the same frame, wiped or side by side.
//
// The result is the clock: it plays with sound, and the original follows it. Steps go to the middle of a frame, where
// rounding cannot show its neighbour.

import { openDialog } from "../page/dialog.js";
import { button, element } from "../page/dom.js";
import { label, say } from "../text/language.js";
import { localLink } from "./links.js";

const MAX_DRIFT_SECONDS = 0.06;
const USUAL_FRAME_RATE = 25; // where the number of frames is unknown

export async function play(task) {
  const [before, after] = await Promise.all([localLink(task.videoUrl), localLink(task.resultUrl)]);
  new Player(task, before, after).open();
}

class Player {
  #timer = 0;

  constructor(task, before, after) {
    this.frames = task.frames ?? 0;
    this.before = video(before);
    this.after = video(after);
    this.before.muted = true;
    this.stage = element("div", { className: "stage" }, figure("before", this.before), figure("after", this.after));
    this.note = element("p", { className: "muted small", role: "status" });
    this.before.addEventListener("error", () => this.#showResultOnly());
    this.after.addEventListener("error", () => say(this.note, "after_unplayable"));
    this.frame = element("p", { className: "small", id: "frame" });
    this.position = range({ value: 0, step: "any", max: 1 });
    label(this.position, "position");
    this.wipe = range({ value: 50, step: 1, max: 100 });
    label(this.wipe, "wipe_position");
    this.position.addEventListener("input", () => this.#seek(Number(this.position.value)));
    this.wipe.addEventListener("input", () => this.#showWipe());
    this.stage.addEventListener("pointermove", (event) => this.#drag(event));
    this.stage.addEventListener("pointerdown", (event) => this.#drag(event));
    this.after.addEventListener("loadedmetadata", () => {
      this.position.max = this.after.duration;
      this.#update();
    });
    this.#show("wipe");
    this.#showWipe();
  }

  open() {
    const modes = element(
      "div",
      { className: "row" },
      this.#mode("wipe", "wipe"),
      this.#mode("side", "side_by_side"),
      this.wipe,
    );
    const controls = element(
      "div",
      { className: "row" },
      button("step_back", () => this.#step(-1)),
      button("play_pause", () => this.#toggle(), "primary"),
      button("step_on", () => this.#step(1)),
      this.frame,
    );
    const keys = element("p", { className: "muted small", say: "player_keys" });
    const content = [this.stage, this.position, controls, modes, this.note, keys];
    const dialog = openDialog("player", {}, content, { className: "large player", onClose: () => this.#close() });
    dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.#follow();
  }

  #mode(mode, key) {
    const choice = button(key, () => this.#show(mode));
    choice.dataset.mode = mode;
    (this.choices ??= []).push(choice);
    choice.setAttribute("aria-pressed", String(mode === this.stage.dataset.mode));
    return choice;
  }

  #show(mode) {
    this.stage.dataset.mode = mode;
    this.wipe.hidden = mode !== "wipe";
    for (const choice of this.choices ?? []) choice.setAttribute("aria-pressed", String(choice.dataset.mode === mode));
  }

  #showResultOnly() {
    this.#show("result");
    say(this.note, "before_unplayable");
  }

  #showWipe() {
    this.stage.style.setProperty("--wipe", `${this.wipe.value}%`);
  }

  #drag(event) {
    if (this.stage.dataset.mode !== "wipe" || !event.buttons) return;
    const box = this.stage.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    this.wipe.value = 100 * Math.min(1, Math.max(0, share));
    this.#showWipe();
  }

  #onKey(event) {
    if (event.target.matches("input, select")) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key in steps) this.#step(steps[event.key]);
    else if (event.key === " " && !event.target.matches("button")) this.#toggle();
    else return;
    event.preventDefault();
  }

  #toggle() {
    if (this.after.paused) {
      this.before.play().catch(() => {});
      return this.after.play().catch(() => {});
    }
    return this.#pause();
  }

  #pause() {
    this.after.pause();
    this.before.pause();
    this.before.currentTime = this.after.currentTime;
  }

  get #frameRate() {
    const { duration } = this.after;
    return this.frames && duration > 0 ? this.frames / duration : USUAL_FRAME_RATE;
  }

  get #frame() {
    const frame = Math.floor(this.after.currentTime * this.#frameRate + 1e-3);
    return Math.max(0, this.frames ? Math.min(this.frames - 1, frame) : frame);
  }

  #step(frames) {
    this.#pause();
    const last = this.frames ? this.frames - 1 : Infinity;
    const frame = Math.min(last, Math.max(0, this.#frame + frames));
    this.#seek((frame + 0.5) / this.#frameRate);
  }

  #seek(seconds) {
    this.after.currentTime = seconds;
    this.before.currentTime = seconds;
    this.#update();
  }

  /** Keep the original with the result, for as long as the dialog is open. */
  #follow() {
    const { before, after } = this;
    if (!after.paused && !before.seeking && Math.abs(before.currentTime - after.currentTime) > MAX_DRIFT_SECONDS) {
      before.currentTime = after.currentTime;
    }
    if (after.ended && !before.paused) before.pause();
    this.#update();
    this.#timer = requestAnimationFrame(() => this.#follow());
  }

  #update() {
    if (!this.after.paused) this.position.value = this.after.currentTime;
    else if (document.activeElement !== this.position) this.position.value = this.after.currentTime;
    if (this.frames) say(this.frame, "frame_of", { frame: this.#frame + 1, frames: this.frames });
  }

  #close() {
    cancelAnimationFrame(this.#timer);
    for (const each of [this.before, this.after]) {
      each.pause();
      each.removeAttribute("src");
      each.load();
    }
  }
}

function video(src) {
  const made = element("video", { src, preload: "auto", playsInline: true, disablePictureInPicture: true });
  made.tabIndex = -1;
  return made;
}

function figure(name, content) {
  label(content, name);
  return element("figure", { className: name }, content, element("figcaption", { say: name }));
}

function range({ value, step, max }) {
  const made = element("input", { type: "range", min: 0, max, step });
  made.value = value;
  return made;
}
