// Which commands of a menu get a button of their own: those that tables and forms
// do not already stand for. Pure functions.

const special = (c) => c.allowed && (c.kind === "act" || c.kind === "monitor" || c.name === "import");

// The arguments that name items.
const itemArgs = ["numbers", "interface"];

// itemArg is the argument by which a command is told its items, if it has one.
const itemArg = (c) => c.args.find((a) => itemArgs.includes(a.name))?.name;

// itemCommands and menuCommands are those for one row, and for none.
export const itemCommands = (menu) => menu.commands.filter((c) => special(c) && itemArg(c));
export const menuCommands = (menu) => menu.commands.filter((c) => special(c) && !itemArg(c));

// How a command that goes on is watched is the page's matter.
const watching = ["once", "do", "interval", "duration", "as-value", "without-paging"];

// askedArgs gives the arguments that a person is asked for.
export const askedArgs = (c) => c.args.filter((a) => !itemArgs.includes(a.name) && !(c.kind === "monitor" && watching.includes(a.name)));

// bodyOf makes the object that runs a command on a row.
export function bodyOf(c, row, values) {
  const body = {};
  const item = itemArg(c);
  if (item && row) body[item] = row[".id"];
  for (const a of askedArgs(c)) {
    const value = values[a.name] ?? "";
    if (a.type ? value !== "" : value === "true") body[a.name] = a.type ? value : "";
  }
  if (c.kind === "monitor") body.once = "";
  return body;
}

// outcomeOf makes rows of pairs of what a command answered: rows, a value, or
// nothing.
export function outcomeOf(answer) {
  if (Array.isArray(answer)) return answer.map((row) => Object.entries(row).filter(([name]) => !name.startsWith(".")));
  return answer?.ret ? [[["", answer.ret]]] : [];
}
