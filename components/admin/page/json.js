// JSON whose numbers stay as they are written. A 64-bit integer is more than a number of JavaScript holds, so
// it is kept as its text where the browser can do that (JSON.rawJSON).

const keep = (key, value, context) =>
  typeof value === "number" && context?.source !== undefined && JSON.rawJSON &&
    String(value) !== context.source ? JSON.rawJSON(context.source) : value;

// JSON that a person wrote: it is sent as it is written.
export class Written {
  constructor(text) { this.text = text; }
}

export const parse = (text) => JSON.parse(text, keep);

export const pretty = (value) => JSON.stringify(value, null, 2);

export const isObject = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !JSON.isRawJSON?.(value);

// Whether two values are the same JSON, whatever the order of members.
export const same = (one, other) => canonical(one) === canonical(other);

const canonical = (value) => JSON.stringify(value, (key, value) =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value);
