// The overview: what the service tells at little cost. What it doesn't is counted only if somebody asks for it.

import * as api from "./api.js";
import { button, h, replace, scrollable, svg } from "./dom.js";
import { parse } from "./json.js";
import { texts } from "./texts.js";

const DAYS = 30;
const DAY = 24 * 3600 * 1000;

// The pages of a thousand users that are read without being asked for.
const PAGES = 5;

// A directory of so few is counted at once.
const FEW = 2000;

export async function overview() {
  const [users, groups, root] = await Promise.all([
    api.get("/users?limit=1&fields=id"), api.get("/groups?limit=1000"), api.get("/")]);
  const figures = h("dl", { class: "figures" });
  let active = null;
  const showFigures = () => replace(figures,
    figure(texts.users, texts.number(users.total)),
    figure(texts.groups, groups.next ? texts.orMore(groups.value.length) : texts.number(groups.value.length)),
    figure(texts.onlyActive, active === null ? texts.notCounted : texts.number(active)),
    figure(texts.onlyInactive, active === null ? texts.notCounted : texts.number(counted - active)));
  let counted = 0;
  const count = button(texts.count(users.total), async () => {
    count.disabled = true;
    try {
      [counted, active] = await countActive((read) => { count.textContent = texts.read(read); });
      count.remove();
      showFigures();
    } catch (problem) {
      count.disabled = false;
      count.textContent = problem.message;
    }
  });
  showFigures();
  if (users.total <= FEW) count.click();

  const plot = h("div");
  const days = new Days();
  const showPlot = () => replace(plot, days.plot(), !days.isWhole && h("p", {}, texts.onlyNewest(days.count),
    " ", button(texts.readOn, async () => {
      await days.read(PAGES);
      showPlot();
    })));
  await days.read(PAGES);
  showPlot();

  const timing = h("div");
  const showTiming = () => replace(timing, timings());
  showTiming();
  const timer = setInterval(showTiming, 2000);
  const element = h("div", {}, h("h1", { tabindex: "-1" }, texts.overview), figures, count.isConnected || users.total > FEW ? count : null,
    h("h2", {}, texts.createdByDay), plot,
    h("h2", {}, texts.timing), h("p", { class: "quiet" }, texts.timingHint), timing,
    h("h2", {}, texts.versions),
    h("dl", { class: "facts" },
      h("dt", {}, texts.service), h("dd", {}, `${root.value.service} ${root.value.version}`),
      h("dt", {}, texts.thisPage), h("dd", {}, document.querySelector("meta[name=version]").content)));
  return { title: texts.overview, element, close: () => clearInterval(timer) };
}

const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

// Reads everybody, as the service has no such count.
async function countActive(progress) {
  let [all, active] = [0, 0];
  let next = "/users/export?fields=id,active";
  while (next) {
    const response = await api.send("GET", next);
    next = null;
    for await (const line of api.lines(response)) {
      const value = parse(line);
      if (value.problem) throw new api.Problem(value.problem.status, value.problem);
      if (value.end) next = value.next ?? null;
      else {
        all++;
        if (value.active) active++;
        if (all % 1000 === 0) progress(all);
      }
    }
  }
  return [all, active];
}

// How many users were created on each of the last days, in UTC.
class Days {
  constructor() {
    const today = Math.floor(Date.now() / DAY);
    this.first = today - DAYS + 1;
    this.counts = new Array(DAYS).fill(0);
    this.count = 0;
    this.next = "/users?sort=-id&limit=1000&fields=id,created_at";
    this.isWhole = false;
  }

  // Reads users, the newest first, until they are older.
  async read(pages) {
    for (let page = 0; page < pages && this.next; page++) {
      const { value, next } = await api.get(this.next);
      this.next = next;
      for (const user of value) {
        const day = Math.floor(Date.parse(user.created_at) / DAY) - this.first;
        if (day < 0) this.next = null;
        else if (day < DAYS) this.counts[day]++;
        this.count++;
      }
    }
    this.isWhole = !this.next;
  }

  date(index) {
    return new Date((this.first + index) * DAY).toISOString().slice(0, 10);
  }

  plot() {
    const [width, height, left, bottom] = [720, 200, 48, 24];
    const most = Math.max(1, ...this.counts);
    const step = (width - left) / DAYS;
    const bars = this.counts.map((count, index) => {
      const tall = (count / most) * (height - bottom - 12);
      return svg("rect", { x: left + index * step + 2, y: height - bottom - tall, width: step - 4, height: tall },
        svg("title", {}, texts.onDay(this.date(index), count)));
    });
    const label = (text, x, y, anchor) => svg("text", { x, y, "text-anchor": anchor }, text);
    const sum = this.counts.reduce((one, other) => one + other, 0);
    return h("figure", {},
      svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": texts.plot(sum, DAYS, most) },
        svg("line", { x1: left, y1: height - bottom, x2: width, y2: height - bottom }), bars,
        label(texts.number(most), left - 6, 20, "end"), label("0", left - 6, height - bottom, "end"),
        label(this.date(0), left, height - 6, "start"), label(this.date(DAYS - 1), width, height - 6, "end")),
      h("details", {}, h("summary", {}, texts.asTable),
        scrollable(texts.createdByDay, h("table", { class: "numbers" }, h("caption", { class: "hidden" }, texts.createdByDay),
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, texts.day), h("th", { scope: "col" }, texts.created_))),
          h("tbody", {}, this.counts.map((count, index) => h("tr", {}, h("th", { scope: "row" }, this.date(index)), h("td", {}, texts.number(count)))).reverse())))));
  }
}

// What this tab has waited for.
function timings() {
  const rows = [["latency", texts.latency], ["component", texts.inComponent], ["store", texts.inStore]].map(([name, label]) => {
    const times = api.seen.map((one) => one[name]).filter(Number.isFinite).sort((one, other) => one - other);
    const at = (share) => (times.length ? texts.milliseconds(times[Math.min(times.length - 1, Math.floor(times.length * share))]) : "–");
    return h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, at(0.5)), h("td", {}, at(0.95)), h("td", {}, at(1)));
  });
  const minute = api.seen.filter((one) => one.at > performance.now() - 60_000).length;
  return [h("p", {}, texts.throughput(minute, api.seen.length)),
    scrollable(texts.timing, h("table", { class: "numbers" }, h("caption", { class: "hidden" }, texts.timing),
      h("thead", {}, h("tr", {}, h("td"), [texts.median, texts.p95, texts.longest].map((label) => h("th", { scope: "col" }, label)))),
      h("tbody", {}, rows)))];
}
