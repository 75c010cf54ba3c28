// Users from a file: what its columns are, a dry run, the import itself, and a file of what was refused.

import * as api from "./api.js";
import { append, button, download, field, h, replace, scrollable, select, tell } from "./dom.js";
import { MARK, plain, row } from "./csv.js";
import { guess, readFile, targets } from "./import-file.js";
import { run } from "./import-run.js";
import { texts } from "./texts.js";

const SHOWN_REFUSALS = 100;

export async function importing() {
  let file = null;
  let running = null;
  const chooser = field(texts.file, h("input", { type: "file", accept: ".csv,.ndjson,.jsonl,.txt,text/csv,application/x-ndjson" }), { hint: texts.fileHint });
  const match = field(texts.match, select(texts.matches, "email"), { hint: texts.matchHint });
  const mapping = h("div");
  const alert = h("p", { class: "error", role: "alert" });
  const outcome = h("div");
  let choices = [];
  let fault = null;

  chooser.control.addEventListener("change", async () => {
    chooser.fail(null);
    alert.textContent = "";
    replace(outcome);
    [file, fault] = [null, null];
    try {
      const [chosen] = chooser.control.files;
      if (chosen) file = await readFile(chosen);
    } catch (error) {
      fault = error.message;
      chooser.fail(fault);
    }
    showMapping();
  });

  function showMapping() {
    choices = [];
    if (!file) return replace(mapping);
    if (!file.header) return replace(mapping, h("p", {}, texts.linesOf(file.name, file.rows.length)));
    replace(mapping, h("p", {}, texts.linesOf(file.name, file.rows.length)),
      scrollable(texts.columnsOfFile, h("table", {}, h("caption", {}, texts.columnsOfFile),
          h("thead", {}, h("tr", {}, [texts.column_, texts.example, texts.goesTo].map((label) => h("th", { scope: "col" }, label)))),
          h("tbody", {}, file.header.map((name, index) => {
            const choice = select(targets(name), guess(name), { "aria-label": texts.goesToOf(name) });
            choices.push(choice);
            return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, file.rows[0]?.cells[index]), h("td", {}, choice));
          })))));
    const columns = choices.map((choice) => choice.value);
    match.control.value = texts.matches.map(([member]) => member).find((member) => !member || columns.includes(member));
  }

  async function start(isDry) {
    alert.textContent = "";
    tell(null);
    if (!file) {
      chooser.fail(fault ?? texts.chooseFile);
      chooser.control.focus();
      return;
    }
    const member = match.control.value;
    const columns = choices.map((choice) => choice.value);
    const twice = columns.find((target, index) => target && columns.indexOf(target) !== index);
    if (twice) return fail(texts.twoColumns(twice));
    if (file.header && !columns.includes(member || "name")) return fail(texts.noColumnFor(member || "name"));

    const items = file.items(columns);
    const control = {
      isPaused: false, isStopped: false, listeners: [],
      change(changes) {
        Object.assign(control, changes);
        for (const listener of control.listeners.splice(0)) listener();
      },
    };
    const bar = h("progress", { max: items.length, value: 0, "aria-label": texts.progress });
    // Not a status: a screen reader would never stop. It reads the bar if asked to, and is told of the end.
    const figures = h("p");
    const pause = button(texts.pause, () => {
      control.change({ isPaused: !control.isPaused });
      pause.textContent = control.isPaused ? texts.goOn : texts.pause;
    });
    const stop = button(texts.stop, () => control.change({ isStopped: true }));
    const buttons = h("div", { class: "actions" }, pause, stop);
    replace(outcome, h("h2", {}, isDry ? texts.dryRun : texts.importRuns), bar, figures, buttons);
    running = control;
    for (const one of [dry, real]) one.disabled = true;
    let done;
    try {
      done = await run(items, { match: member, isDry }, control, (counts) => {
        bar.value = counts.done;
        figures.textContent = texts.counts(counts, items.length, isDry);
      });
    } catch (problem) {
      alert.textContent = problem.message;
      done = problem.counts;
    }
    running = null;
    for (const one of [dry, real]) one.disabled = false;
    buttons.remove();
    if (done) showRefused(done, isDry);
    tell(control.isStopped ? texts.stopped : isDry ? texts.dryRunDone : texts.importDone);
  }

  function fail(message) {
    alert.textContent = message;
  }

  function showRefused(counts, isDry) {
    const refused = [...counts.refused, ...counts.unsent];
    if (!refused.length) return;
    append(outcome, scrollable(texts.refusedLines, h("table", {}, h("caption", {}, isDry ? texts.wouldBeRefused : texts.refusedLines),
        h("thead", {}, h("tr", {}, [texts.line, texts.reason].map((label) => h("th", { scope: "col" }, label)))),
        h("tbody", {}, refused.slice(0, SHOWN_REFUSALS).map(({ item, reason }) =>
          h("tr", {}, h("td", {}, String(item.line)), h("td", {}, reason)))))),
    refused.length > SHOWN_REFUSALS && h("p", {}, texts.firstOf(SHOWN_REFUSALS, refused.length)),
    button(texts.downloadRefused, () => {
      const head = file.header ?? ["user"];
      download("refused.csv", "text/csv", [MARK, row(["line", "reason", ...head]),
        ...refused.map(({ item, reason }) => row([String(item.line), reason, ...item.cells.map(plain)]))]);
    }));
  }

  const dry = button(texts.tryIt, () => start(true));
  const real = button(texts.import, () => start(false), { class: "main" });
  const element = h("div", {}, h("h1", { tabindex: "-1" }, texts.importTitle),
    chooser.element, mapping, match.element, alert, h("div", { class: "actions" }, dry, real), outcome);
  return {
    title: texts.importTitle, element, isDirty: () => running !== null,
    close: () => running?.change({ isStopped: true }),
  };
}
