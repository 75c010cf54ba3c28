// Who uses the page. A token is kept for the tab (sessionStorage), or in a cookie that only the service reads.

import * as api from "./api.js";
import { h, button, dialog, field } from "./dom.js";
import { texts } from "./texts.js";

const KEY = "edge-users-token";
const PATH = "/admin/session";
const OWN = { "edge-users-session": "1" };

// What the service lets this person do.
export const session = { open: false, write: false, indexed: [] };

// Finds out whether somebody is signed in already.
export async function restore() {
  const settings = (await api.get("/admin/settings")).value;
  session.open = settings.auth === "off";
  session.indexed = settings.indexed_attributes;
  if (session.open) {
    session.write = true;
    return true;
  }
  const token = sessionStorage.getItem(KEY) ?? await kept();
  return token !== null && await use(token).then(() => true, (problem) => {
    if (problem.status === 401) return false;
    throw problem;
  });
}

// The token in the cookie.
async function kept() {
  // Elsewhere browsers have no such cookies.
  if (!isSecureContext) return null;
  const response = await fetch(PATH, { headers: OWN });
  return response.status === 200 ? (await response.json()).token : null;
}

// Takes a token if it may read users, and finds out whether it may change them: by a dry run of an import without lines,
// which changes nothing and is refused for the same reason as any change.
async function use(token) {
  api.setToken(token);
  try {
    const write = api.send("POST", "/users/import?match=email&dry_run=true", {
      body: "", type: "application/x-ndjson", repeat: true, ask: false,
    }).then(() => true, (problem) => {
      if (problem.status === 403) return false;
      throw problem;
    });
    const [may] = await Promise.all([write, api.get("/users?limit=1&fields=id", { ask: false })]);
    session.write = may;
  } catch (problem) {
    api.setToken(null);
    throw problem;
  }
  sessionStorage.setItem(KEY, token);
}

export async function signOut() {
  // The cookie first: without it nobody is signed in again.
  if (isSecureContext) {
    const { ok } = await fetch(PATH, { method: "DELETE", headers: OWN });
    if (!ok) throw new api.Problem(0);
  }
  api.setToken(null);
  sessionStorage.removeItem(KEY);
}

// The form for a token. `done` is called once somebody is signed in.
export function signInForm(done) {
  // It has no type "password", as browsers would offer to keep it in their list of passwords.
  const token = field(texts.token, h("input", {
    type: "text", class: "secret", autocomplete: "off", autocapitalize: "none", spellcheck: "false", required: true,
  }), { hint: texts.tokenHint });
  const keep = isSecureContext && field(texts.keepSignedIn, h("input", { type: "checkbox" }), { hint: texts.keepHint });
  return h("form", {
    class: "sign-in", novalidate: true,
    async onsubmit(event) {
      event.preventDefault();
      token.fail(null);
      const value = token.control.value.trim();
      try {
        if (!/^[A-Za-z0-9._~+/=-]+$/.test(value)) throw new api.Problem(401, { detail: texts.notAToken });
        await use(value);
      } catch (problem) {
        token.fail(problem.status === 403 ? texts.mayNothing : problem.message);
        token.control.focus();
        return;
      }
      if (keep?.control.checked) {
        const headers = { ...OWN, authorization: `Bearer ${value}` };
        const response = await fetch(PATH, { method: "POST", headers });
        if (!response.ok) alert(texts.notKept);
      }
      done(value);
    },
  }, token.element, keep?.element, h("button", { class: "main" }, texts.signIn));
}

// Asks for a new token where the last one is refused. The request that was refused then goes on.
let asking = null;
export function signInAgain() {
  asking ??= dialog(texts.sessionEnded, (close) => [h("p", {}, texts.sessionEndedHint), signInForm(close),
    button(texts.signOut, () => close())])
    .then(async (token) => {
      asking = null;
      if (token) return token;
      await signOut();
      location.reload();
      return new Promise(() => {});
    });
  return asking;
}
