// What users and groups have in common: a new one, saving one, and the end.

import * as api from "./api.js";
import { button, dialog, field, h, tell } from "./dom.js";
import { form } from "./form.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

// A new one. `kind` has the path of all of them, their members, how one is made, and texts.
export function newRecord(page, kind) {
  const fields = form(kind.members, {});
  let isDone = false;
  const element = h("div", {}, h("h1", { tabindex: "-1" }, kind.title),
    saving(fields, async () => {
      const { value } = await kind.create(fields.values());
      isDone = true;
      page.go(`/admin${kind.path}/${value.id}`);
      tell(texts.created(value.name, value.id));
    }));
  return { title: kind.title, element, isDirty: () => !isDone && fields.isDirty() };
}

// One that was found at a path: its heading and its form. `onShown` is called with each version that is shown.
export function record(page, kind, path, found, onShown) {
  const fields = form(kind.members, found.value, { readOnly: !session.write });
  const heading = h("h1", { tabindex: "-1", dir: "auto" });
  let isGone = false;
  const one = { heading, fields, show, element, isDirty: () => !isGone && fields.isDirty() };
  show(found);
  return one;

  function show({ value, etag }) {
    Object.assign(one, { value, etag });
    heading.textContent = value.name;
    onShown?.(value);
  }

  // The form with its buttons, also with others than those that each has.
  function element(...more) {
    if (!session.write) return fields.element;
    return saving(fields, save, ...more, button(texts.delete, end, { class: "danger" }));
  }

  async function save() {
    if (!fields.isDirty()) {
      tell(texts.nothingChanged);
      return;
    }
    const saved = await fields.save(path, one.etag);
    if (!saved) return;
    show(saved);
    tell(texts.saved);
  }

  async function end() {
    if (!await confirmByName(kind.confirm(one.value.name), one.value.name)) return;
    try {
      await api.remove(path, one.etag);
    } catch (problem) {
      if (problem.status !== 412) return fields.fail(problem);
      const saved = await api.get(path);
      fields.show(saved.value);
      show(saved);
      return fields.fail({ message: texts.changedBeforeDelete });
    }
    isGone = true;
    offerUndo(page, kind, one.value);
  }
}

// Runs a form: Enter in a field and the button both save, once at a time.
function saving(fields, save, ...more) {
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

// Tells of a deletion. To undo that is to make the same anew, so the id differs.
function offerUndo(page, { path, members, create, deleted, undone }, value) {
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
function confirmByName(question, name) {
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
