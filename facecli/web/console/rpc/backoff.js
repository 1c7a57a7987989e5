// Exponential backoff with jitter, cut short when the network comes back, and calls that are tried again.

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

/** The value of a step, tried again while its refusal is one that may pass, at most `tries` times. */
export async function retried(step, { tries, signal }) {
  const backoff = new Backoff();
  for (let left = tries - 1; ; left -= 1) {
    try {
      return await step();
    } catch (error) {
      if (!error.retryable || !left || signal?.aborted) throw error;
      await pause(backoff.next(error), signal);
    }
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
