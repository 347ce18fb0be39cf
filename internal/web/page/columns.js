// Which columns the table of a menu has, and how wide they are. Pure functions.
import { flagProperty, shownText } from "./values.js";

// What a character is as wide as, in digits: letters are narrower.
const letter = 0.9;

// How many rows a width is taken from, and its bounds in characters.
const looked = 300;
const narrowest = 6;
const widest = 44;

// columnsOf gives the properties that a menu's table shows: those of print, or all.
export function columnsOf(menu, all) {
  const flags = new Set(menu.flags.map(flagProperty));
  const plain = menu.properties.filter((p) => !flags.has(p.name) && p.name !== "comment");
  if (all) return plain;
  const chosen = menu.columns.map((name) => plain.find((p) => p.name === name)).filter(Boolean);
  return chosen.length > 0 ? chosen : plain.filter((p) => !p.stat && !p.sensitive).slice(0, 9);
}

// widthOf is how wide a column has to be, in digits.
export function widthOf(p, rows) {
  let most = Math.max(narrowest, p.name.length + 2);
  for (const row of rows.slice(0, looked)) most = Math.max(most, shownText(p, row).length);
  return letter * Math.min(most, widest);
}
