// A conversation with the service by a client on the types that openapi-typescript made.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./edge-users.js";

type User = components["schemas"]["User"];

const client = createClient<paths>({
  baseUrl: process.env["EDGE_USERS_URL"] ?? "",
  headers: { authorization: `Bearer ${process.env["EDGE_USERS_TOKEN"]}` },
});
const email = `${randomUUID()}@example.com`;

// Create.
const created = await client.POST("/users", {
  body: { name: "Ada", email, attributes: { team: "blue", level: 3 } },
});
assert(created.data, JSON.stringify(created.error));
const ada: User = created.data;
assert.equal(ada.attributes?.["team"], "blue");
const again = await client.POST("/users", { body: { name: "Eve", email } });
assert.equal(again.error?.type, "/problems/email-taken");

// Read.
const path = { id: ada.id };
const read = await client.GET("/users/{id}", { params: { path } });
assert.deepEqual(read.data, ada);
const tag = read.response.headers.get("etag") ?? "";
const part = await client.GET("/users/{id}", { params: { path, query: { fields: "id,name" } } });
assert.deepEqual(part.data, { id: ada.id, name: "Ada" });

// List.
for (const query of [{ email }, { id: `${ada.id}` }, { sort: "-id", limit: 1 }] as const) {
  const found = await client.GET("/users", { params: { query } });
  assert.deepEqual(found.data, [ada], JSON.stringify(query));
}

const tagged = await client.GET("/users", {
  params: { query: { id: `${ada.id}`, fields: "id,etag" } },
});
assert.deepEqual(tagged.data, [{ id: ada.id, etag: tag }]);

// Patch, in both ways.
const patched = await client.PATCH("/users/{id}", {
  params: { path, header: { "If-Match": tag } },
  headers: { "content-type": "application/merge-patch+json" },
  body: { email: null, attributes: { team: "green", level: null } },
});
assert.deepEqual(patched.data?.attributes, { team: "green" });
assert.equal(patched.data?.email, undefined);
const jsonPatched = await client.PATCH("/users/{id}", {
  params: { path },
  headers: { "content-type": "application/json-patch+json" },
  body: [
    { op: "test", path: "/name", value: "Ada" },
    { op: "replace", path: "/name", value: "Ada L." },
  ],
});
assert.equal(jsonPatched.data?.name, "Ada L.");

// Replace with what was read: the members that the service sets are ignored.
const replaced = await client.PUT("/users/{id}", { params: { path }, body: ada });
assert.equal(replaced.data?.email, email);

// Delete.
const deleted = await client.DELETE("/users/{id}", { params: { path } });
assert.equal(deleted.response.status, 204);
const gone = await client.GET("/users/{id}", { params: { path } });
assert.equal(gone.error?.status, 404);

console.log("created, read, listed, patched, replaced, deleted");
