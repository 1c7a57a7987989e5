// The console: signs in, then shows the workspace.

import { call } from "./rpc/calls.js";
import { pause } from "./rpc/backoff.js";
import { session } from "./rpc/session.js";
import { showAppearance } from "./page/appearance.js";
import { closeDialogs } from "./page/dialog.js";
import { byId } from "./page/dom.js";
import { clearNotices, errorText, report } from "./page/notices.js";
import { Usage } from "./page/usage.js";
import { NewTask } from "./tasks/new_task.js";
import { TaskList } from "./tasks/task_list.js";
import { say } from "./text/language.js";

const RETRY_SECONDS = 2;

const tasks = new TaskList({ onRefused: refused });
const newTask = new NewTask();
const usage = new Usage({ onUser: () => restart() });
let shownUser = null; // before the workspace was shown

showAppearance();
byId("sign-in").addEventListener("submit", signIn);
byId("sign-out").addEventListener("click", signOut);
restart();

/** Ask the server who we are, and show what fits. */
async function restart() {
  tasks.stop();
  say(byId("connection"), "connecting").hidden = false;
  const info = await serverInfo();
  byId("connection").hidden = true;
  if (!info) return;
  const user = info.userId || session.user;
  if (shownUser !== null && user !== shownUser) forget();
  shownUser = user;
  byId("sign-in").hidden = true;
  byId("workspace").hidden = false;
  byId("sign-out").hidden = !session.token;
  byId("who").textContent = user;
  newTask.show(info);
  usage.show(info);
  tasks.start();
}

async function serverInfo() {
  for (;;) {
    try {
      return await call("FileService/GetServerInfo");
    } catch (error) {
      if (error.code === "unauthenticated") return askForToken(session.token ? error : null);
      if (!error.retryable) return report(error);
      say(byId("connection"), "disconnected");
      await pause(RETRY_SECONDS);
    }
  }
}

function askForToken(error) {
  session.token = "";
  closeDialogs();
  byId("workspace").hidden = true;
  byId("sign-in").hidden = false;
  byId("sign-out").hidden = true;
  byId("who").textContent = "";
  byId("sign-in-error").replaceChildren(...(error ? [errorText(error)] : []));
  byId("token").focus();
}

function signIn(event) {
  event.preventDefault();
  session.token = byId("token").value.trim();
  byId("token").value = "";
  byId("sign-in-error").replaceChildren();
  restart();
}

function signOut() {
  session.token = "";
  forget();
  restart();
}

/** Leave nothing of a user for the next one. */
function forget() {
  newTask.clear();
  tasks.clear();
  usage.clear();
  closeDialogs();
  clearNotices();
}

/** The server does not take our token any more. */
function refused(error) {
  tasks.clear();
  askForToken(error);
}
