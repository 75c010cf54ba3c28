// Shows the description of the interface. Everything from it becomes text, never markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
const PLACES = ["path", "query", "header"];

// The keywords of a schema that are rules for a value by itself, as they are told.
const RULES = [
  ["const", "always"], ["enum", "one of"], ["default", "by default"], ["format", "as"],
  ["minimum", "at least"], ["maximum", "at most"], ["minLength", "characters at least"],
  ["maxLength", "characters at most"], ["maxItems", "items at most"],
];

function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content.flat(Infinity));
  return made;
}

const quiet = (...content) => element("span", { class: "quiet" }, content);
const code = (text) => element("code", {}, text);
const link = (target, ...content) => element("a", { href: target }, content);
const entries = (object) => Object.entries(object ?? {});
// A value as it stands in a header or in a query.
const plain = (value) => [value].flat().join();

// Text with code between backticks.
const phrase = (text = "") =>
  text.split("`").map((part, number) => (number % 2 ? code(part) : part));

const prose = (text) =>
  text ? text.split("\n\n").map((paragraph) => element("p", {}, phrase(paragraph))) : [];

const example = (value) =>
  element("details", {}, element("summary", {}, "Example"),
    element("pre", {}, JSON.stringify(value, null, 2)));

function page(description) {
  const { info, components } = description;
  const resolve = (value) => {
    const path = value.$ref?.slice(2).split("/");
    return path ? path.reduce((found, part) => found[part], description) : value;
  };
  const name = (value) => value.$ref?.split("/").pop();

  const operations = entries(description.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      path, method, ...item[method],
      parameters: [...(item[method].parameters ?? []), ...(item.parameters ?? [])].map(resolve)
        .sort((a, b) => PLACES.indexOf(a.in) - PLACES.indexOf(b.in)),
    })));
  const title = ({ method, path }) =>
    code([element("span", { class: "method" }, method.toUpperCase()), path]);

  function type(schema) {
    if (schema.$ref) return link("#schemas-" + name(schema), name(schema));
    const choices = (schema.anyOf ?? schema.oneOf ?? [])
      .flatMap((choice, number) => [number ? " or " : "", type(choice)]);
    return [
      [schema.type ?? []].flat().join(" or "), choices,
      schema.items ? [" of ", type(schema.items)] : [],
      RULES.filter(([keyword]) => keyword in schema)
        .map(([keyword, words]) => [", ", words, " ", code([schema[keyword]].flat().join(" "))]),
    ];
  }

  const term = (head, tail, ...body) =>
    [element("dt", {}, head, " ", quiet(tail ?? "")), element("dd", {}, body)];

  const parameter = (parameter) => term(code(parameter.name), parameter.in,
    prose(parameter.description),
    element("p", { class: "quiet" }, type(parameter.schema),
      "example" in parameter ? [", for example ", code(plain(parameter.example))] : []));

  const content = (content) => entries(content).map(([media, { schema, example: value }]) => [
    element("p", {}, code(media), ": ", type(schema)), value === undefined ? [] : example(value)]);

  const response = ([status, reference]) => {
    const { description, headers, content: body } = resolve(reference);
    const problems = Object.keys(body?.["application/problem+json"]?.examples ?? {});
    return term(status, "", prose(description),
      problems.length
        ? element("p", {}, problems.flatMap((slug) => [link("/problems/" + slug, slug), " "]))
        : content(body),
      element("p", { class: "quiet" }, "Headers: ",
        Object.keys(headers).flatMap((name) => [link("#headers-" + name, name), " "])));
  };

  const operation = (object) => element("article", { id: object.operationId },
    element("h3", {}, title(object)),
    element("p", {}, object.summary, "."), prose(object.description),
    element("h4", {}, "Parameters"), element("dl", {}, object.parameters.map(parameter)),
    object.requestBody
      ? [element("h4", {}, "Body"), content(object.requestBody.content)] : [],
    element("h4", {}, "Answers"), element("dl", {}, entries(object.responses).map(response)));

  const schema = ([name, schema]) => element("section", { id: "schemas-" + name },
    element("h3", {}, name), prose(schema.description),
    element("p", { class: "quiet" }, type(schema)),
    element("dl", {}, entries(schema.properties).map(([member, rules]) =>
      term(code(member), schema.required?.includes(member) ? "always there" : "",
        prose(rules.description), element("p", { class: "quiet" }, type(rules))))));

  const header = ([name, header]) => [element("dt", { id: "headers-" + name }, name),
    element("dd", {}, prose(header.description), quiet("example" in header ? code(plain(header.example)) : ""))];

  const tagged = (tag) => operations.filter((operation) => operation.tags.includes(tag.name));
  return [
    element("header", {}, element("h1", {}, info.title, " ", quiet(info.version)),
      prose(info.description),
      element("p", {}, "Every path has OPTIONS, and HEAD where it has GET. For programs: ",
        link("/openapi.json", "openapi.json"), ". Problems: ", link("/problems", "problems"), ".")),
    element("nav", { "aria-label": "Operations" }, description.tags.map((tag) => [
      element("h2", {}, tag.name), prose(tag.description),
      element("ul", {}, tagged(tag).map((operation) => element("li", {},
        link("#" + operation.operationId, title(operation)), " ", quiet(operation.summary))))]),
      element("p", {}, link("#schemas", "Schemas"), ", ", link("#headers", "headers"))),
    element("main", {},
      description.tags.map((tag) => [element("h2", {}, tag.name), tagged(tag).map(operation)]),
      element("h2", { id: "schemas" }, "Schemas"), entries(components.schemas).map(schema),
      element("h2", { id: "headers" }, "Headers"),
      element("dl", {}, entries(components.headers).map(header))),
  ];
}

fetch("/openapi.json")
  .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
  .then((description) => {
    document.body.replaceChildren(...page(description).flat(Infinity));
    // What the address points at was not there when the browser looked for it.
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  })
  .catch((reason) => document.body.append(element("p", { role: "alert" },
    "The description could not be read: " + reason)));
