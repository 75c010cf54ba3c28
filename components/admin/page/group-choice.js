// A field for the name of a group. Of many groups the first thousand are proposed; every group is found by its whole name.

import * as api from "./api.js";
import { field, h, newId } from "./dom.js";
import { texts } from "./texts.js";

// `choose` gets the group, or null if the field is empty. With `action` a button asks for it, otherwise each change of the field.
export function chooseGroup(label, choose, action) {
  const proposals = h("datalist", { id: newId() });
  const made = field(label, h("input", { type: "text", list: proposals.id, autocomplete: "off" }));
  made.control.addEventListener("focus", async () => {
    try {
      const { value } = await api.get("/groups?limit=1000");
      proposals.replaceChildren(...value.map((group) => h("option", { value: group.name })));
    } catch { /* Without proposals the name can be typed. */ }
  }, { once: true });
  const ask = async () => {
    made.fail(null);
    const name = made.control.value.trim();
    try {
      const group = name && (await api.get(`/groups${api.query({ name })}`)).value[0];
      if (name && !group) throw new api.Problem(404, { detail: texts.noSuchGroup(name) });
      await choose(group || null);
    } catch (problem) {
      made.fail(problem.message);
    }
  };
  if (!action) made.control.addEventListener("change", ask);
  const element = action
    ? h("form", { class: "inline", novalidate: true, onsubmit(event) { event.preventDefault(); ask(); } },
      made.element, proposals, h("button", {}, action))
    : h("div", {}, made.element, proposals);
  return { ...made, element };
}
