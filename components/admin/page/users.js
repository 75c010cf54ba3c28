// The list of users: search, filters, order, columns, pages. All of it is in the URL.

import * as api from "./api.js";
import { button, field, h, replace, scrollable, select, tell } from "./dom.js";
import { exportUsers } from "./export.js";
import { chooseGroup } from "./group-choice.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

const LIMIT = 50;

// How long the page waits for the next letter, in milliseconds.
const TYPING = 200;

// A search that is typed without a longer pause is one entry in the history.
const ONE_SEARCH = 1500;

// The order is a parameter of the service: `sort`, up and down.
const COLUMNS = {
  id: { label: texts.id, sort: ["id", "-id"], value: (user) => String(user.id) },
  email: { label: texts.email, value: (user) => user.email },
  username: { label: texts.username, value: (user) => user.username },
  external_id: { label: texts.externalId, value: (user) => user.external_id },
  active: { label: texts.active, value: (user) => (user.active ? texts.yes : texts.no) },
  created_at: { label: texts.createdAt, value: (user) => texts.time(user.created_at) },
  updated_at: { label: texts.updatedAt, sort: ["updated_at", "-updated_at"], value: (user) => texts.time(user.updated_at) },
};
const SHOWN = "email,username,active";

const ATTRIBUTE = "attributes.";
const columns = () => ({
  ...COLUMNS,
  ...Object.fromEntries(session.indexed.map((path) => [ATTRIBUTE + path, {
    label: path, value: (user) => attribute(user, path),
  }])),
});

function attribute(user, path) {
  const value = path.split(".").reduce((inside, name) => inside?.[name], user.attributes);
  return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
}

// What the URL asks for, as a request to the service. A group's members and a search by words are lists of their own, so only one
// of them can be asked for; both have an order of their own, too.
export function request(search) {
  const narrowed = [...search].filter(([name]) => name === "active" || name.startsWith(ATTRIBUTE));
  const parameters = Object.fromEntries(narrowed);
  const [group, q] = [search.get("group"), search.get("q")];
  if (group) return { path: `/groups/${Number(group)}/members`, parameters, sorts: false };
  if (q) return { path: "/users", parameters: { ...parameters, q }, sorts: false };
  const sort = search.get("sort");
  const byAttribute = narrowed.some(([name]) => name !== "active");
  if (sort) parameters.sort = sort;
  return { path: "/users", parameters, sorts: true, isPlain: narrowed.length === 0, byAttribute };
}

