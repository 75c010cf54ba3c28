// Files of comma-separated values (RFC 4180).

// A spreadsheet runs a cell that begins so as a formula. With an apostrophe before it, it is a text. Reading takes the
// apostrophe away again, so that what was exported comes back as it was.
const RUNS = /^'*[=+\-@＝＋－＠\t\r]/;
const DEFUSED = /^'+[=+\-@＝＋－＠\t\r]/;

export const defused = (text) => (RUNS.test(text) ? `'${text}` : text);
export const plain = (text) => (DEFUSED.test(text) ? text.slice(1) : text);

const cell = (value) => {
  const text = defused(value ?? "");
  return /[",\r\n;]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
};

export const row = (cells) => `${cells.map(cell).join()}\r\n`;

// With this before it a spreadsheet knows that a file is UTF-8.
export const MARK = "\u{feff}";

// The sign between the cells: the most frequent one in the first line, outside of quotes.
export function delimiter(text) {
  const first = text.replace(/"[^"]*"/g, "").split(/\r?\n/, 1)[0];
  const count = (sign) => first.split(sign).length;
  return [",", ";", "\t"].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

// The rows of a text: for each its first line, counted from 1, and its cells. Empty lines are no rows. Fails if a quote is not
// closed, with the line where it begins.
export function* rows(text, separator = delimiter(text)) {
  let position = text.startsWith(MARK) ? 1 : 0;
  let line = 1;
  while (position < text.length) {
    const begin = line;
    const cells = [];
    for (;;) {
      let value = "";
      if (text[position] === '"') {
        for (;;) {
          const end = text.indexOf('"', position + 1);
          if (end < 0) throw new UnclosedQuote(begin);
          value += text.slice(position + 1, end);
          position = end + 1;
          if (text[position] !== '"') break;
          value += '"';
        }
        line += value.split("\n").length - 1;
      }
      const end = next(text, position, separator);
      value += text.slice(position, end);
      position = end;
      cells.push(value);
      if (text[position] !== separator) break;
      position++;
    }
    if (text[position] === "\r") position++;
    if (text[position] === "\n") position++;
    line++;
    if (cells.length > 1 || cells[0].trim()) yield { line: begin, cells };
  }
}

function next(text, from, separator) {
  for (let at = from; at < text.length; at++) {
    const sign = text[at];
    if (sign === separator || sign === "\n" || sign === "\r") return at;
  }
  return text.length;
}

export class UnclosedQuote extends Error {
  constructor(line) {
    super(`line ${line}`);
    this.line = line;
  }
}
