// One user: the form, the groups, the end.

import * as api from "./api.js";
import { button, h, replace, tell } from "./dom.js";
import { equal } from "./form.js";
import { chooseGroup } from "./group-choice.js";
import { newRecord, record } from "./record.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

const MEMBERS = [
  { name: "name", label: texts.name, kind: "text", required: true },
  { name: "email", label: texts.email, kind: "text" },
  { name: "username", label: texts.username, kind: "text" },
  { name: "external_id", label: texts.externalId, kind: "text" },
  { name: "active", label: texts.active, kind: "boolean", hint: texts.activeHint },
  { name: "attributes", label: texts.attributes, kind: "json", hint: texts.attributesHint },
];

const KIND = {
  path: "/users",
  members: MEMBERS,
  create: api.createUser,
  title: texts.newUser,
  confirm: texts.deleteUser,
  deleted: texts.deleted,
  undone: texts.undone,
};

export const newUser = async (page) => newRecord(page, KIND);

export async function user(page, search, id) {
  const path = `/users/${id}`;
  const [found, ofGroups] = await Promise.all([api.get(path), api.get(`${path}/groups`)]);
  const facts = h("dl", { class: "facts" });
  const toggle = button("", switchOver);
  const one = record(page, KIND, path, found, (value) => {
    toggle.textContent = value.active ? texts.switchOff : texts.switchOn;
    const fact = (name, text) => [h("dt", {}, name), h("dd", {}, text)];
    replace(facts, fact(texts.id, String(value.id)), fact(texts.createdAt, texts.time(value.created_at)),
      fact(texts.updatedAt, texts.time(value.updated_at)));
  });

  // What is typed stays where it is: only `active` is changed, also of a version that is newer.
  async function switchOver() {
    const { value, etag, fields } = one;
    const active = !value.active;
    try {
      const saved = await api.change(path, etag, { active }).catch(async (problem) => {
        if (problem.status !== 412) throw problem;
        const now = await api.get(path);
        return now.value.active === active ? now : api.change(path, now.etag, { active });
      });
      // What was typed over a version that somebody else changed meanwhile is compared with the new one when it is saved.
      const isChanged = MEMBERS.some(({ name }) => name !== "active" && !equal(saved.value[name], value[name]));
      const next = isChanged && fields.isDirty() ? { value: { ...value, active }, etag } : saved;
      fields.rebase(next.value, "active");
      one.show(next);
      tell(active ? texts.switchedOn(next.value.name) : texts.switchedOff(next.value.name));
    } catch (problem) {
      fields.fail(problem);
    }
  }

  const element = h("div", {}, one.heading, facts, one.element(toggle), groupsOf(path, id, ofGroups.value));
  return { title: one.value.name, element, isDirty: one.isDirty };
}

// The groups that a user is in.
function groupsOf(path, id, groups) {
  const heading = h("h2", { tabindex: "-1" }, texts.groups);
  const list = h("ul", { class: "list" });
  const alert = h("p", { class: "error", role: "alert" });
  const showAll = () => replace(list, groups.length === 0 && h("li", { class: "quiet" }, texts.inNoGroup), groups.map((group) =>
    h("li", {}, h("a", { href: `/admin/groups/${group.id}` }, group.name),
      session.write && button(texts.remove, async () => {
        alert.textContent = "";
        try {
          await api.send("DELETE", `/groups/${group.id}/members/${id}`, { repeat: true });
        } catch (problem) {
          alert.textContent = problem.message;
          return;
        }
        groups = groups.filter((other) => other !== group);
        showAll();
        heading.focus();
        tell(texts.removedFrom(group.name));
      }, { "aria-label": texts.removeFrom(group.name) }))));
  showAll();
  const choice = session.write && chooseGroup(texts.addToGroup, async (group) => {
    if (!group) return;
    await api.send("PUT", `/groups/${group.id}/members/${id}`, { repeat: true });
    if (!groups.some((other) => other.id === group.id)) groups.push(group);
    showAll();
    choice.control.value = "";
    tell(texts.addedTo(group.name));
  }, texts.add);
  return h("section", {}, heading, list, alert, choice?.element);
}
