// The members of a user or a group as fields, what was changed in them, and what is wrong with them.

import * as api from "./api.js";
import { field, h } from "./dom.js";
import { Written, isObject, parse, pretty, same } from "./json.js";
import { resolve } from "./conflict.js";
import { texts } from "./texts.js";

// Each member has a name, a label, and a kind: "text", "boolean" or "json".
export function form(members, value, { readOnly = false } = {}) {
  const alert = h("p", { class: "error", role: "alert" });
  const fields = Object.fromEntries(members.map((member) => [member.name, make(member, readOnly)]));
  let base = value;

  const now = (member) => fields[member.name].value();
  const before = (member) => base[member.name] ?? (member.kind === "boolean" ? true : undefined);

  const made = {
    element: h("div", {}, members.map((member) => fields[member.name].element), alert),

    // The members that differ from what the form began with.
    changes() {
      return Object.fromEntries(members.filter((member) => !equal(now(member), before(member)))
        .map((member) => [member.name, now(member)]));
    },

    // All members that have a value.
    values: () => Object.fromEntries(members.map((member) => [member.name, now(member)])
      .filter(([, value]) => value !== undefined)),

    isDirty: () => Object.keys(made.changes()).length > 0,

    show(value) {
      base = value;
      for (const member of members) fields[member.name].show(value[member.name]);
      made.fail(null);
    },

    // Begins anew with that value, but keeps what is typed, except in the field `shown`.
    rebase(value, shown) {
      const typed = { ...made.changes(), [shown]: value[shown] };
      made.show(value);
      for (const name of Object.keys(typed)) fields[name].show(typed[name]);
    },

    // Shows a problem at the fields that it is about. False if something can't be sent.
    fail(problem) {
      alert.textContent = "";
      for (const one of Object.values(fields)) one.fail(null);
      if (!problem) return;
      const taken = { "email-taken": "email", "username-taken": "username", "group-name-taken": "name" }[problem.type];
      const errors = taken ? [{ pointer: `/${taken}`, detail: problem.message }] : problem.details?.errors ?? [];
      const failed = [];
      for (const { pointer, detail } of errors) {
        const [, name, ...inside] = pointer.split("/");
        const text = inside.length ? `${inside.join(".")} ${detail}` : detail;
        if (!fields[name]) alert.textContent += `${pointer} ${detail} `;
        else if (!failed.includes(name)) {
          fields[name].fail(sentence(text));
          failed.push(name);
        }
      }
      if (!failed.length && !alert.textContent) alert.textContent = problem.message;
      if (failed.length) fields[failed[0]].control.focus();
    },

    // Whether all fields can be sent: attributes have to be JSON.
    check() {
      made.fail(null);
      const broken = members.map((member) => fields[member.name]).find((one) => !one.check());
      broken?.control.focus();
      return !broken;
    },
  };

  // Saves the changes of what is at the path in the version `etag`. If somebody else changed it meanwhile, the person
  // chooses. Answers the new version, or null if nothing was saved.
  made.save = async (path, etag) => {
    let from = base;
    let changes = made.changes();
    for (;;) {
      try {
        const saved = await api.change(path, etag, changes);
        made.show(saved.value);
        return saved;
      } catch (problem) {
        if (problem.status !== 412) throw problem;
      }
      const theirs = await api.get(path);
      // A change whose answer was lost has been made already.
      const wanted = { ...from, ...changes };
      if (members.every(({ name }) => equal(theirs.value[name], wanted[name]))) {
        made.show(theirs.value);
        return theirs;
      }
      const chosen = await resolve(members, from, theirs.value, changes);
      if (!chosen) return null;
      if (!Object.keys(chosen).length) {
        made.show(theirs.value);
        return theirs;
      }
      [from, etag, changes] = [theirs.value, theirs.etag, chosen];
    }
  };

  made.show(value);
  return made;
}

const plain = (value) => (value instanceof Written ? parse(value.text) : value);

export const equal = (one, other) =>
  one === other || (one !== undefined && other !== undefined && same(plain(one), plain(other)));

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function make({ label, kind, hint, required }, readOnly) {
  if (kind === "boolean") {
    const made = field(label, h("input", { type: "checkbox", disabled: readOnly }), { hint });
    return {
      ...made,
      value: () => made.control.checked,
      show: (value) => { made.control.checked = value ?? true; },
      check: () => true,
    };
  }
  const isJson = kind === "json";
  const control = isJson
    ? h("textarea", { rows: 6, spellcheck: "false", class: "code", readonly: readOnly })
    : h("input", { type: "text", autocomplete: "off", spellcheck: "false", readonly: readOnly, "aria-required": required && "true", dir: "auto" });
  const made = field(label, control, { hint });
  const error = () => {
    const text = control.value.trim();
    if (!isJson || !text) return null;
    try {
      const value = JSON.parse(text);
      return isObject(value) ? null : texts.notAnObject;
    } catch (error) {
      return texts.notJson(where(text, error));
    }
  };
  const check = () => {
    const found = error();
    made.fail(found);
    return !found;
  };
  // While somebody types, a fault that is gone goes at once; a new one is told when the field is left.
  control.addEventListener("input", () => {
    if (!error()) made.fail(null);
  });
  if (isJson) control.addEventListener("blur", check);
  return {
    ...made, check,
    value() {
      const text = control.value.trim();
      if (text === "") return undefined;
      return isJson ? new Written(text) : control.value;
    },
    show(value) {
      control.value = value === undefined ? "" : !isJson ? value : value instanceof Written ? value.text : pretty(value);
    },
  };
}

// Where JSON breaks, as line and column, if the browser tells.
function where(text, { message }) {
  const position = message.match(/position (\d+)/)?.[1];
  if (position === undefined) return message;
  const lines = text.slice(0, position).split("\n");
  return `${message.replace(/ in JSON at position.*| at position.*/, "")} (${texts.place(lines.length, lines.at(-1).length + 1)})`;
}
