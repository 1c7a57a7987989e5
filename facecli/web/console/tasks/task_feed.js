// The tasks of the user, as they change.

import { Backoff, pause } from "../rpc/backoff.js";
import { call } from "../rpc/calls.js";

const PAGE_SIZE = 50;
const POLL_SECONDS = 1;

/** Calls `onTasks` with the newest tasks, `onConnected` with whether the server answers, `onRefused` with an error. */
export class TaskFeed {
  #stop = new AbortController();

  constructor(listeners) {
    this.listeners = listeners;
  }

  start() {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#run(this.#stop.signal);
  }

  stop() {
    this.#stop.abort();
  }

  async #run(signal) {
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        const page = await call("TaskService/ListTasks", { pageSize: PAGE_SIZE }, { signal });
        this.listeners.onTasks(page.tasks ?? [], page.nextPageToken ?? "");
        this.listeners.onConnected(true);
        backoff.reset();
        await pause(POLL_SECONDS, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error.code === "unauthenticated") return this.listeners.onRefused(error);
        this.listeners.onConnected(false);
        await pause(backoff.next(error), signal);
      }
    }
  }
}
