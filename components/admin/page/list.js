// What the lists of users and of groups have in common: a search as one types, order, pages. All of it is in the URL.

import * as api from "./api.js";
import { button, field, h, replace, scrollable } from "./dom.js";
import { texts } from "./texts.js";

const LIMIT = 50;

// How long the page waits for the next letter, in milliseconds.
const TYPING = 200;

// A search that is typed without a longer pause is one entry in the history.
const ONE_SEARCH = 1500;

// A list of one `kind`: its `title`, the labels of the table and of the search, and these functions of a query.
//
// - `request`: the path and the parameters for the service, and whether the list can be sorted.
// - `columns`: their labels, and for some the order: a parameter of the service, `sort`, up and down.
// - `row`: one that was found, in the table.
// - `count`: what is told of those that were found.
// - `controls`: shows the query in whatever else the view has.
//
// `cleared` are the parameters that do not go with a search by words.
export function list(page, search, kind) {
  let query = search;
  let asked = null;
  let typedAt = 0;
  let timer;

  const set = (changes, options) => {
    const next = Object.fromEntries(query);
    // Another question has another first page.
    if (!("after" in changes)) delete next.after;
    return page.setQuery({ ...next, ...changes }, options);
  };

  const words = h("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  words.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const again = Date.now() - typedAt < ONE_SEARCH;
      typedAt = Date.now();
      set({ ...kind.cleared, q: words.value.trim() }, { again });
    }, TYPING);
  });

  const count = h("p", { class: "quiet", role: "status" });
  const alert = h("p", { class: "error", role: "alert" });
  const head = h("thead");
  const body = h("tbody");
  const pager = h("nav", { class: "actions", "aria-label": texts.pages });
  const table = h("table", { "aria-busy": "false" }, h("caption", { class: "hidden" }, kind.title), head, body);
  const area = scrollable(kind.table, table);

  // Another page is read from its head.
  const turn = async (after, trail) => {
    await set({ after }, { state: trail && { trail } });
    area.focus({ preventScroll: true });
    area.scrollIntoView();
  };

  function controls() {
    // A blank that was typed last stays.
    const q = kind.request(query).parameters.q ?? "";
    if (words.value.trim() !== q) words.value = q;
    kind.controls?.(query);
  }

  function showHead({ sorts, parameters }) {
    const header = ({ label, sort }) => {
      const now = parameters.sort ?? "id";
      const [up, down] = sort ?? [];
      const order = now === up ? "ascending" : now === down ? "descending" : null;
      return h("th", { scope: "col", "aria-sort": sorts && order }, sort && sorts
        ? button(label, () => set({ sort: now === up ? down : up }), { class: "sort" }) : label);
    };
    // The button that was pressed is made anew.
    const focused = head.contains(document.activeElement) && document.activeElement.textContent;
    replace(head, h("tr", {}, kind.columns(query).map(header)));
    [...head.querySelectorAll("button")].find((made) => made.textContent === focused)?.focus();
  }

  async function load() {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    const wanted = kind.request(query);
    showHead(wanted);
    table.setAttribute("aria-busy", "true");
    const parameters = { ...wanted.parameters, limit: LIMIT, after: query.get("after") };
    try {
      const first = wanted.path + api.query(parameters);
      let found = await api.get(first, { signal });
      // A page may be empty and not the last one, where many are left out.
      for (let more = 0; !found.value.length && found.next && more < 20; more++) found = await api.get(found.next, { signal });
      show(found);
      alert.textContent = "";
    } catch (problem) {
      if (signal.aborted) return;
      alert.textContent = problem.message;
      replace(body);
      replace(pager);
      count.textContent = "";
    }
    table.setAttribute("aria-busy", "false");
  }

  function show(found) {
    replace(body, found.value.map((one) => kind.row(one, query)));
    const here = query.get("after") ?? "";
    count.textContent = kind.count(found, Boolean(found.next || here), query);
    const after = found.next && new URLSearchParams(found.next.split("?")[1]).get("after");
    const trail = history.state?.trail ?? [];
    replace(pager,
      here && button(texts.firstPage, () => turn("")),
      here && trail.length > 1 && button(texts.previousPage, () => turn(trail.at(-1), trail.slice(0, -1))),
      after && button(texts.nextPage, () => turn(after, [...trail, here])));
  }

  return {
    set,
    query: () => query,
    search: field(kind.search, words).element,
    results: [count, alert, area, pager],
    // The view, once its first page is there.
    async open(element) {
      const update = async (next) => {
        query = next;
        controls();
        await load();
      };
      await update(search);
      return { title: kind.title, element, update, close: () => { clearTimeout(timer); asked?.abort(); } };
    },
  };
}
