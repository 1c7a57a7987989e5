// Limits of the server, usage of the user, and the files on the server.

import { call, pages } from "../rpc/calls.js";
import { session } from "../rpc/session.js";
import { formatted, label, say, sayThat, text } from "../text/language.js";
import { button, byId, element } from "./dom.js";
import { attempt } from "./notices.js";

const MAX_FILES = 200; // that are listed

export class Usage {
  #info = {};
  #cleared = 0; // times, so that an answer for the user before is dropped

  constructor({ onUser }) {
    byId("usage").addEventListener("toggle", () => byId("usage").open && this.#refresh());
    byId("user-form").addEventListener("submit", (event) => {
      event.preventDefault();
      session.user = byId("user").value.trim();
      onUser();
    });
  }

  show(info) {
    this.#info = info;
    byId("user-form").hidden = Boolean(info.userId);
    byId("user").value = session.user;
    this.#showLimits();
    if (byId("usage").open) this.#refresh();
  }

  clear() {
    this.#cleared += 1;
    for (const id of ["limits", "files"]) byId(id).replaceChildren();
    byId("no-files").hidden = true;
  }

  async #refresh() {
    const before = this.#cleared;
    await attempt(async () => {
      const info = await call("FileService/GetServerInfo");
      const files = [];
      for await (const upload of pages("UploadService/ListUploads", "uploads")) {
        if (files.push(upload) === MAX_FILES) break;
      }
      if (before !== this.#cleared) return;
      this.#info = info;
      this.#showLimits();
      byId("no-files").hidden = files.length > 0;
      byId("files").replaceChildren(...files.map((upload) => this.#fileItem(upload)));
    });
  }

  #showLimits() {
    const info = this.#info;
    const limit = Number(info.maxUserBytes ?? 0);
    const used = Number(info.userBytes ?? 0);
    const formats = [...(info.imageFormats ?? []), ...(info.videoFormats ?? [])].join(", ");
    const rows = [
      ["used", () => text(limit ? "used_of" : "used_unlimited", { used, limit })],
      ["largest_file", () => formatted(Number(info.maxFileSize), "bytes")],
      ["longest_video", () => formatted(Number(info.maxVideoSeconds), "duration")],
      ["largest_picture", () => text("megapixels", { count: Number(info.maxPixels) / 1e6 })],
      ["upload_expiry", () => formatted(Number(info.uploadExpirySeconds), "duration")],
      ["formats", () => formats],
      ["version", () => `facecli ${info.version}`],
    ];
    byId("limits").replaceChildren(
      ...rows.map(([name, value]) =>
        element("div", {}, element("dt", { say: name }), sayThat(element("dd"), value)),
      ),
    );
  }

  #fileItem(upload) {
    const size = Number(upload.size ?? 0);
    const stored = Number(upload.storedBytes ?? 0);
    const state = say(
      element("span", { className: "muted small" }),
      upload.status === "completed" ? "file_stored" : "file_incomplete",
      { size, stored },
    );
    const remove = button("delete", () => this.#delete(upload), "quiet");
    label(remove, "delete_file", { name: upload.name });
    const name = element("span", { className: "name", textContent: upload.name });
    return element("li", { className: "row" }, name, state, remove);
  }

  async #delete(upload) {
    if (!window.confirm(text("delete_file_sure"))) return;
    await attempt(() => call("UploadService/CancelUpload", { uploadId: upload.uploadId }));
    await this.#refresh();
  }
}
