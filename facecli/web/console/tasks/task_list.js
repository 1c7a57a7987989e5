// The list of tasks, newest first.

import { byId } from "../page/dom.js";
import { say } from "../text/language.js";
import { TaskCard } from "./task_card.js";
import { TaskFeed } from "./task_feed.js";

const SHOWN = 50; // tasks, and as many more at a time

export class TaskList {
  #cards = new Map(); // by the id of the task
  #deleted = new Set(); // a late message must not bring a deleted task back
  #feed;
  #limit = SHOWN;

  constructor({ onRefused }) {
    this.#feed = new TaskFeed({
      onTasks: (tasks) => this.#update(tasks),
      onDeleted: (ids) => ids.forEach((id) => this.#remove(id)),
      onConnected: (connected) => this.#showConnection(connected),
      onRefused,
    });
    byId("more-tasks").addEventListener("click", () => {
      this.#limit += SHOWN;
      this.#show();
    });
  }

  start() {
    this.clear();
    this.#feed.start();
  }

  stop() {
    this.#feed.stop();
  }

  clear() {
    this.stop();
    this.#cards.clear();
    this.#limit = SHOWN;
    byId("tasks").replaceChildren();
    byId("no-tasks").hidden = byId("more-tasks").hidden = true;
  }

  #update(tasks) {
    for (const task of tasks) {
      const id = task.taskId;
      if (this.#deleted.has(id)) continue;
      const card = this.#cards.get(id);
      if (card) card.update(task);
      else this.#cards.set(id, new TaskCard(task, { onDeleted: () => this.#remove(id) }));
    }
    this.#show();
  }

  #remove(id) {
    this.#deleted.add(id);
    this.#cards.get(id)?.root.remove();
    this.#cards.delete(id);
    this.#show();
  }

  /** Bring the newest cards into order; one that is where it belongs is not moved, so that it keeps the focus. */
  #show() {
    const newest = [...this.#cards.values()].sort((a, b) => b.createdAt - a.createdAt).slice(0, this.#limit);
    const list = byId("tasks");
    newest.forEach((card, place) => {
      if (list.children[place] !== card.root) list.insertBefore(card.root, list.children[place] ?? null);
    });
    while (list.children.length > newest.length) list.lastChild.remove();
    byId("more-tasks").hidden = this.#cards.size <= newest.length;
    byId("no-tasks").hidden = this.#cards.size > 0 || !this.connected;
  }

  #showConnection(connected) {
    this.connected = connected;
    const banner = byId("connection");
    if (!connected) say(banner, "disconnected");
    banner.hidden = connected;
    this.#show();
  }
}
