// Errors: the refusals of the server with their stable reasons, and the failures of the connection.

import { fromBase64 } from "./base64.js";
import { errorInfo, requestId, retryDelay } from "./protobuf.js";

const RETRYABLE_CODES = new Set(["unavailable"]);
const RETRYABLE_REASONS = new Set(["CHECKSUM_MISMATCH", "IDLE_TOO_LONG"]);
const BUSY_STATUS = new Set([408, 429, 502, 503, 504]); // of a proxy on the way

/** `retryAfter` is in seconds; `field` is the argument that was refused, if one was; `retryable` is whether the same call may succeed later. */
export class Refusal extends Error {
  constructor(message, { code = "unknown", reason = "UNKNOWN", retryAfter = 0, request = "", field = "" } = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.request = request;
    this.field = field;
    this.retryable = RETRYABLE_CODES.has(code) || RETRYABLE_REASONS.has(reason) || retryAfter > 0;
  }
}

/** The connection broke, or there was none. */
export function unreachable() {
  return new Refusal("", { code: "unavailable", reason: "SERVER_UNREACHABLE" });
}

/** The refusal in the body of a response whose status is not 200. */
export function refusalOf(status, body) {
  let described = {};
  try {
    described = JSON.parse(body) ?? {};
  } catch {
    // a page of a proxy
  }
  if (described.error) {
    const { reason, message, details, request_id: request } = described.error;
    return new Refusal(message, { code: codeOf(status), reason, retryAfter: details?.retry_after, request });
  }
  if (!described.code) {
    return new Refusal(`HTTP ${status}`, { code: codeOf(status), reason: "UNEXPECTED_RESPONSE" });
  }
  return connectRefusal(described);
}

/** The refusal that an error of the Connect protocol describes. */
export function connectRefusal({ code, message = "", details = [] }) {
  const found = { code };
  for (const { type, value } of details) {
    const bytes = fromBase64(value);
    if (type === "google.rpc.ErrorInfo") {
      const info = errorInfo(bytes);
      found.reason = info.reason;
      found.field = info.metadata.field;
    }
    if (type === "google.rpc.RetryInfo") found.retryAfter = retryDelay(bytes);
    if (type === "google.rpc.RequestInfo") found.request = requestId(bytes);
  }
  return new Refusal(message, found);
}

function codeOf(status) {
  if (status === 401) return "unauthenticated";
  return BUSY_STATUS.has(status) ? "unavailable" : "unknown";
}
