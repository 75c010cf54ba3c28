// A file of users: its rows, and each row as a line of an import.

import { UnclosedQuote, delimiter, plain, rows } from "./csv.js";
import { isObject, parse } from "./json.js";
import { texts } from "./texts.js";

const MEMBERS = ["name", "email", "username", "external_id", "active", "attributes"];
const ALSO = {
  "full name": "name", "display name": "name", mail: "email", "e-mail": "email", "email address": "email",
  login: "username", "user name": "username", "external id": "external_id", enabled: "active",
};

// What a column can be; an empty one is left out.
export const targets = (header) => [
  ["", texts.leftOut], ...MEMBERS.map((member) => [member, texts.members_[member]]),
  [attributeOf(header), texts.attributeOf(attributeOf(header).slice(11))],
];

const attributeOf = (header) => {
  const path = plain(header.trim()).replace(/^attributes\./, "");
  return `attributes.${path}`;
};

export function guess(header) {
  const name = header.trim().toLowerCase();
  if (MEMBERS.includes(name)) return name;
  if (name.startsWith("attributes.")) return attributeOf(header);
  return ALSO[name] ?? "";
}

// Reads a file of CSV or of NDJSON. `header` are the names of its columns, null for NDJSON. `items` makes the lines: with what is
// wrong with them, if that is known here.
export async function readFile(file) {
  let text;
  try {
    // Without a byte order mark.
    text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch (error) {
    if (error instanceof TypeError) throw new Error(texts.notUtf8);
    throw error;
  }
  if (text.trimStart().startsWith("{")) return lines(file.name, text);
  let all;
  try {
    all = [...rows(text, delimiter(text))];
  } catch (error) {
    if (error instanceof UnclosedQuote) throw new Error(texts.unclosedQuote(error.line));
    throw error;
  }
  if (all.length < 2) throw new Error(texts.emptyFile);
  const [{ cells: header }, ...rest] = all;
  return {
    name: file.name, header, rows: rest,
    items: (columns) => rest.map(({ line, cells }) => ({ line, cells, ...made(cells, columns) })),
  };
}

function lines(name, text) {
  const rows = text.split("\n").map((text, index) => ({ line: index + 1, cells: [text.trim()] }))
    // The last line of an export tells how it ended.
    .filter(({ cells: [text] }) => text && !/^\{"end":/.test(text));
  if (!rows.length) throw new Error(texts.emptyFile);
  return { name, header: null, rows, items: () => rows.map(({ line, cells }) => ({ line, cells, text: cells[0] })) };
}

const BOOLEANS = new Map([
  ...["true", "yes", "1", "on", "active"].map((text) => [text, true]),
  ...["false", "no", "0", "off", "inactive"].map((text) => [text, false]),
]);

// The line of a row. An empty cell says nothing of its member.
function made(cells, columns) {
  const user = {};
  for (const [index, target] of columns.entries()) {
    const value = plain(cells[index] ?? "").trim();
    if (!target || !value) continue;
    if (target === "active") {
      const active = BOOLEANS.get(value.toLowerCase());
      if (active === undefined) return { error: texts.notABoolean(value) };
      user.active = active;
    } else if (target === "attributes") {
      let object;
      try {
        object = parse(value);
      } catch (error) {
        return { error: texts.inMember(target, texts.notJson(error.message)) };
      }
      if (!isObject(object)) return { error: texts.inMember(target, texts.notAnObject) };
      user.attributes = { ...object, ...user.attributes };
    } else if (target.startsWith("attributes.")) {
      put(user.attributes ??= {}, target.slice(11).split("."), value);
    } else user[target] = value;
  }
  return { text: JSON.stringify(user) };
}

function put(object, [name, ...inside], value) {
  const at = (key, content) => Object.defineProperty(object, key, { value: content, enumerable: true, configurable: true, writable: true });
  if (!inside.length) return at(name, value);
  const next = Object.hasOwn(object, name) && isObject(object[name]) ? object[name] : {};
  at(name, next);
  put(next, inside, value);
}
