// Elements of the page. Every text becomes a text node, never markup: nothing here takes HTML.

// Makes an element. Attributes that begin with "on" are listeners; true is an attribute without a
// value; null, undefined and false are left out, as children too.
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  return fill(made, attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

const present = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

export function replace(element, ...children) {
  element.replaceChildren(...present(children));
}

export function append(element, ...children) {
  element.append(...present(children));
}

// A table that may be wider than the screen. It scrolls by keyboard, too.
export const scrollable = (label, table) =>
  h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label }, table);

let count = 0;
export const newId = () => `e${++count}`;

// A label and its control, with a place for what is wrong with it.
export function field(label, control, { hint } = {}) {
  control.id ||= newId();
  const error = h("p", { class: "error", id: newId() });
  const told = hint && h("p", { class: "hint", id: newId() }, hint);
  control.setAttribute("aria-describedby", [told?.id, error.id].filter(Boolean).join(" "));
  const isBox = control.type === "checkbox";
  const name = h("label", { for: control.id }, label);
  const element = h("div", { class: isBox ? "field box" : "field" },
    isBox ? [control, name] : [name, control], told, error);
  return {
    element, control,
    fail(message) {
      error.textContent = message ?? "";
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

export const button = (label, onclick, attributes = {}) =>
  h("button", { type: "button", onclick, ...attributes }, label);

// A choice: options are pairs of a value and a text.
export function select(options, value, attributes = {}) {
  return h("select", { ...attributes },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
}

// Shows a dialog over the page, until `close` is called with its outcome, which is undefined if
// somebody leaves it by Escape.
export function dialog(title, content) {
  return new Promise((resolve) => {
    const heading = h("h2", { id: newId() }, title);
    const element = h("dialog", { "aria-labelledby": heading.id }, heading);
    // Not all that read a page know that the rest of it is out of reach.
    const rest = [...document.body.children].filter((one) => !one.ariaHidden);
    const hide = (isHidden) => rest.forEach((one) => { one.ariaHidden = isHidden; });
    let outcome;
    const close = (value) => {
      outcome = value;
      // First, as the focus goes back there.
      hide(null);
      element.close();
    };
    element.addEventListener("cancel", () => hide(null));
    element.append(...present([content(close)]));
    element.addEventListener("close", () => {
      hide(null);
      element.remove();
      resolve(outcome);
    });
    document.body.append(element);
    element.showModal();
    hide("true");
  });
}

// Hands a file to the person. Its parts may be many: a browser keeps large ones on the disk.
export function download(name, type, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// Tells people what happened, screen readers too.
export function tell(message, ...more) {
  replace(status, message && h("p", {}, message, more));
}

const status = h("div", { id: "status", role: "status" });
export const statusElement = () => status;
