// A chosen file: its fingerprint, and its chunks with their checksums.

import { crc32c } from "../rpc/crc32c.js";
import { Refusal } from "../rpc/refusal.js";

const FINGERPRINT_BYTES = 1024 * 1024; // at either end of the file

export class LocalFile {
  #checksums = new Map();

  constructor(file) {
    this.file = file;
    this.name = file.name.normalize("NFC");
    this.size = file.size;
  }

  /** crc32c of the first and the last MiB: distinguishes files of the same name and size. */
  async fingerprint() {
    const first = await this.#read(0, FINGERPRINT_BYTES);
    const last = await this.#read(Math.max(0, this.size - FINGERPRINT_BYTES), this.size);
    return crc32c(last, crc32c(first));
  }

  /** The bytes of a chunk. */
  async chunk(index, chunkSize) {
    const data = await this.#read(index * chunkSize, (index + 1) * chunkSize);
    this.#checksums.set(`${chunkSize}/${index}`, crc32c(data));
    return data;
  }

  /** crc32c of a chunk, read from the file unless it is known. */
  async checksum(index, chunkSize) {
    const key = `${chunkSize}/${index}`;
    if (!this.#checksums.has(key)) await this.chunk(index, chunkSize);
    return this.#checksums.get(key);
  }

  async #read(start, end) {
    try {
      return new Uint8Array(await this.file.slice(start, end).arrayBuffer());
    } catch {
      throw new Refusal("", { reason: "FILE_UNREADABLE" });
    }
  }
}
