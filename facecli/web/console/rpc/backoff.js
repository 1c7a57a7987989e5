// Exponential backoff with jitter, cut short when the network comes back.

const FIRST_SECONDS = 0.2;
const MAX_SECONDS = 5;
const JITTER = 0.25; // share of a delay

export class Backoff {
  #delay = FIRST_SECONDS;

  reset() {
    this.#delay = FIRST_SECONDS;
  }

  /** Seconds to wait before the next try, at least as long as the server asks. */
  next(error) {
    const delay = this.#delay * (1 - JITTER + 2 * JITTER * Math.random());
    this.#delay = Math.min(MAX_SECONDS, this.#delay * 2);
    return Math.max(error?.retryAfter ?? 0, delay);
  }
}

/** Wait, but not longer than until the network is back or the signal aborts. */
export function pause(seconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    window.addEventListener("online", end);
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
  });
}
