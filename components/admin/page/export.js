// What a list shows, as a file.

import * as api from "./api.js";
import { download, tell } from "./dom.js";
import { MARK, row } from "./csv.js";
import { parse } from "./json.js";
import { texts } from "./texts.js";

const MEMBERS = ["id", "name", "email", "username", "external_id", "active", "attributes", "created_at", "updated_at"];

// Everybody is one stream of the service. A search, a group and an attribute have lists of their own, which cost what they show, and
// are read page by page.
export async function exportUsers({ path, parameters, sorts, byAttribute }, format) {
  const parts = [format === "csv" ? MARK + row(MEMBERS) : ""];
  const users = sorts && !byAttribute ? stream(parameters) : pages(path, parameters);
  let count = 0;
  let part = "";
  for await (const user of users) {
    part += format === "csv" ? row(MEMBERS.map((name) => cell(user[name]))) : `${JSON.stringify(user)}\n`;
    if (++count % 1000 === 0) {
      parts.push(part);
      part = "";
      // Seldom, as screen readers read it out.
      if (count % 10_000 === 0) tell(texts.exporting(count));
    }
  }
  parts.push(part);
  download(`users.${format}`, format === "csv" ? "text/csv" : "application/x-ndjson", parts);
  tell(texts.exported(count));
}

const cell = (value) => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

async function* stream({ sort, ...parameters }) {
  let next = `/users/export${api.query(parameters)}`;
  while (next) {
    const path = next;
    let last = null;
    let id = null;
    try {
      for await (const line of api.lines(await api.send("GET", path))) {
        const value = parse(line);
        if (value.end) last = value;
        else {
          id = value.id;
          yield value;
        }
      }
    } catch (error) {
      // A connection that broke: it goes on behind the last whole line.
      if (id === null) throw error;
    }
    if (last?.problem) throw new api.Problem(last.problem.status, last.problem);
    next = last ? last.next ?? null : `/users/export${api.query({ ...parameters, after: id ?? 0 })}`;
    if (!last && id === null) throw new api.Problem(0);
  }
}

async function* pages(path, parameters) {
  let next = path + api.query({ ...parameters, limit: 1000 });
  while (next) {
    const page = await api.get(next);
    yield* page.value;
    next = page.next;
  }
}
