// The part of the form for consent and labels. Of a consent only the hash is sent.

import { byId } from "../page/dom.js";
import { Refusal } from "../rpc/refusal.js";
import { sha256 } from "../rpc/sha256.js";
import { say, text } from "../text/language.js";

const MAX_DOCUMENT = 64 * 2 ** 20; // bytes

export class TermsFields {
  #fields = { consent: byId("consent"), no_label: byId("no-label") };

  constructor() {
    for (const field of Object.values(this.#fields)) {
      field.addEventListener("input", () => field.removeAttribute("aria-invalid"));
    }
    byId("consent-file").addEventListener("change", () => this.#fields.consent.removeAttribute("aria-invalid"));
  }

  /** Offer what the server has rules for. */
  show(info) {
    const features = info.features ?? [];
    const required = features.includes("consent-required");
    say(byId("terms-title"), required ? "terms_required" : "terms");
    byId("no-label-field").hidden = !features.includes("label-waiver");
    if (required) byId("terms").open = true;
  }

  clear() {
    for (const field of [...Object.values(this.#fields), byId("consent-file")]) {
      field.value = "";
      field.removeAttribute("aria-invalid");
    }
  }

  /** The message Terms of what is filled in; null for nothing. */
  async message() {
    const consent = await this.#consent();
    const labelWaiver = byId("no-label-field").hidden ? "" : this.#fields.no_label.value.trim();
    return consent || labelWaiver ? { ...(consent && { consent }), ...(labelWaiver && { labelWaiver }) } : null;
  }

  /** Lead the user to the field that the server has refused. */
  focus(name) {
    const field = this.#fields[name];
    if (!field) return;
    byId("terms").open = true;
    if (name === "no_label") byId("no-label-field").hidden = false;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  async #consent() {
    const words = this.#fields.consent.value.trim();
    const [file] = byId("consent-file").files;
    if (file && words) throw new Refusal(text("consent_twice"), { field: "consent" });
    if (words) return { sha256: sha256(new TextEncoder().encode(words)), kind: "text" };
    if (!file) return null;
    if (file.size > MAX_DOCUMENT) throw new Refusal(text("consent_large"), { field: "consent" });
    try {
      return { sha256: sha256(new Uint8Array(await file.arrayBuffer())), kind: "file", name: file.name };
    } catch {
      throw new Refusal("", { reason: "FILE_UNREADABLE", field: "consent" });
    }
  }
}
