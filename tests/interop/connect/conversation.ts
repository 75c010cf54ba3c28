// Calls every procedure by each transport of Connect for node and for browsers.

import assert from "node:assert/strict";
import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import * as node from "@connectrpc/connect-node";
import * as web from "@connectrpc/connect-web";
import { UserService } from "./edgeusers/v1/users_pb.js";

const baseUrl = process.env.EDGE_USERS_URL!;
const authorize: Interceptor = (next) => (request) => {
  request.header.set("authorization", `Bearer ${process.env.EDGE_USERS_TOKEN}`);
  return next(request);
};
const interceptors = [authorize];
const one = { baseUrl, interceptors, httpVersion: "1.1" as const };
const two = { baseUrl, interceptors, httpVersion: "2" as const };

// By name: the transport, and whether it reads while it sends.
const transports: Record<string, [Transport, boolean]> = {
  "connect, HTTP/1.1": [node.createConnectTransport(one), false],
  "connect, binary, HTTP/2": [node.createConnectTransport({ ...two, useBinaryFormat: true }), true],
  "connect, GET": [node.createConnectTransport({ ...one, useHttpGet: true }), false],
  "grpc": [node.createGrpcTransport({ baseUrl, interceptors }), true],
  "grpc, JSON": [node.createGrpcTransport({ baseUrl, interceptors, useBinaryFormat: false }), true],
  "grpc, gzip": [
    node.createGrpcTransport({ baseUrl, interceptors, sendCompression: node.compressionGzip, compressMinBytes: 0 }),
    true,
  ],
  "grpc-web": [node.createGrpcWebTransport(one), false],
  "connect of browsers": [web.createConnectTransport({ baseUrl, interceptors, useHttpGet: true }), false],
  "grpc-web of browsers": [web.createGrpcWebTransport({ baseUrl, interceptors }), false],
};

async function fails(call: Promise<unknown>, code: Code): Promise<ConnectError> {
  const error = await call.then(() => assert.fail("it does not fail"), ConnectError.from);
  assert.equal(error.code, code, error.message);
  return error;
}

for (const [name, [transport, isFullDuplex]] of Object.entries(transports)) {
  const client = createClient(UserService, transport);
  const email = `ada.${name.replace(/[^a-z0-9]/gi, "")}@example.com`;
  const profile = { name: "Ada", email, attributes: { team: "blue", scores: [1, 2.5, null, { x: true }] } };
  const { user } = await client.createUser({ user: profile });
  assert(user !== undefined && user.id > 0n, name);
  assert.deepEqual(user.attributes, profile.attributes);
  const { id } = user;
  assert.deepEqual((await client.getUser({ id })).user, user);
  const listed = await client.listUsers({ email });
  assert.deepEqual([listed.users, listed.totalSize], [[user], 1]);
  const change = { user: { id, name: "Ada Lovelace", etag: user.etag }, updateMask: { paths: ["name"] } };
  const changed = (await client.updateUser(change)).user!;
  assert.deepEqual([changed.name, changed.email], ["Ada Lovelace", email]);
  await fails(client.updateUser(change), Code.Aborted);
  await fails(client.createUser({ user: profile }), Code.AlreadyExists);
  const refused = await fails(client.createUser({ user: { name: "" } }), Code.InvalidArgument);
  assert.equal(refused.details.length, 2);
  const ids = [];
  for await (const sent of client.exportUsers({ after: id - 1n })) {
    ids.push(sent.user!.id);
  }
  assert.equal(ids[0], id, name);
  if (isFullDuplex) {
    const results: { sent: string; case: string | undefined }[] = [];
    async function* send() {
      for (const name of ["Grace", "", "Edith"]) {
        yield { user: { name } };
        // The result is there before the next is sent.
        while (results.length === 0 || results.at(-1)!.sent !== name) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    }
    const names = ["Grace", "", "Edith"];
    for await (const { result } of client.importUsers(send())) {
      results.push({ sent: names[results.length]!, case: result.case });
    }
    assert.deepEqual(results.map((result) => result.case), ["user", "error", "user"], name);
  }
  await client.deleteUser({ id, etag: changed.etag });
  await fails(client.getUser({ id }), Code.NotFound);
  console.log(`  ${name}`);
}
process.exit(0);
