// The table of a menu's items, with what can be done with them.
import { html, useCallback, useMemo, useState } from "./ui.js";
import { del, get, post, restPath } from "./api.js";
import { columnsOf, widthOf } from "./columns.js";
import { Commands } from "./command.js";
import { menuCommands } from "./commands.js";
import { ask, tell } from "./dialog.js";
import { compare, count, visible } from "./format.js";
import { Close, Down, Pause, Play, Up } from "./icons.js";
import { ItemForm } from "./item-form.js";
import { usePoll } from "./poll.js";
import { Badge, Empty, Loading, stale, Trouble } from "./state.js";
import { command, fixed, flagsOf, idKey, shownText, titleOf } from "./values.js";
import { VirtualTable } from "./virtual-table.js";

// A long table is asked for again more rarely: each time it comes whole.
const often = 3000;
const rarely = 30_000;
const long = 1000;
const period = (rows) => (rows.length > long ? rarely : often);

// useActs gives what the person may do with rows. Each tells how it went, and looks
// at the table again.
function useActs(menu, rows, refresh) {
  return useMemo(() => {
    const run = async (act, said) => {
      try {
        await act();
        tell(said);
        return true;
      } catch (err) {
        tell(err.message, "bad");
        return false;
      } finally {
        refresh();
      }
    };
    const acts = {};
    if (command(menu, "enable") && command(menu, "disable")) {
      acts.toggle = (row) => {
        const name = row.disabled === "true" ? "enable" : "disable";
        return row.disabled !== undefined && !fixed(row) && { word: name === "enable" ? "Enable" : "Disable", run: () => run(() => post(restPath(menu, name), { numbers: row[idKey] }), `${titleOf(menu, row)} was ${name}d.`) };
      };
    }
    if (command(menu, "remove")) {
      acts.remove = async (row) => {
        const title = titleOf(menu, row);
        const yes = await ask({ title: "Remove this item?", text: `${title} of ${menu.path} is gone then. There is no way back.`, action: "Remove", danger: true });
        return yes && run(() => del(restPath(menu, row[idKey])), `${title} was removed.`);
      };
    }
    if (menu.ordered && command(menu, "move")) {
      const at = (row) => rows.findIndex((r) => r[idKey] === row[idKey]);
      const move = (row, before) => run(() => post(restPath(menu, "move"), { numbers: row[idKey], ...(before && { destination: before[idKey] }) }), `${titleOf(menu, row)} was moved.`);
      acts.up = (row) => at(row) > 0 && (() => move(row, rows[at(row) - 1]));
      acts.down = (row) => at(row) < rows.length - 1 && (() => move(row, rows[at(row) + 2]));
    }
    return acts;
  }, [menu, rows, refresh]);
}

function RowActs({ menu, row, acts }) {
  const title = titleOf(menu, row);
  const button = (word, Sign, run, test) => html`<button key=${word} type="button" class="icon" title=${word} aria-label=${`${word} ${title}`} disabled=${!run} data-test=${test} onClick=${run || undefined}><${Sign} /></button>`;
  const toggle = acts.toggle?.(row);
  return html`<span class="acts">
    ${acts.up && [button("Move up", Up, acts.up(row), "row-up"), button("Move down", Down, acts.down(row), "row-down")]}
    ${toggle && button(toggle.word, toggle.word === "Enable" ? Play : Pause, toggle.run, "row-toggle")}
    ${acts.remove && !fixed(row) && button("Remove", Close, () => acts.remove(row), "row-remove")}
  </span>`;
}

function columnsFor(menu, rows, all, acts) {
  const shown = columnsOf(menu, all);
  const columns = shown.map((p) => ({
    key: p.name, title: p.name, sort: p.sensitive ? undefined : p.name, number: p.type.kind === "number" && !p.type.choices, class: ["address", "prefix", "time", "list"].includes(p.type.kind) ? "mono" : "",
    width: `calc(${widthOf(p, rows)}ch + 1.4rem)`, digits: widthOf(p, rows), cell: (row) => shownText(p, row),
  }));
  if (rows.some((row) => flagsOf(menu, row).length > 0)) columns.unshift({ key: "flags", title: html`<span class="hidden">Flags</span>`, width: "3.6rem", digits: 4, class: "flags", cell: (row) => flagsOf(menu, row).map((f) => html`<${Badge} key=${f.letter} kind=${"flag " + f.name} title=${f.name}>${f.letter}<//>`) });
  if (menu.properties.some((p) => p.name === "comment") && rows.some((r) => r.comment)) columns.push({ key: "comment", title: "comment", sort: "comment", digits: 18, class: "comment", cell: (row) => visible(row.comment ?? "") });
  else delete columns.findLast((c) => !c.number)?.width; // one takes the room that is left
  const buttons = (acts.toggle ? 1 : 0) + (acts.remove ? 1 : 0) + (acts.up ? 2 : 0);
  if (buttons > 0) columns.push({ key: "actions", title: html`<span class="hidden">Actions</span>`, width: `${buttons * 2 + 0.9}rem`, digits: buttons * 4, minor: true, class: "actions", cell: (row) => html`<${RowActs} menu=${menu} row=${row} acts=${acts} />` });
  return columns;
}

