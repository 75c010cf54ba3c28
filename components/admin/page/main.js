// The frame of the page, and which view is in it. The URL is the state: each view is made from it.

import * as api from "./api.js";
import { h, button, replace, statusElement, tell } from "./dom.js";
import { restore, session, signInAgain, signInForm, signOut } from "./session.js";
import { texts } from "./texts.js";
import { users } from "./users.js";
import { user, newUser } from "./user.js";
import { groups } from "./groups.js";
import { group, newGroup } from "./group.js";
import { importing } from "./import.js";
import { overview } from "./overview.js";

// Paths below /admin, the view of each, and whether it is only for people who may change something. A view gets what the path names, and answers an object: `title`,
// `element`, and perhaps `update`, which shows another query without making the view again, `isDirty`, and `close`.
const ROUTES = [
  [/^\/users$/, users],
  [/^\/users\/new$/, newUser, true],
  [/^\/users\/([0-9]+)$/, user],
  [/^\/groups$/, groups],
  [/^\/groups\/new$/, newGroup, true],
  [/^\/groups\/([0-9]+)$/, group],
  [/^\/import$/, importing, true],
  [/^\/overview$/, overview],
];

const content = h("main", { id: "content", tabindex: "-1" });
const waiting = h("div", { id: "waiting", role: "status" });
const frame = h("header");
let current = null;

// Which entry of the tab's history is shown. So a step back can be undone where it would lose what is typed.
let place = 0;
const push = (url, state) => history.pushState({ ...state, place: ++place }, "", url);

export const page = {
  // Goes to another view, as a link does.
  go(path, state = null) {
    if (!mayLeave()) return;
    push(path, state);
    show();
  },
  // Another query of the view that is shown. `again` replaces the entry in the history.
  async setQuery(parameters, { again = false, state = null } = {}) {
    const url = location.pathname + api.query(parameters);
    if (again) history.replaceState({ ...state, place }, "", url);
    else push(url, state);
    await current?.update?.(new URLSearchParams(location.search));
  },
};

const mayLeave = () => !current?.isDirty?.() || confirm(texts.discard);

async function show() {
  if (/^\/admin\/?$/.test(location.pathname)) history.replaceState(history.state, "", `/admin/users${location.search}`);
  const path = location.pathname.replace(/^\/admin/, "").replace(/\/$/, "");
  const search = new URLSearchParams(location.search);
  if (current?.path === path && current.update) {
    await current.update(search);
    return;
  }
  const [view, changes, names] = ROUTES.map(([pattern, view, changes]) => [view, changes, path.match(pattern)])
    .find(([, , match]) => match) ?? [];
  current?.close?.();
  tell(null);
  current = { path };
  const mine = current;
  navigation(path);
  let made;
  try {
    if (!view) throw new api.Problem(404, { detail: texts.noSuchView });
    if (changes && !session.write) throw new api.Problem(403, { detail: texts.readOnly });
    // Views are quick; where the service is not, something has to be seen.
    const slow = setTimeout(() => replace(content, h("p", { class: "quiet" }, texts.loading)), 150);
    made = await view(page, search, ...names.slice(1)).finally(() => clearTimeout(slow));
  } catch (problem) {
    made = { title: texts.problem, element: h("div", {}, h("h1", { tabindex: "-1" }, texts.problem), h("p", { role: "alert" }, problem.message)) };
    if (!(problem instanceof api.Problem)) console.error(problem);
  }
  if (current !== mine) {
    made.close?.();
    return;
  }
  current = { ...made, path };
  document.title = texts.title(made.title);
  replace(content, made.element);
  // Screen readers and the keyboard go on from the head of what is new.
  (made.focus ?? content.querySelector("h1"))?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function navigation(path) {
  const link = (target, text) => h("li", {}, h("a", {
    href: `/admin${target}`, "aria-current": path.startsWith(target) && "page",
  }, text));
  replace(frame,
    h("a", { class: "skip", href: "#content" }, texts.skip),
    session.open && h("p", { class: "banner", role: "note" }, texts.openBanner),
    h("nav", { "aria-label": texts.navigation },
      h("strong", {}, texts.application),
      h("ul", {}, link("/users", texts.users), link("/groups", texts.groups),
        session.write && link("/import", texts.import), link("/overview", texts.overview)),
      !session.open && [
        !session.write && h("span", { class: "quiet" }, texts.readOnly),
        button(texts.signOut, async () => {
          if (!mayLeave()) return;
          try {
            await signOut();
            // Whoever goes back finds nothing of this.
            document.body.replaceChildren();
            location.replace("/admin/");
          } catch {
            tell(texts.notSignedOut);
          }
        }, { class: "plain" }),
      ]));
}

// Links to views are followed here.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const plain = !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.hasAttribute("download")) return;
  if (link.getAttribute("href") === "#content") {
    event.preventDefault();
    content.focus();
  } else if (link.pathname.startsWith("/admin") && link.origin === location.origin) {
    event.preventDefault();
    page.go(link.pathname + link.search);
  }
});
addEventListener("popstate", () => {
  const next = history.state?.place ?? 0;
  // A step that was undone.
  if (next === place) return;
  if (!mayLeave()) {
    history.go(place - next);
    return;
  }
  place = next;
  show();
});
addEventListener("beforeunload", (event) => {
  if (current?.isDirty?.()) event.preventDefault();
});

async function begin() {
  place = history.state?.place ?? 0;
  document.body.append(frame, waiting, statusElement(), content);
  api.tellBy((problem) => replace(waiting, problem && h("p", { class: "banner" },
    problem.status === 0 ? texts.waitingNetwork : texts.waiting(problem.message))));
  const enter = async () => {
    api.askBy(async () => {
      const token = await signInAgain();
      // It may do more than the last one, or less.
      navigation(current.path);
      return token;
    });
    await show();
  };
  if (await restore()) return enter();
  document.title = texts.title(texts.signIn);
  const form = signInForm(enter);
  replace(content, h("h1", {}, texts.signInTitle), form);
  form.querySelector("input").focus();
}

begin().catch((problem) => {
  replace(content, h("h1", {}, texts.problem), h("p", { role: "alert" }, problem.message));
  if (!(problem instanceof api.Problem)) console.error(problem);
});
