// The list of tasks, newest first.

import { byId } from "../page/dom.js";
import { attempt } from "../page/notices.js";
import { call } from "../rpc/calls.js";
import { say } from "../text/language.js";
import { TaskCard } from "./task_card.js";
import { TaskFeed } from "./task_feed.js";

export class TaskList {
  #cards = new Map(); // by the id of the task
  #deleted = new Set();
  #feed;
  #older = ""; // token of the next page
  #extended = false; // whether older tasks were asked for

  constructor({ onRefused }) {
    this.#feed = new TaskFeed({
      onTasks: (tasks, more) => this.#show(tasks, more),
      onConnected: (connected) => this.#showConnection(connected),
      onRefused,
    });
    byId("more-tasks").addEventListener("click", () => attempt(() => this.#showOlder()));
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
    this.#extended = false;
    byId("tasks").replaceChildren();
    byId("no-tasks").hidden = byId("more-tasks").hidden = true;
  }

  #show(tasks, more) {
    if (!this.#extended) this.#older = more;
    const listed = new Set(tasks.map((task) => task.taskId));
    if (!this.#extended) {
      for (const id of this.#cards.keys()) if (!listed.has(id)) this.#remove(id);
    }
    tasks.filter((task) => !this.#deleted.has(task.taskId)).forEach((task) => this.#update(task));
    this.#updatePage();
  }

  #update(task) {
    const card = this.#cards.get(task.taskId);
    if (card) {
      card.update(task);
      return;
    }
    const added = new TaskCard(task, {
      onChanged: () => this.#updatePage(),
      onDeleted: (id) => {
        this.#deleted.add(id);
        this.#remove(id);
        this.#updatePage();
      },
    });
    this.#cards.set(task.taskId, added);
    const next = [...byId("tasks").children].find((item) => createdAt(this.#cards.get(item.dataset.task)) < createdAt(added));
    byId("tasks").insertBefore(added.root, next ?? null);
  }

  #remove(id) {
    this.#cards.get(id)?.root.remove();
    this.#cards.delete(id);
  }

  #updatePage() {
    byId("no-tasks").hidden = this.#cards.size > 0;
    byId("more-tasks").hidden = !this.#older;
  }

  async #showOlder() {
    const page = await call("TaskService/ListTasks", { pageToken: this.#older });
    this.#extended = true;
    this.#older = page.nextPageToken ?? "";
    (page.tasks ?? []).forEach((task) => this.#update(task));
    this.#updatePage();
  }

  #showConnection(connected) {
    const banner = byId("connection");
    if (!connected) say(banner, "disconnected");
    banner.hidden = connected;
  }
}

function createdAt(card) {
  return Date.parse(card.task.createdAt);
}
