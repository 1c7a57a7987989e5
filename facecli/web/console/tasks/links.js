// Signed links: for media elements and downloads, which send no token, and for sharing.

import { call } from "../rpc/calls.js";
import { element } from "../page/dom.js";

const OWN_USE_SECONDS = 3600;

/** A link to a result or an upload, and its expiry. */
export async function createLink(url, expiresSeconds) {
  return call("FileService/CreateLink", { url, expiresSeconds });
}

/** A link for this page: without the host, which this browser may reach by another name. */
export async function localLink(url) {
  const link = new URL((await createLink(url, OWN_USE_SECONDS)).url, location.href);
  return link.pathname + link.search;
}

/** Let the browser download a file. */
export async function download(url) {
  const anchor = element("a", { href: await localLink(url), download: "" });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
