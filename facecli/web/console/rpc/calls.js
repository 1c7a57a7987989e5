// Calls of the server by the Connect protocol: messages in JSON, chunks in protobuf.

import { chunkRequest, uploadOfResponse } from "./protobuf.js";
import { Refusal, refusalOf, unreachable } from "./refusal.js";
import { session } from "./session.js";

const CALL_SECONDS = 60;
const STALL_SECONDS = 30; // in which a chunk makes no progress

/** Call a method such as `TaskService/ListTasks`; throws a Refusal. */
export async function call(method, message = {}, { signal, headers = {}, seconds = CALL_SECONDS } = {}) {
  const limit = AbortSignal.timeout(seconds * 1000);
  const response = await answer(`/video.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", "connect-protocol-version": "1", ...session.headers, ...headers },
    body: JSON.stringify(withUser(message)),
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  });
  const body = await response.text().catch(lost(signal));
  if (!response.ok) throw refusalOf(response.status, body);
  return JSON.parse(body);
}

/**
 * Store one chunk. `stored` is its acknowledgement, `sent` resolves once all of it was sent or the call has ended, and
 * `abort()` gives it up.
 */
export function sendChunk({ uploadId, index, data, checksum }) {
  const request = new XMLHttpRequest();
  const sent = new Promise((resolve) => {
    request.upload.onload = request.onloadend = resolve;
  });
  const stored = new Promise((resolve, reject) => {
    let timer;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALL_SECONDS * 1000);
    };
    request.open("POST", "/video.UploadService/UploadChunk");
    request.responseType = "arraybuffer";
    for (const [name, value] of Object.entries(session.headers)) request.setRequestHeader(name, value);
    request.setRequestHeader("content-type", "application/proto");
    request.setRequestHeader("connect-protocol-version", "1");
    request.upload.onprogress = watch;
    request.onerror = request.onabort = () => {
      clearTimeout(timer);
      reject(unreachable());
    };
    request.onload = () => {
      clearTimeout(timer);
      const body = new Uint8Array(request.response ?? 0);
      if (request.status === 200) resolve(uploadOfResponse(body));
      else reject(refusalOf(request.status, new TextDecoder().decode(body)));
    };
    watch();
    const parts = chunkRequest({ userId: session.user, uploadId, index, data, checksum });
    request.send(new Blob(parts));
  });
  return { stored, sent, abort: () => request.abort() };
}

/** The response of a path of this server; throws a Refusal when there is none. */
export function answer(path, options) {
  return fetch(path, { cache: "no-store", credentials: "omit", ...options }).catch(lost(options?.signal));
}

/** The message with the user's name where the server trusts it. */
export function withUser(message) {
  return session.user ? { userId: session.user, ...message } : message;
}

/** The whole of a list that comes in pages. */
export async function* pages(method, name, message = {}) {
  let pageToken = "";
  do {
    const page = await call(method, { ...message, pageToken });
    yield* page[name] ?? [];
    pageToken = page.nextPageToken ?? "";
  } while (pageToken);
}

function lost(signal) {
  return (error) => {
    if (signal?.aborted || error instanceof Refusal) throw error;
    throw unreachable();
  };
}
