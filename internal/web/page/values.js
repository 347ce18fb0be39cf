// What stands between the rows of REST, which are texts, and the fields of a form.
// Pure functions.
import { visible } from "./format.js";

// settable gives the properties that a form asks for.
export const settable = (menu) => menu.properties.filter((p) => !p.readOnly);

// REST leaves an empty comment out, and secrets that nobody may see.
const leftOut = (p) => p.name === "comment" || p.sensitive;

// settableOf leaves out those that a row does not have in the state it is in.
export const settableOf = (menu, row) => settable(menu).filter((p) => !row || p.optional || leftOut(p) || row[p.name] !== undefined);

// fixed reports whether a row comes and goes by itself, so that nobody changes it.
export const fixed = (row) => row.dynamic === "true";

// readable gives the properties that the server alone decides.
export const readable = (menu) => menu.properties.filter((p) => p.readOnly);

// command finds a command that the person may run.
export const command = (menu, name) => menu.commands.find((c) => c.name === name && c.allowed);

// flagProperty is the property that a flag shows.
export const flagProperty = (flag) => flag.property ?? flag.name;

// flagsOf gives the flags of a menu that are up in a row.
export const flagsOf = (menu, row) => (menu.flags ?? []).filter((f) => row[flagProperty(f)] === "true");

// idKey is the name by which REST knows an item.
export const idKey = ".id";

// titleOf is what an item is called.
export function titleOf(menu, row) {
  const first = menu.nameKey || menu.properties.find((p) => p.required)?.name || menu.columns[0];
  return visible((first && row[first]) || row[idKey] || menu.name);
}

// unchanged stands for a secret that is left as it is: it is never shown, so that
// an empty field does not mean an empty secret.
export const unchanged = null;

// initialOf gives what the fields hold at first: of a row, of a copy of one, or of
// the defaults of a new one.
export function initialOf(menu, row) {
  const values = {};
  for (const p of settable(menu)) {
    if (row && p.sensitive) values[p.name] = unchanged;
    else if (row) values[p.name] = row[p.name] ?? "";
    else values[p.name] = p.required || p.optional ? "" : (p.default ?? "");
  }
  return values;
}

// forgotten gives the values without the secrets that were typed, once they are saved.
export const forgotten = (menu, values) => ({ ...values, ...Object.fromEntries(menu.properties.filter((p) => p.sensitive).map((p) => [p.name, unchanged])) });

// changesOf gives the object that asks for what the person changed. Nothing takes
// a value away where a property may be absent.
export function changesOf(menu, initial, values) {
  const body = {};
  for (const p of settable(menu)) {
    const value = values[p.name];
    if (value === initial[p.name] || value === unchanged) continue;
    body[p.name] = value === "" && p.optional ? null : value;
  }
  return body;
}

// The ways in which RouterOS names the property that it does not like.
const naming = [
  /argument\(s\) ([a-z0-9.,\- ]+)/, /argument ([a-z0-9.-]+)/, /value of ([a-z0-9.-]+)/, /parameter ([a-z0-9.-]+)/, /values? of ([a-z0-9.-]+)/,
];

// fieldOf finds the field among names that an error is about, or gives "". A
// sentence that names none outright may still hold the word: "secret with the same
// name already exists".
export function fieldOf(message, names) {
  for (const way of naming) {
    const said = way.exec(message)?.[1].split(/[ ,]+/) ?? [];
    const found = said.find((word) => names.includes(word));
    if (found) return found;
  }
  const words = message.split(/[^A-Za-z0-9-]+/);
  return names.find((name) => words.includes(name)) ?? "";
}

// listOf takes a set apart; a word with an exclamation mark is one that is not in it.
export const listOf = (text) => (text ? text.split(",").filter((word) => !word.startsWith("!")) : []);

// toggled gives a set with a word put in or taken out, in the order of choices.
export function toggled(text, word, choices) {
  const now = new Set(listOf(text));
  if (!now.delete(word)) now.add(word);
  return [...choices.filter((c) => now.has(c)), ...[...now].filter((c) => !choices.includes(c))].join(",");
}

// shownText is a value as a table shows it: a yes for a true, and never a secret.
export function shownText(p, row) {
  const value = row[p.name];
  if (value === undefined) return "";
  if (p.sensitive) return value === "" ? "" : "••••••";
  if (p.type.kind === "bool") return value === "true" ? "yes" : "no";
  return visible(value);
}
