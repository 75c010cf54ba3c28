// The list of groups.

import { button, h } from "./dom.js";
import { list } from "./list.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

// What the URL asks for, as a request to the service. A search by words has an order of its own.
function request(search) {
  const [q, sort] = [search.get("q"), search.get("sort")];
  if (q) return { path: "/groups", parameters: { q }, sorts: false };
  return { path: "/groups", parameters: sort ? { sort } : {}, sorts: true };
}

export function groups(page, search) {
  const view = list(page, search, {
    title: texts.groups,
    table: texts.tableOfGroups,
    search: texts.searchGroups,
    cleared: { sort: "" },
    request,
    columns: () => [{ label: texts.name, sort: ["name", "-name"] }, { label: texts.description }, { label: texts.updatedAt }],
    row: (group) => h("tr", {},
      h("td", {}, h("a", { href: `/admin/groups/${group.id}`, dir: "auto" }, group.name)),
      h("td", {}, group.description), h("td", {}, texts.time(group.updated_at))),
    count: ({ value }, isPart, query) => value.length === 0
      ? (isPart || query.get("q") ? texts.noGroupFound : texts.noGroups) : texts.countOfGroups(value.length, isPart),
  });
  return view.open(h("div", {},
    h("div", { class: "top" }, h("h1", { tabindex: "-1" }, texts.groups),
      session.write && button(texts.newGroup, () => page.go("/admin/groups/new"), { class: "main" })),
    h("search", { class: "filters" }, view.search),
    view.results));
}