// arranged gives the rows that hold the text, in the chosen order.
function arranged(rows, search, sort, menu) {
  const needle = search.trim().toLowerCase();
  const texts = menu.properties.filter((p) => !p.sensitive);
  const found = needle === "" ? rows : rows.filter((row) => texts.some((p) => shownText(p, row).toLowerCase().includes(needle)));
  if (!sort) return found;
  const down = sort.startsWith("-");
  const key = down ? sort.slice(1) : sort;
  return [...found].sort((a, b) => (down ? compare(b[key], a[key]) : compare(a[key], b[key])));
}

export function MenuTable({ menu, head, below }) {
  const [search, setSearch] = useState("");
  const [sort, setSort] = useState("");
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState(null); // { id } of the item in the drawer, or { copyFrom }
  const { data, error, refresh } = usePoll((signal, background) => get(restPath(menu), { signal, background }), period, menu.path);
  const rows = data ?? [];
  const acts = useActs(menu, rows, refresh);
  const list = useMemo(() => arranged(rows, search, sort, menu), [data, search, sort]);
  const columns = useMemo(() => columnsFor(menu, rows, all, sort || search ? { ...acts, up: undefined, down: undefined } : acts), [data, all, acts, sort, search]);
  const row = useCallback((i) => list[i], [list]);
  const shown = open?.id !== undefined ? rows.find((r) => r[idKey] === open.id) : undefined;
  const mayAdd = command(menu, "add");

  return html`<div class="view fill">
    <div class="bar">
      ${head}
      <span class="muted" role="status" data-test="count">${data ? (search ? `${count(list.length)} of ${count(rows.length)}` : `${count(rows.length)} ${rows.length === 1 ? "item" : "items"}`) : ""}</span>
      <span class="gap"></span>
      <${Commands} menu=${menu} list=${menuCommands(menu)} onDone=${refresh} />
      <label class="check"><input type="checkbox" checked=${all} onChange=${(e) => setAll(e.target.checked)} data-test="all-columns" /> All columns</label>
      <input type="search" class="find" data-search aria-label=${`Search ${menu.path}`} placeholder="Search  /" value=${search} onInput=${(e) => setSearch(e.target.value)} data-test="search" />
      ${mayAdd && html`<button type="button" class="primary" data-test="add" onClick=${() => setOpen({ copyFrom: null })}>Add</button>`}
    </div>
    ${below}
    ${error && !stale(error, data) && html`<${Trouble} error=${error} retry=${refresh} />`}
    ${!data && !error && html`<${Loading} />`}
    ${data && (list.length > 0
      ? html`<${VirtualTable} key=${String(all)} label=${menu.path} columns=${columns} total=${list.length} row=${row} keyOf=${(r) => r[idKey]}
          rowClass=${(r) => (r.disabled === "true" ? "off" : r.invalid === "true" ? "invalid" : undefined)} sort=${sort} onSort=${setSort} onOpen=${(r) => setOpen({ id: r[idKey] })}
          onRemove=${acts.remove} minWidth=${`calc(${columns.reduce((n, c) => n + c.digits, 0)}ch + ${columns.length * 1.4}rem)`} test="items" />`
      : html`<${Empty} title=${search ? "Nothing matches." : `There is no ${menu.noun || "item"} yet.`}>${!search && mayAdd && html`<p><button type="button" onClick=${() => setOpen({ copyFrom: null })}>Add one</button></p>`}<//>`)}
    ${open && (shown || open.id === undefined) && html`<${ItemForm} key=${open.id ?? "new"} menu=${menu} row=${shown} copyFrom=${open.copyFrom} acts=${acts}
      onClose=${() => setOpen(null)} onDone=${refresh} onCopy=${mayAdd && shown && (() => setOpen({ copyFrom: shown }))} />`}
  </div>`;
}
