// One upload: begins or resumes it, sends the missing chunks, retries with backoff, pauses.
//
// Theory of operation: the server records every durable chunk, and the page keeps nothing but the file. Every round
// begins the upload again, which returns the stored chunks with their checksums; what differs or is missing is sent.
// The next chunk is sent while those before it are being stored, but never two at once: a break costs at most the one
// chunk of which a part was sent. A round ends with the first failure, once the other calls have ended as well. The size
// of chunks is the server's, as for the commands, so that they and this page can go on with each other's uploads.

import { Backoff, pause } from "../rpc/backoff.js";
import { call, sendChunk } from "../rpc/calls.js";
import { crc32c } from "../rpc/crc32c.js";
import { Refusal } from "../rpc/refusal.js";
import { LocalFile } from "./local_file.js";

const MAX_UNACKNOWLEDGED = 3; // chunks

/** `state` is starting, sending, waiting, pausing, paused, stored, failed or removed. */
export class Upload extends EventTarget {
  state = "starting";
  stored = 0;
  error = null;
  fileUrl = "";
  #id = "";
  #chunkSize = 0;
  #missing = [];
  #running = null;
  #paused = false;
  #stop = new AbortController();
  #sending = new Set();
  #backoff = new Backoff();
  #fresh = false;

  constructor(file, fileType) {
    super();
    this.local = new LocalFile(file);
    this.fileType = fileType;
  }

  get name() {
    return this.local.name;
  }

  get size() {
    return this.local.size;
  }

  /** Send the file, or go on with it. */
  start() {
    this.#paused = false;
    this.error = null;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#paused && !["stored", "failed"].includes(this.state)) this.#become("paused");
    });
  }

  /** Send no further chunk; those under way are stored first. */
  pause() {
    this.#paused = true;
    if (this.state !== "stored") this.#become("pausing");
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  /** Stop, and delete what is stored of an incomplete upload. */
  async remove() {
    const complete = this.state === "stored";
    this.pause();
    this.#sending.forEach((each) => each.abort());
    await this.#running;
    this.#become("removed");
    if (this.#id && !complete) await call("UploadService/CancelUpload", { uploadId: this.#id }).catch(() => {});
  }

  async #run() {
    while (!this.#paused) {
      try {
        await this.#begin();
        if (this.state === "stored") return;
        await this.#send();
      } catch (error) {
        const refusal = error instanceof Refusal ? error : new Refusal(String(error));
        if (!refusal.retryable) {
          this.error = refusal;
          this.#become("failed");
          return;
        }
        await this.#wait(refusal);
      }
    }
  }

  async #wait(refusal) {
    if (this.#paused) return;
    this.error = refusal;
    this.#become("waiting");
    await pause(this.#backoff.next(refusal), this.#stop.signal);
    this.error = null;
  }

  async #begin() {
    const { local } = this;
    const { upload, chunks = [] } = await call("UploadService/BeginUpload", {
      name: local.name,
      fileType: this.fileType,
      size: local.size,
      fingerprint: await local.fingerprint(),
      fresh: this.#fresh,
    });
    this.#id = upload.uploadId;
    this.#chunkSize = upload.chunkSize;
    const differing = [];
    const missing = new Set(Array(upload.totalChunks).keys());
    for (const chunk of chunks) {
      const index = chunk.index ?? 0;
      if ((await local.checksum(index, this.#chunkSize)) === (chunk.crc32c ?? 0)) missing.delete(index);
      else differing.push(index);
    }
    this.#missing = [...missing];
    if (upload.status === "completed" && differing.length) {
      if (this.#fresh) throw new Refusal("", { reason: "BYTES_DIFFER" });
      this.#fresh = true;
      return this.#begin();
    }
    this.#fresh = false;
    this.#progressed(upload);
  }

  async #send() {
    if (!this.#paused) this.#become("sending");
    const failures = [];
    const waiting = new Set();
    while (this.#missing.length && !this.#paused && !failures.length) {
      const chunk = await this.#sendChunk(this.#missing.shift());
      const ended = this.#acknowledged(chunk).catch((error) => failures.push(error)).finally(() => waiting.delete(ended));
      waiting.add(ended);
      await chunk.sent;
      if (waiting.size >= MAX_UNACKNOWLEDGED) await Promise.race(waiting);
    }
    await Promise.all(waiting);
    if (failures.length) throw failures.find((error) => !error.retryable) ?? failures[0];
  }

  async #sendChunk(index) {
    const data = await this.local.chunk(index, this.#chunkSize);
    const chunk = sendChunk({ uploadId: this.#id, index, data, checksum: crc32c(data) });
    this.#sending.add(chunk);
    return chunk;
  }

  async #acknowledged(chunk) {
    try {
      this.#progressed(await chunk.stored);
      this.#backoff.reset();
    } finally {
      this.#sending.delete(chunk);
    }
  }

  /** The bytes that the server has stored; they never become fewer. */
  #progressed({ status, storedBytes, fileUrl }) {
    this.stored = Math.max(this.stored, Number(storedBytes ?? 0));
    if (status === "completed") {
      this.fileUrl = fileUrl;
      this.#become("stored");
    } else {
      this.#become(this.state);
    }
  }

  #become(state) {
    if (this.state === "removed") return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
