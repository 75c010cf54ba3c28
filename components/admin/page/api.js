// Requests to the service. They are those that any client can send.

import { Written, parse } from "./json.js";
import { texts } from "./texts.js";

let token = null;
let onUnauthorized = null;
let onWaiting = () => {};

export const setToken = (value) => { token = value; };
export const hasToken = () => token !== null;

// Gets a new token from the person where the last one is refused.
export const askBy = (ask) => { onUnauthorized = ask; };

// Is told the problem while the service does not answer, and null once it does.
export const tellBy = (waiting) => { onWaiting = waiting; };
export const tellWaiting = (problem) => onWaiting(problem);

// A refusal or a failure. `details` is the problem document (RFC 9457), if there is one.
export class Problem extends Error {
  constructor(status, details = {}) {
    super(details.detail ?? details.title ?? texts.unreachable);
    this.status = status;
    this.details = details;
    this.type = (details.type ?? "").replace("/problems/", "");
  }
}

// What this tab has seen of the service: for each answer the time that the person waited, and the
// times that the service tells, in milliseconds.
export const seen = [];

function observe(response, from) {
  const timing = response.headers.get("server-timing") ?? "";
  const time = (name) => Number(timing.match(new RegExp(`${name};dur=([0-9.]+)`))?.[1] ?? NaN);
  seen.push({ at: from, latency: performance.now() - from, component: time("component"), store: time("store") });
  if (seen.length > 1000) seen.shift();
}

// How long a request is repeated while the service is away.
const PATIENCE = 60_000;

const seconds = (count, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, count * 1000);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    reject(signal.reason);
  });
});

// Sends a request. `repeat` says that it does no harm to send it again if nobody knows whether it took
// effect. Fails with a Problem, or as `signal` says.
export async function send(method, path, { body, type, headers = {}, signal, repeat = method === "GET", ask = true } = {}) {
  const begun = Date.now();
  for (let attempt = 0; ; attempt++) {
    const all = { ...headers };
    if (token) all.authorization = `Bearer ${token}`;
    if (type) all["content-type"] = type;
    const from = performance.now();
    let problem, wait = Math.min(2 ** attempt / 2, 5);
    try {
      const response = await fetch(path, { method, body, headers: all, signal, cache: "no-store", credentials: "omit" });
      observe(response, from);
      if (response.ok) {
        if (attempt) onWaiting(null);
        response.repeated = attempt > 0;
        return response;
      }
      const text = await response.text();
      let details;
      try { details = JSON.parse(text); } catch { details = { title: texts.status(response.status) }; }
      problem = new Problem(response.status, details);
      wait = Number(response.headers.get("retry-after")) || wait;
    } catch (error) {
      if (signal?.aborted) {
        if (attempt) onWaiting(null);
        throw error;
      }
      problem = error instanceof Problem ? error : new Problem(0);
    }
    problem.repeated = attempt > 0;
    if (problem.status === 401 && ask && onUnauthorized) {
      token = await onUnauthorized(problem);
      continue;
    }
    // 429 says that nothing was done.
    const away = [0, 502, 503, 504].includes(problem.status);
    const again = problem.status === 429 || (away && repeat);
    // An index of many users takes longer, and tells how far it is.
    const isOver = Date.now() - begun + wait * 1000 > PATIENCE && problem.type !== "indexing";
    if (!again || isOver) {
      if (attempt) onWaiting(null);
      throw problem;
    }
    onWaiting(problem);
    await seconds(wait, signal).catch((reason) => {
      // Nobody waits for this any more.
      onWaiting(null);
      throw reason;
    });
  }
}

// The value of a JSON answer, and its headers.
export async function get(path, options) {
  const response = await send("GET", path, options);
  return read(response);
}

async function read(response) {
  const text = await response.text();
  const link = response.headers.get("link")?.match(/<([^>]+)>; rel="next"/)?.[1];
  const total = response.headers.get("x-total-count");
  return {
    value: text ? parse(text) : null,
    etag: response.headers.get("etag"),
    location: response.headers.get("location"),
    next: link ?? null,
    total: total === null ? null : Number(total),
  };
}

// Makes a user. With a key of its own a repeat makes no second one.
export async function createUser(profile) {
  const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  return read(await send("POST", "/users", {
    body: text(profile), type: "application/json", headers: { "idempotency-key": key }, repeat: true,
  }));
}

export async function create(path, profile) {
  return read(await send("POST", path, { body: text(profile), type: "application/json" }));
}

// An object as JSON.
export const text = (members) => "{" + Object.entries(members)
  .map(([name, value]) => `${JSON.stringify(name)}:${raw(value)}`).join() + "}";

const raw = (value) => (value instanceof Written ? value.text : JSON.stringify(value));

// Changes members of what is at the path, if it still has that entity tag, by a JSON Patch: unlike a merge patch
// it replaces attributes as a whole. Undefined removes a member.
export async function change(path, etag, members) {
  const operations = Object.entries(members).map(([name, value]) => value === undefined
    ? `{"op":"remove","path":"/${name}"}`
    : `{"op":"add","path":"/${name}","value":${raw(value)}}`);
  return read(await send("PATCH", path, {
    body: `[${operations.join()}]`, type: "application/json-patch+json", headers: { "if-match": etag },
    repeat: true,
  }));
}

export async function remove(path, etag) {
  try {
    await send("DELETE", path, { headers: etag ? { "if-match": etag } : {}, repeat: true });
  } catch (problem) {
    // The first of several may have done it.
    const gone = problem.repeated && [404, 412].includes(problem.status) &&
      await get(path).then(() => false, (now) => now.status === 404);
    if (!gone) throw problem;
  }
}

export const query = (parameters) => {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
};

// The lines of an answer of NDJSON, as values and as texts. Each answer ends with a line that has `end`.
export async function* lines(response) {
  const decoder = new TextDecoder();
  let rest = "";
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const whole = rest.split("\n");
    rest = whole.pop();
    for (const line of whole) if (line) yield line;
    if (done) {
      if (rest) yield rest;
      return;
    }
  }
}
