// One user: the form, the groups, the end.

import * as api from "./api.js";
import { button, dialog, field, h, replace, tell } from "./dom.js";
import { equal, form } from "./form.js";
import { chooseGroup } from "./group-choice.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

export const MEMBERS = [
  { name: "name", label: texts.name, kind: "text", required: true },
  { name: "email", label: texts.email, kind: "text" },
  { name: "username", label: texts.username, kind: "text" },
  { name: "external_id", label: texts.externalId, kind: "text" },
  { name: "active", label: texts.active, kind: "boolean", hint: texts.activeHint },
  { name: "attributes", label: texts.attributes, kind: "json", hint: texts.attributesHint },
];

// Runs a form: Enter in a field and the button both save, once at a time.
export function saving(fields, save, ...more) {
  const submit = h("button", { class: "main" }, texts.save);
  return h("form", {
    novalidate: true,
    async onsubmit(event) {
      event.preventDefault();
      if (submit.disabled || !fields.check()) return;
      submit.disabled = true;
      tell(null);
      try {
        await save();
      } catch (problem) {
        fields.fail(problem);
      } finally {
        submit.disabled = false;
      }
    },
  }, fields.element, h("div", { class: "actions" }, submit, more));
}

export async function newUser(page) {
  const fields = form(MEMBERS, {});
  let isDone = false;
  const element = h("div", {}, h("h1", { tabindex: "-1" }, texts.newUser),
    saving(fields, async () => {
      const { value } = await api.createUser(fields.values());
      isDone = true;
      page.go(`/admin/users/${value.id}`);
      tell(texts.created(value.name, value.id));
    }));
  return { title: texts.newUser, element, isDirty: () => !isDone && fields.isDirty() };
}

export async function user(page, search, id) {
  const path = `/users/${id}`;
  const [found, ofGroups] = await Promise.all([api.get(path), api.get(`${path}/groups`)]);
  let { value, etag } = found;
  let isGone = false;
  const heading = h("h1", { tabindex: "-1", dir: "auto" });
  const facts = h("dl", { class: "facts" });
  const fields = form(MEMBERS, value, { readOnly: !session.write });
  const toggle = button("", switchOver);

  const shown = (saved) => {
    ({ value, etag } = saved);
    heading.textContent = value.name;
    toggle.textContent = value.active ? texts.switchOff : texts.switchOn;
    const fact = (name, text) => [h("dt", {}, name), h("dd", {}, text)];
    replace(facts, fact(texts.id, String(value.id)), fact(texts.createdAt, texts.time(value.created_at)),
      fact(texts.updatedAt, texts.time(value.updated_at)));
  };
  shown(found);

  // What is typed stays where it is: only `active` is changed, also of a version that is newer.
  async function switchOver() {
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
      shown(next);
      tell(active ? texts.switchedOn(value.name) : texts.switchedOff(value.name));
    } catch (problem) {
      fields.fail(problem);
    }
  }

  async function save() {
    if (!fields.isDirty()) {
      tell(texts.nothingChanged);
      return;
    }
    const saved = await fields.save(path, etag);
    if (!saved) return;
    shown(saved);
    tell(texts.saved);
  }

  async function end() {
    if (!await confirmByName(texts.deleteUser(value.name), value.name)) return;
    try {
      await api.remove(path, etag);
    } catch (problem) {
      if (problem.status !== 412) return fields.fail(problem);
      const saved = await api.get(path);
      fields.show(saved.value);
      shown(saved);
      return fields.fail({ message: texts.changedBeforeDelete });
    }
    isGone = true;
    offerUndo(page, "/users", MEMBERS, value, { create: api.createUser, deleted: texts.deleted, undone: texts.undone });
  }

  const element = h("div", {}, heading, facts,
    session.write
      ? saving(fields, save, toggle, button(texts.delete, end, { class: "danger" }))
      : h("div", {}, fields.element),
    groupsOf(path, id, ofGroups.value));
  return { title: value.name, element, isDirty: () => !isGone && fields.isDirty() };
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

// Tells of a deletion. To undo that is to make the same anew, so the id differs.
export function offerUndo(page, path, members, value, { create, deleted, undone }) {
  const former = Object.fromEntries(members.map(({ name }) => [name, value[name]]).filter(([, member]) => member !== undefined));
  const undo = button(texts.undo, async () => {
    undo.disabled = true;
    try {
      const made = await create(former);
      page.go(`/admin${path}/${made.value.id}`);
      tell(undone(former.name, made.value.id, value.id));
    } catch (problem) {
      undo.disabled = false;
      tell(problem.message, " ", undo);
    }
  });
  page.go(`/admin${path}`);
  tell(deleted(value.name, value.id), " ", undo);
}

// A name as the page shows it: white space is one blank, however much there is.
const spelled = (name) => name.normalize().replace(/\s+/g, " ").trim();

// A deletion is confirmed by typing the name.
export function confirmByName(question, name) {
  return dialog(question, (close) => {
    const typed = field(texts.typeName(name), h("input", { type: "text", autocomplete: "off" }));
    return h("form", {
      novalidate: true,
      onsubmit(event) {
        event.preventDefault();
        if (spelled(typed.control.value) === spelled(name)) close(true);
        else {
          typed.fail(texts.otherName);
          typed.control.focus();
        }
      },
    }, h("p", {}, texts.deleteHint), typed.element, h("div", { class: "actions" },
      h("button", { class: "danger" }, texts.delete), button(texts.cancel, () => close())));
  });
}
