// An import, a few hundred lines at a time, so that it can pause and go on wherever a request ends.

import * as api from "./api.js";
import { texts } from "./texts.js";

const LINES = 250;
const CHARACTERS = 500_000;

// How often a line is sent at which the service failed.
const ATTEMPTS = 4;

// Sends the items. Answers the counts and the refused items; fails with a Problem that has the `counts` so far. Without `match` a line
// that was sent and not answered is never sent again, as it may have made its user.
export async function run(items, { match, isDry }, control, progress) {
  const counts = { done: 0, created: 0, updated: 0, unchanged: 0, refused: [] };
  const refuse = (item, reason) => {
    counts.refused.push({ item, reason });
    counts.done++;
  };
  let waiting = [];
  for (const item of items) {
    if (item.error) refuse(item, item.error);
    else waiting.push({ item, attempts: 0 });
  }
  const path = `/users/import${api.query({ match, dry_run: isDry ? "true" : "" })}`;
  progress(counts);
  while (waiting.length && !control.isStopped) {
    while (control.isPaused && !control.isStopped) await new Promise((changed) => { control.changed = changed; });
    if (control.isStopped) break;
    const batch = take(waiting);
    const answered = new Set();
    let end = null;
    try {
      const response = await api.send("POST", path, {
        body: batch.map(({ item }) => `${item.text}\n`).join(""), type: "application/x-ndjson", repeat: Boolean(match),
      });
      for await (const line of api.lines(response)) {
        const result = JSON.parse(line);
        if (result.end) {
          end = result;
          continue;
        }
        const sent = batch[result.line - 1];
        if (!note(sent, result)) continue;
        answered.add(sent);
        progress(counts);
      }
    } catch (problem) {
      // A 503 as the answer to it all says that no line was read.
      if (problem instanceof api.Problem && problem.status !== 503) {
        const isLost = problem.status === 0 || problem.status > 500;
        if (!isLost || match) throw Object.assign(problem, { counts });
        end = null;
      } else if (problem instanceof api.Problem) end = { retry_after: 2 };
    }
    const left = batch.filter((sent) => !answered.has(sent));
    if (!match && !end) {
      for (const { item } of left) refuse(item, texts.notKnown);
    } else waiting = [...left, ...waiting.slice(batch.length)];
    if (!match && !end) waiting = waiting.slice(batch.length);
    progress(counts);
    const wait = end?.retry_after ?? (end?.end === "complete" || end?.end === "time-limit" ? 0 : 1);
    if (left.length && wait) await new Promise((done) => setTimeout(done, wait * 1000));
  }
  return counts;

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

function take(waiting) {
  let size = 0;
  const batch = [];
  for (const sent of waiting) {
    size += sent.item.text.length;
    if (batch.length === LINES || (batch.length && size > CHARACTERS)) break;
    batch.push(sent);
  }
  return batch;
}
