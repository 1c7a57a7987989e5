// The tasks of the user, as they change: one stream, which goes on from the last revisions after a break.

import { Backoff, pause } from "../rpc/backoff.js";
import { stream } from "../rpc/stream.js";

const MAX_NAMED = 10_000; // tasks of one request

/**
 * Calls `onTasks` with tasks that have changed, `onDeleted` with ids, `onConnected` with whether the stream stands,
 * and `onRefused` with the error of a token that does not hold any more.
 */
export class TaskFeed {
  #stop = new AbortController();

  constructor(listeners) {
    this.listeners = listeners;
  }

  start() {
    this.stop();
    this.#stop = new AbortController();
    this.#run(this.#stop.signal);
  }

  stop() {
    this.#stop.abort();
  }

  async #run(signal) {
    const backoff = new Backoff();
    const revisions = new Map(); // id → the last revision seen
    while (!signal.aborted) {
      try {
        const tasks = [...revisions].map(([taskId, afterRevision]) => ({ taskId, afterRevision }));
        const request = { all: true, tasks: tasks.slice(-MAX_NAMED) };
        for await (const message of stream("TaskService/WatchTasks", request, { signal })) {
          if (signal.aborted) return;
          this.#take(message, revisions);
          backoff.reset();
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error.code === "unauthenticated") return this.listeners.onRefused(error);
        if (error.code === "not_found") revisions.clear();
        this.listeners.onConnected(false);
        await pause(backoff.next(error), signal);
      }
    }
  }

  #take({ tasks = [], priorities = {}, deletedTaskIds = [], upToDate = false }, revisions) {
    for (const task of tasks) revisions.set(task.taskId, task.revision ?? 0);
    for (const id of deletedTaskIds) revisions.delete(id);
    this.listeners.onDeleted(deletedTaskIds);
    this.listeners.onTasks(tasks.map((task) => ({ ...task, priority: priorities[task.taskId] })));
    if (upToDate) this.listeners.onConnected(true);
  }
}
