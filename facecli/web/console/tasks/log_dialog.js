// The dialog with the log of a task.

import { openDialog } from "../page/dialog.js";
import { element } from "../page/dom.js";
import { call } from "../rpc/calls.js";
import { formatted, say, sayThat } from "../text/language.js";

export async function showLog(task) {
  const { records = [], dropped = 0 } = await call("TaskService/ListTaskLogs", { taskId: task.taskId });
  const lines = records.map((record) => {
    const time = sayThat(element("td", { className: "muted" }), () => formatted(record.time, "time"));
    const level = element("td", { textContent: record.level });
    return element("tr", {}, time, level, element("td", { textContent: record.text }));
  });
  const count = Number(dropped);
  const notes = [
    ...(count ? [say(element("p", { className: "muted" }), "log_dropped", { count })] : []),
    ...(lines.length ? [] : [element("p", { className: "muted", say: "log_empty" })]),
  ];
  const table = element("div", { className: "log", tabIndex: 0 }, element("table", {}, ...lines));
  openDialog("log_title", { id: task.taskId.slice(0, 8) }, [...notes, table], { className: "large" });
}
