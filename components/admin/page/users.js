// The list of users: filters and columns beside what every list has.

import * as api from "./api.js";
import { button, field, h, select, tell } from "./dom.js";
import { exportUsers } from "./export.js";
import { chooseGroup } from "./group-choice.js";
import { list } from "./list.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

// The columns that can be chosen, beside the name.
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

export function users(page, search) {
  let groupShown = "";
  const shownColumns = (query) => (query.get("columns") ?? SHOWN).split(",").filter((name) => name in columns());

  const view = list(page, search, {
    title: texts.users,
    table: texts.tableOfUsers,
    search: texts.searchUsers,
    cleared: { group: "", sort: "" },
    request,
    columns: (query) => [{ label: texts.name, sort: ["name", "-name"] }, ...shownColumns(query).map((name) => columns()[name])],
    row: (user, query) => h("tr", { class: user.active ? null : "off" },
      h("td", {}, h("a", { href: `/admin/users/${user.id}`, dir: "auto" }, user.name)),
      shownColumns(query).map((name) => h("td", {}, columns()[name].value(user)))),
    count: ({ value, next, total }, isPart) => value.length === 0
      ? (next ? texts.nobodyYet : texts.nobody) : texts.countOf(value.length, total, isPart),
    controls,
  });
  const { set } = view;

  const active = select([["", texts.everybody], ["true", texts.onlyActive], ["false", texts.onlyInactive]], "",
    { onchange: () => set({ active: active.value }) });
  const group = chooseGroup(texts.group, (chosen) => {
    if (String(chosen?.id ?? "") !== (view.query().get("group") ?? "")) set({ group: chosen?.id ?? "", q: "", sort: "" });
  });
  const attributes = session.indexed.map((path) => {
    const input = h("input", { type: "text", autocomplete: "off", onchange: () => set({ [ATTRIBUTE + path]: input.value }) });
    return [ATTRIBUTE + path, input, field(path, input).element];
  });
  const boxes = Object.entries(columns()).map(([name, { label }]) => [name, h("input", {
    type: "checkbox", onchange: () => set({ columns: boxes.filter(([, box]) => box.checked).map(([name]) => name).join() || "none",
      after: view.query().get("after") }),
  }), label]);
  const format = select([["csv", "CSV"], ["ndjson", "NDJSON"]], "csv", { "aria-label": texts.exportFormat });
  const exportButton = button(texts.export, async () => {
    exportButton.disabled = true;
    try {
      await exportUsers(request(view.query()), format.value);
    } catch (problem) {
      tell(problem.message);
    } finally {
      exportButton.disabled = false;
    }
  });

  function controls(query) {
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
    for (const [name, box] of boxes) box.checked = shownColumns(query).includes(name);
  }

  return view.open(h("div", {},
    h("div", { class: "top" }, h("h1", { tabindex: "-1" }, texts.users),
      h("div", { class: "actions" },
        session.write && button(texts.newUser, () => page.go("/admin/users/new"), { class: "main" }),
        session.write && button(texts.import, () => page.go("/admin/import")),
        exportButton, format)),
    h("search", { class: "filters" }, view.search, field(texts.state, active).element,
      group.element, attributes.map(([, , element]) => element),
      h("details", {}, h("summary", {}, texts.columns), h("div", { class: "boxes" }, boxes.map(([name, box, label]) => {
        box.id ||= `column-${name}`;
        return h("div", { class: "box" }, box, h("label", { for: box.id }, texts.column(label)));
      })))),
    view.results));
}