export async function users(page, search) {
  let query = search;
  let asked = null;
  let typedAt = 0;
  let groupShown = "";

  const set = (changes, options) => {
    const next = Object.fromEntries(query);
    // Another question has another first page.
    if (!("after" in changes)) delete next.after;
    return page.setQuery({ ...next, ...changes }, options);
  };

  const words = h("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  let timer;
  words.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const again = Date.now() - typedAt < ONE_SEARCH;
      typedAt = Date.now();
      set({ q: words.value.trim(), group: "", sort: "" }, { again });
    }, TYPING);
  });
  const active = select([["", texts.everybody], ["true", texts.onlyActive], ["false", texts.onlyInactive]], "",
    { onchange: () => set({ active: active.value }) });
  const group = chooseGroup(texts.group, (chosen) => {
    if (String(chosen?.id ?? "") !== (query.get("group") ?? "")) set({ group: chosen?.id ?? "", q: "", sort: "" });
  });
  const attributes = session.indexed.map((path) => {
    const input = h("input", { type: "text", autocomplete: "off", onchange: () => set({ [ATTRIBUTE + path]: input.value }) });
    return [ATTRIBUTE + path, input, field(path, input).element];
  });
  const boxes = Object.entries(columns()).map(([name, { label }]) => [name, h("input", {
    type: "checkbox", onchange: () => set({ columns: boxes.filter(([, box]) => box.checked).map(([name]) => name).join() || "none",
      after: query.get("after") }),
  }), label]);
  const format = select([["csv", "CSV"], ["ndjson", "NDJSON"]], "csv", { "aria-label": texts.exportFormat });
  const exportButton = button(texts.export, async () => {
    exportButton.disabled = true;
    try {
      await exportUsers(request(query), format.value);
    } catch (problem) {
      tell(problem.message);
    } finally {
      exportButton.disabled = false;
    }
  });

  const count = h("p", { class: "quiet", role: "status" });
  const alert = h("p", { class: "error", role: "alert" });
  const head = h("thead");
  const body = h("tbody");
  const pager = h("nav", { class: "actions", "aria-label": texts.pages });
  const table = h("table", { "aria-busy": "false" }, h("caption", { class: "hidden" }, texts.users), head, body);

  const area = scrollable(texts.tableOfUsers, table);

  // Another page is read from its head.
  const turn = async (after, trail) => {
    await set({ after }, { state: trail && { trail } });
    area.focus({ preventScroll: true });
    area.scrollIntoView();
  };

  function controls() {
    // A blank that was typed last stays.
    const q = query.get("group") ? "" : query.get("q") ?? "";
    if (words.value.trim() !== q) words.value = q;
    active.value = query.get("active") ?? "";
    const chosen = query.get("group") ?? "";
    if (chosen !== groupShown) {
      groupShown = chosen;
      group.fail(null);
      group.control.value = "";
      if (chosen) {
        api.get(`/groups/${Number(chosen)}`).then(({ value }) => {
          if (groupShown === chosen) group.control.value = value.name;
        }, (problem) => group.fail(problem.message));
      }
    }
    for (const [name, input] of attributes) input.value = query.get(name) ?? "";
    for (const [name, box] of boxes) box.checked = shownColumns().includes(name);
  }

  const shownColumns = () => (query.get("columns") ?? SHOWN).split(",").filter((name) => name in columns());

  function showHead({ sorts, parameters }) {
    const header = (label, sort) => {
      const now = parameters.sort ?? "id";
      const [up, down] = sort ?? [];
      const order = now === up ? "ascending" : now === down ? "descending" : null;
      return h("th", { scope: "col", "aria-sort": sorts && order }, sort && sorts
        ? button(label, () => set({ sort: now === up ? down : up }), { class: "sort" }) : label);
    };
    // The button that was pressed is made anew.
    const focused = head.contains(document.activeElement) && document.activeElement.textContent;
    replace(head, h("tr", {}, header(texts.name, ["name", "-name"]),
      shownColumns().map((name) => header(columns()[name].label, columns()[name].sort))));
    [...head.querySelectorAll("button")].find((made) => made.textContent === focused)?.focus();
  }

  async function load() {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    const wanted = request(query);
    showHead(wanted);
    table.setAttribute("aria-busy", "true");
    const parameters = { ...wanted.parameters, limit: LIMIT, after: query.get("after") };
    try {
      const first = wanted.path + api.query(parameters);
      let found = await api.get(first, { signal });
      // A page may be empty and not the last one, where many users are left out.
      for (let more = 0; !found.value.length && found.next && more < 20; more++) found = await api.get(found.next, { signal });
      show(found, wanted);
      alert.textContent = "";
    } catch (problem) {
      if (signal.aborted) return;
      alert.textContent = problem.message;
      replace(body);
      replace(pager);
      count.textContent = "";
    }
    table.setAttribute("aria-busy", "false");
  }

  function show({ value, next, total }, wanted) {
    replace(body, value.map((user) => h("tr", { class: user.active ? null : "off" },
      h("td", {}, h("a", { href: `/admin/users/${user.id}`, dir: "auto" }, user.name)),
      shownColumns().map((name) => h("td", {}, columns()[name].value(user))))));
    count.textContent = value.length === 0 ? (next ? texts.nobodyYet : texts.nobody)
      : texts.countOf(value.length, total, Boolean(next || query.get("after")));
    const after = next && new URLSearchParams(next.split("?")[1]).get("after");
    const trail = history.state?.trail ?? [];
    const here = query.get("after") ?? "";
    replace(pager,
      here && button(texts.firstPage, () => turn("")),
      here && trail.length > 1 && button(texts.previousPage, () => turn(trail.at(-1), trail.slice(0, -1))),
      after && button(texts.nextPage, () => turn(after, [...trail, here])));
  }

  const element = h("div", {},
    h("div", { class: "top" }, h("h1", { tabindex: "-1" }, texts.users),
      h("div", { class: "actions" },
        session.write && button(texts.newUser, () => page.go("/admin/users/new"), { class: "main" }),
        session.write && button(texts.import, () => page.go("/admin/import")),
        exportButton, format)),
    h("search", { class: "filters" }, field(texts.searchUsers, words).element, field(texts.state, active).element,
      group.element, attributes.map(([, , element]) => element),
      h("details", {}, h("summary", {}, texts.columns), h("div", { class: "boxes" }, boxes.map(([name, box, label]) => {
        box.id ||= `column-${name}`;
        return h("div", { class: "box" }, box, h("label", { for: box.id }, texts.column(label)));
      })))),
    count, alert,
    area, pager);

  const update = async (next) => {
    query = next;
    controls();
    await load();
  };
  controls();
  await load();
  return { title: texts.users, element, update, close: () => { clearTimeout(timer); asked?.abort(); } };
}
