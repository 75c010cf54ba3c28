// The list of groups.

import * as api from "./api.js";
import { button, h, scrollable } from "./dom.js";
import { chooseGroup } from "./group-choice.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

const LIMIT = 50;

export async function groups(page, search) {
  const after = search.get("after");
  const { value, next } = await api.get(`/groups${api.query({ limit: LIMIT, after })}`);
  const find = chooseGroup(texts.findGroup, (group) => group && page.go(`/admin/groups/${group.id}`), texts.open);
  const element = h("div", {},
    h("div", { class: "top" }, h("h1", { tabindex: "-1" }, texts.groups),
      session.write && button(texts.newGroup, () => page.go("/admin/groups/new"), { class: "main" })),
    find.element,
    value.length === 0 && h("p", { class: "quiet" }, texts.noGroups),
    scrollable(texts.tableOfGroups, h("table", {}, h("caption", { class: "hidden" }, texts.groups),
        h("thead", {}, h("tr", {}, [texts.name, texts.description, texts.updatedAt].map((label) => h("th", { scope: "col" }, label)))),
        h("tbody", {}, value.map((group) => h("tr", {},
          h("td", {}, h("a", { href: `/admin/groups/${group.id}`, dir: "auto" }, group.name)),
          h("td", {}, group.description), h("td", {}, texts.time(group.updated_at))))))),
    h("nav", { class: "actions", "aria-label": texts.pages },
      after && h("a", { href: "/admin/groups" }, texts.firstPage),
      next && h("a", { href: `/admin/groups?after=${new URLSearchParams(next.split("?")[1]).get("after")}` }, texts.nextPage)));
  return { title: texts.groups, element };
}
