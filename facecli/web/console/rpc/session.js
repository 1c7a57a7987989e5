// The identity of this tab: its token, or its user name where the server trusts every name.

const TOKEN = "facecli.token";
const USER = "facecli.user";

export const session = {
  /** Kept for the tab only: closing it signs out. */
  get token() {
    return sessionStorage.getItem(TOKEN) ?? "";
  },
  set token(value) {
    keep(TOKEN, value);
  },
  get user() {
    return sessionStorage.getItem(USER) ?? "";
  },
  set user(value) {
    keep(USER, value);
  },
  /** The headers of a call. */
  get headers() {
    return this.token ? { authorization: `Bearer ${this.token}` } : {};
  },
};

function keep(name, value) {
  if (value) sessionStorage.setItem(name, value);
  else sessionStorage.removeItem(name);
}
