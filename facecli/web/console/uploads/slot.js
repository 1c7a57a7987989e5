// A place for one file: takes it by the picker or by drag and drop, uploads it and shows what is stored.

import { button, element } from "../page/dom.js";
import { errorText } from "../page/notices.js";
import { Refusal } from "../rpc/refusal.js";
import { label, say } from "../text/language.js";
import { mediaKind } from "./media_kind.js";
import { Upload } from "./upload.js";

const ACCEPTED = { image: "image/*", video: "video/*,.mkv,.ts,.mts,.m2ts,.avi" };
const PREVIEWS = { image: "img", video: "video" };

/** `name` is face or video, `kind` image or video. Fires `change`, and `other` with a file of the other kind. */
export class Slot extends EventTarget {
  #upload = null;
  #body;
  #preview = null;

  constructor(root, { name, kind }) {
    super();
    this.name = name;
    this.kind = kind;
    this.#body = element("div", { className: "slot-body" });
    const input = element("input", { type: "file", accept: ACCEPTED[kind], id: `${name}-file` });
    label(input, `choose_${name}`);
    input.addEventListener("change", () => {
      if (input.files.length) this.take([...input.files]);
      input.value = "";
    });
    this.input = input;
    const title = element("h3", { say: name });
    this.drop = element("label", { className: "drop", htmlFor: input.id }, element("span", { say: `${name}_drop` }));
    root.append(title, input, this.drop, this.#body);
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("over");
    });
    root.addEventListener("dragleave", () => root.classList.remove("over"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      root.classList.remove("over");
      this.take([...event.dataTransfer.files]);
    });
    this.#show();
  }

  /** The URL of the stored file; empty until all of it is stored. */
  get fileUrl() {
    return this.#upload?.state === "stored" ? this.#upload.fileUrl : "";
  }

  /** Upload the file that fits here; the others belong to the other slot. */
  async take(files) {
    const others = [];
    for (const file of files) {
      const kind = await mediaKind(file);
      if (kind && kind !== this.kind) others.push(file);
      else this.#begin(file);
    }
    if (others.length && files.length > 1) this.dispatchEvent(new CustomEvent("other", { detail: others }));
    else if (others.length) this.#show(new Refusal("", { reason: `WRONG_KIND_${this.kind.toUpperCase()}` }));
  }

  clear() {
    this.#upload?.pause();
    this.#forget();
  }

  #begin(file) {
    this.clear();
    this.#preview = this.#previewOf(file);
    this.#upload = new Upload(file, this.kind);
    const view = new UploadView(this.#upload, this.#preview, () => this.#remove());
    this.#body.replaceChildren(view.root);
    this.drop.hidden = true;
    this.#upload.addEventListener("change", () => {
      view.update();
      this.dispatchEvent(new Event("change"));
    });
    this.#upload.start();
    view.update();
    this.dispatchEvent(new Event("change"));
  }

  async #remove() {
    const upload = this.#upload;
    this.#forget();
    this.input.focus();
    await upload?.remove();
  }

  #forget() {
    this.#upload = null;
    if (this.#preview) URL.revokeObjectURL(this.#preview.src);
    this.#preview = null;
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  #show(error = null) {
    this.drop.hidden = Boolean(this.#upload);
    if (!this.#upload) this.#body.replaceChildren(...(error ? [errorText(error)] : []));
  }

  #previewOf(file) {
    const preview = element(PREVIEWS[this.kind], { className: "preview", src: URL.createObjectURL(file) });
    if (this.kind === "video") Object.assign(preview, { muted: true, preload: "metadata", tabIndex: -1 });
    else preview.alt = "";
    preview.setAttribute("aria-hidden", "true");
    return preview;
  }
}

/** The bar of one upload, its state, and its buttons. */
class UploadView {
  constructor(upload, preview, onRemove) {
    this.upload = upload;
    this.bar = element("progress", { max: upload.size || 1, value: 0 });
    label(this.bar, "upload_bar", { name: upload.name });
    this.state = element("p", { className: "state small" });
    this.error = element("div", { role: "alert" });
    this.pause = button("pause", () => upload.pause());
    this.resume = button("resume", () => upload.start());
    this.remove = button("remove", onRemove, "quiet");
    label(this.remove, "remove_file", { name: upload.name });
    const name = element("p", { className: "name", textContent: upload.name });
    const buttons = element("div", { className: "row" }, this.pause, this.resume, this.remove);
    const facts = element("div", { className: "facts" }, name, this.bar, this.state, this.error, buttons);
    this.root = element("div", { className: "upload" }, preview, facts);
  }

  update() {
    const { state, stored, size, error } = this.upload;
    if (state === "removed") return;
    this.bar.value = stored;
    this.root.dataset.state = state;
    say(this.state, `upload_${state}`, { stored, size });
    this.pause.hidden = !["starting", "sending", "waiting"].includes(state);
    this.resume.hidden = !["paused", "pausing", "failed"].includes(state);
    if (error !== this.shown) this.error.replaceChildren(...(error ? [errorText(error)] : []));
    this.shown = error;
  }
}
