// Protobuf, as far as chunks and the details of errors need it; every other message is JSON.

const TEXT = new TextDecoder();

/** The parts of a serialized UploadChunkRequest around its data, which is not copied. */
export function chunkRequest({ userId, uploadId, index, data, checksum }) {
  const head = [...text(1, userId), ...text(2, uploadId), 3 << 3, ...varint(index)];
  head.push((4 << 3) | 2, ...varint(data.length));
  const tail = new DataView(new ArrayBuffer(5));
  tail.setUint8(0, (5 << 3) | 5);
  tail.setUint32(1, checksum, true);
  return [Uint8Array.from(head), data, new Uint8Array(tail.buffer)];
}

/** The Upload of a serialized UploadChunkResponse, as far as progress needs it. */
export function uploadOfResponse(bytes) {
  const upload = fields(first(fields(bytes), 1) ?? new Uint8Array());
  return {
    status: string(first(upload, 7)),
    storedBytes: first(upload, 8) ?? 0,
    crc32c: first(upload, 10),
    fileUrl: string(first(upload, 11)),
  };
}

/** The reason and the metadata of a serialized google.rpc.ErrorInfo. */
export function errorInfo(bytes) {
  const info = fields(bytes);
  const entries = (info.get(3) ?? []).map((entry) => {
    const pair = fields(entry);
    return [string(first(pair, 1)), string(first(pair, 2))];
  });
  return { reason: string(first(info, 1)), domain: string(first(info, 2)), metadata: Object.fromEntries(entries) };
}

/** The seconds of a serialized google.rpc.RetryInfo. */
export function retryDelay(bytes) {
  const delay = first(fields(bytes), 1);
  return delay ? (first(fields(delay), 1) ?? 0) : 0;
}

/** The id of a serialized google.rpc.RequestInfo. */
export function requestId(bytes) {
  return string(first(fields(bytes), 1));
}

function fields(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map();
  let at = 0;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = view.getUint8(at);
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const taken = (length) => {
    if (at + length > bytes.length) throw new RangeError("the message ends early");
    at += length;
    return at - length;
  };
  while (at < bytes.length) {
    const tag = number();
    let value;
    if (tag % 8 === 0) value = number();
    else if (tag % 8 === 1) value = view.getFloat64(taken(8), true);
    else if (tag % 8 === 5) value = view.getUint32(taken(4), true);
    else {
      const length = number();
      const start = taken(length);
      value = bytes.subarray(start, start + length);
    }
    const name = Math.floor(tag / 8);
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

function first(found, name) {
  return found.get(name)?.[0];
}

function string(bytes) {
  return bytes ? TEXT.decode(bytes) : "";
}

function text(name, value) {
  const bytes = new TextEncoder().encode(value);
  return bytes.length ? [(name << 3) | 2, ...varint(bytes.length), ...bytes] : [];
}

function varint(value) {
  const bytes = [];
  while (value >= 128) {
    bytes.push((value % 128) + 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}
