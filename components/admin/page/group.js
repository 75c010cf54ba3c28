// One group: the form, the members, the end.

import * as api from "./api.js";
import { button, field, h, replace, scrollable, tell } from "./dom.js";
import { newRecord, record } from "./record.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

const MEMBERS = [
  { name: "name", label: texts.name, kind: "text", required: true },
  { name: "description", label: texts.description, kind: "text" },
  { name: "external_id", label: texts.externalId, kind: "text" },
  { name: "attributes", label: texts.attributes, kind: "json", hint: texts.attributesHint },
];

const SHOWN = "id,name,email";

const KIND = {
  path: "/groups",
  members: MEMBERS,
  create: (former) => api.create("/groups", former),
  title: texts.newGroup,
  confirm: texts.deleteGroup,
  deleted: texts.groupDeleted,
  undone: texts.groupUndone,
};

export const newGroup = async (page) => newRecord(page, KIND);

export async function group(page, search, id) {
  const path = `/groups/${id}`;
  const one = record(page, KIND, path, await api.get(path));
  const members = membersOf(path);
  await members.load(`${path}/members?limit=50&fields=${SHOWN}`);
  const element = h("div", {}, one.heading, one.element(), members.element);
  return { title: one.value.name, element, isDirty: one.isDirty };
}

// Who is in the group, and the search for those who are to come in.
function membersOf(path) {
  const body = h("tbody");
  const pager = h("nav", { class: "actions", "aria-label": texts.pages });
  const alert = h("p", { class: "error", role: "alert" });
  const first = `${path}/members?limit=50&fields=${SHOWN}`;
  let shown = first;

  const attempt = async (work) => {
    alert.textContent = "";
    try {
      await work();
    } catch (problem) {
      alert.textContent = problem.message;
    }
  };
  const area = scrollable(texts.tableOfMembers, h("table", {}, h("caption", { class: "hidden" }, texts.members),
    h("thead", {}, h("tr", {}, [texts.name, texts.email].map((label) => h("th", { scope: "col" }, label)),
      session.write && h("td"))), body));

  // Another page is read from its head.
  async function turn(page) {
    await load(page);
    area.focus({ preventScroll: true });
    area.scrollIntoView();
  }
  async function load(from) {
    shown = from;
    const { value, next } = await api.get(from);
    replace(body, value.map((user) => h("tr", {},
      h("td", {}, h("a", { href: `/admin/users/${user.id}`, dir: "auto" }, user.name)), h("td", {}, user.email),
      session.write && h("td", {}, button(texts.remove, () => attempt(async () => {
        await api.send("DELETE", `${path}/members/${user.id}`, { repeat: true });
        tell(texts.memberRemoved(user.name));
        await load(shown);
        area.focus({ preventScroll: true });
      }), { "aria-label": texts.removeMember(user.name) })))),
    value.length === 0 && h("tr", {}, h("td", { class: "quiet", colspan: "3" }, texts.noMembers)));
    replace(pager, from !== first && button(texts.firstPage, () => attempt(() => turn(first))),
      next && button(texts.nextPage, () => attempt(() => turn(next))));
  }

  const words = field(texts.searchMembers, h("input", { type: "search", autocomplete: "off", spellcheck: "false" }));
  const found = h("ul", { class: "list", "aria-label": texts.found });
  let timer, asked;
  words.control.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    timer = setTimeout(() => attempt(search), 200);
  });
  async function search() {
    asked = new AbortController();
    const { signal } = asked;
    const q = words.control.value.trim();
    if (!q) return replace(found);
    let value;
    try {
      ({ value } = await api.get(`/users${api.query({ q, limit: 10, fields: SHOWN })}`, { signal }));
    } catch (problem) {
      if (signal.aborted) return;
      throw problem;
    }
    replace(found, value.length === 0 && h("li", { class: "quiet" }, texts.nobody), value.map((user) => h("li", {},
      h("span", {}, h("bdi", {}, user.name), user.email && h("span", { class: "quiet" }, ` ${user.email}`)),
      button(texts.add, () => attempt(async () => {
        await api.send("PUT", `${path}/members/${user.id}`, { repeat: true });
        tell(texts.memberAdded(user.name));
        await load(shown);
      }), { "aria-label": texts.addMember(user.name) }))));
  }

  const element = h("section", {}, h("h2", {}, texts.members), alert,
    session.write && [words.element, found],
    area, pager);
  return { element, load };
}
