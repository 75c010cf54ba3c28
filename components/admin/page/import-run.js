// An import, a few hundred lines at a time, so that it can pause and go on wherever a request ends.

import * as api from "./api.js";
import { texts } from "./texts.js";

const LINES = 250;
const CHARACTERS = 500_000;

// How many requests are sent at the same time. The store takes writes that come together at once.
const REQUESTS = 4;

// How often a line is sent at which the service failed.
const ATTEMPTS = 4;

// Sends the items. Answers the counts, with the refused items and those that were not sent; fails with a Problem that has these `counts`. Without `match` a line
// that was sent and not answered is never sent again, as it may have made its user.
export async function run(items, { match, isDry }, control, progress) {
  const counts = { done: 0, created: 0, updated: 0, unchanged: 0, refused: [] };
  const refuse = (item, reason) => {
    counts.refused.push({ item, reason });
    counts.done++;
  };
  const waiting = [];
  let isAway = false;
  for (const item of items) {
    if (item.error) refuse(item, item.error);
    else waiting.push({ item, attempts: 0 });
  }
  waiting.reverse();
  const path = `/users/import${api.query({ match, dry_run: isDry ? "true" : "" })}`;
  progress(counts);
  // External ids are not unique: two requests could make the same user twice.
  const requests = match === "external_id" ? 1 : REQUESTS;
  const ended = await Promise.allSettled(Array.from({ length: requests }, sendAll));
  tellBack();
  counts.refused.sort((one, other) => one.item.line - other.item.line);
  counts.unsent = waiting.reverse().map(({ item }) => ({ item, reason: texts.notSent }));
  const failed = ended.find(({ status }) => status === "rejected");
  if (failed) throw Object.assign(failed.reason, { counts });
  return counts;

  async function sendAll() {
    for (;;) {
      while (control.isPaused && !control.isStopped) await new Promise((changed) => { control.listeners.push(changed); });
      if (control.isStopped) return;
      const batch = take(waiting);
      if (!batch.length) return;
      try {
        await sendBatch(batch);
      } catch (problem) {
        control.change({ isStopped: true });
        throw problem;
      }
    }
  }

  async function sendBatch(batch) {
    const answered = new Set();
    let end = null;
    let failure = null;
    try {
      const response = await api.send("POST", path, {
        body: batch.map(({ item }) => `${item.text}\n`).join(""), type: "application/x-ndjson", repeat: Boolean(match),
      });
      for await (const line of api.lines(response)) {
        const result = JSON.parse(line);
        if (result.end) end = result;
        else if (note(batch[result.line - 1], result)) {
          answered.add(batch[result.line - 1]);
          progress(counts);
        }
      }
      if (!end) throw new Error("the answer broke off");
      tellBack();
    } catch (problem) {
      // A 503 as the answer to it all says that no line was read, and so does a refusal. Anything else is an answer that is lost.
      const isRefusal = problem.status >= 400 && problem.status <= 500;
      if (problem.status === 503) {
        end = { retry_after: 2 };
        isAway = true;
        api.tellWaiting(problem);
      } else if (isRefusal || (match && problem instanceof api.Problem)) failure = problem;
      else if (!match) {
        failure = new api.Problem(0);
        for (const sent of batch.filter((sent) => !answered.has(sent))) {
          refuse(sent.item, texts.notKnown);
          answered.add(sent);
        }
      }
    }
    const left = batch.filter((sent) => !answered.has(sent));
    waiting.push(...left.reverse());
    progress(counts);
    if (failure) throw failure;
    const wait = end?.retry_after ?? (end?.end === "complete" || end?.end === "time-limit" ? 0 : 1);
    if (left.length && wait) await new Promise((done) => setTimeout(done, wait * 1000));
  }

  function tellBack() {
    if (isAway) api.tellWaiting(null);
    isAway = false;
  }

  // Takes note of the result of a line. False if it has to be sent again.
  function note(sent, { status, outcome, problem }) {
    if (status < 400) {
      counts[outcome ?? "created"]++;
      counts.done++;
      return true;
    }
    sent.attempts++;
    if (status >= 500 && match && sent.attempts < ATTEMPTS) return false;
    const errors = problem?.errors?.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`).join("; ");
    refuse(sent.item, errors || problem?.detail || texts.status(status));
    return true;
  }
}

// Takes the next lines. They wait in reverse.
function take(waiting) {
  let size = 0;
  const batch = [];
  while (waiting.length && batch.length < LINES && size < CHARACTERS) {
    batch.push(waiting.pop());
    size += batch.at(-1).item.text.length;
  }
  return batch;
}
