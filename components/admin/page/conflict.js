// Somebody else changed what a person is changing: both versions side by side, and the person decides.

import { button, dialog, h, newId, scrollable } from "./dom.js";
import { equal } from "./form.js";
import { Written, pretty } from "./json.js";
import { texts } from "./texts.js";

// `base` is what the form began with, `theirs` what is stored now, `mine` the members that the person changed. Answers the
// changes to make to `theirs`, or undefined if the person gives up.
export function resolve(members, base, theirs, mine) {
  const rows = members.map((member) => {
    const isMine = member.name in mine;
    const own = isMine ? mine[member.name] : base[member.name];
    const stored = theirs[member.name];
    const isTheirs = !equal(stored, base[member.name]);
    return { member, isMine, isTheirs, own, stored, isOpen: isMine && isTheirs && !equal(own, stored) };
  }).filter((row) => row.isMine || row.isTheirs);

  return dialog(texts.conflict, (close) => {
    const choices = new Map();
    const body = rows.map((row) => {
      const cell = (side, value, isKept) => {
        if (!row.isOpen) return h("td", {}, shown(value), isKept && h("span", { class: "kept" }, texts.kept));
        const id = newId();
        const radio = h("input", { type: "radio", name: row.member.name, id, checked: side === "theirs" });
        if (side === "mine") choices.set(row.member.name, radio);
        return h("td", {}, radio, h("label", { for: id },
          h("span", { class: "hidden" }, texts.choice(row.member.label, side)), shown(value)));
      };
      return h("tr", {}, h("th", { scope: "row" }, row.member.label),
        cell("theirs", row.stored, row.isTheirs), cell("mine", row.own, row.isMine && !row.isTheirs));
    });
    return [
      h("p", {}, texts.conflictHint),
      scrollable(texts.versions_, h("table", { class: "conflict" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, texts.member), h("th", { scope: "col" }, texts.theirs), h("th", { scope: "col" }, texts.mine))),
        h("tbody", {}, body))),
      h("div", { class: "actions" },
        button(texts.save, () => close(Object.fromEntries(rows
          .filter((row) => (row.isOpen ? choices.get(row.member.name).checked : row.isMine && !equal(row.own, row.stored)))
          .map((row) => [row.member.name, row.own]))), { class: "main" }),
        button(texts.goOnEditing, () => close())),
    ];
  });
}

const shown = (value) => {
  if (value === undefined) return h("em", { class: "quiet" }, texts.nothing);
  if (typeof value === "boolean") return value ? texts.yes : texts.no;
  return h("pre", {}, typeof value === "string" ? value : value instanceof Written ? value.text : pretty(value));
};
