// Streams of messages from the server, by the Connect protocol in JSON.
//
// A message is an envelope: a byte of flags, its length in four bytes, and its text. The last envelope has the flag END
// and holds the error of the call, if there is one.

import { answer, withUser } from "./calls.js";
import { connectRefusal, refusalOf, unreachable } from "./refusal.js";
import { session } from "./session.js";

const END = 2;
const HEAD_BYTES = 5;
const SILENCE_SECONDS = 45; // after three signs of life that did not come

/** Yield the messages of a call such as `TaskService/WatchTasks`; throws a Refusal. */
export async function* stream(method, message, { signal }) {
  const silence = new AbortController();
  const stop = AbortSignal.any([signal, silence.signal]);
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_SECONDS * 1000);
  };
  heard();
  try {
    const response = await answer(`/video.${method}`, {
      method: "POST",
      headers: { "content-type": "application/connect+json", "connect-protocol-version": "1", ...session.headers },
      body: envelope(withUser(message)),
      signal: stop,
    });
    if (response.headers.get("content-type") !== "application/connect+json") {
      throw refusalOf(response.status, await response.text());
    }
    for await (const [flags, text] of envelopes(response.body.getReader(), heard)) {
      const value = JSON.parse(text);
      if (!(flags & END)) yield value;
      else if (value.error) throw connectRefusal(value.error);
      else return;
    }
    throw unreachable();
  } catch (error) {
    throw silence.signal.aborted || error.name === "TypeError" ? unreachable() : error;
  } finally {
    clearTimeout(timer);
    silence.abort(); // ends the call of a reader that has left
  }
}

function envelope(message) {
  const text = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(HEAD_BYTES + text.length);
  new DataView(bytes.buffer).setUint32(1, text.length);
  bytes.set(text, HEAD_BYTES);
  return bytes;
}

async function* envelopes(reader, heard) {
  let buffer = new Uint8Array();
  for (;;) {
    const length = buffer.length < HEAD_BYTES ? Infinity : new DataView(buffer.buffer, buffer.byteOffset).getUint32(1);
    if (buffer.length >= HEAD_BYTES + length) {
      yield [buffer[0], new TextDecoder().decode(buffer.subarray(HEAD_BYTES, HEAD_BYTES + length))];
      buffer = buffer.subarray(HEAD_BYTES + length);
      continue;
    }
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    const joined = new Uint8Array(buffer.length + value.length);
    joined.set(buffer);
    joined.set(value, buffer.length);
    buffer = joined;
  }
}
