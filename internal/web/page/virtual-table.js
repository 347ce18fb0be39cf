// A table of which only the rows in sight exist, so that ten thousand cost as
// much as thirty. It does not know where rows come from: row(i) gives one, or
// undefined for one that is on its way, and onWindow tells which are looked at.
import { html, useCallback, useEffect, useLayoutEffect, useRef, useState } from "./ui.js";

// Rows above and below those in sight, so that scrolling shows no gap at once. The
// table is also drawn anew only each time that so many have gone by.
const spare = 8;

// heightOf reads the height of rows, which the style sheet decides on.
const heightOf = (box) => parseFloat(getComputedStyle(box).getPropertyValue("--row")) || 32;

// A column is { key, title, width, number, minor, extra, sort, cell(item) }. Minor
// ones are left out on a narrow screen, extra ones beside a detail; sort is the key
// of an order, if there is one.
export function VirtualTable({ label, columns, total, row, keyOf, rowClass, sort, onSort, onOpen, onRemove, onWindow, minWidth, test }) {
  const box = useRef(null);
  const [area, setArea] = useState({ from: 0, count: 40, height: 32 });
  const [active, setActive] = useState(0);
  const focusWanted = useRef(false);

  const measure = useCallback(() => {
    const height = heightOf(box.current);
    const from = Math.max(0, (Math.floor(box.current.scrollTop / height / spare) - 1) * spare);
    const count = Math.ceil(box.current.clientHeight / height) + 3 * spare;
    setArea((old) => (old.from === from && old.count === count && old.height === height ? old : { from, count, height }));
  }, []);

  useLayoutEffect(() => {
    const size = new ResizeObserver(measure);
    size.observe(box.current);
    return () => size.disconnect();
  }, []);

  useEffect(() => onWindow?.(area.from, area.count), [area.from, area.count]);

  const to = Math.min(total, area.from + area.count);
  const from = Math.min(area.from, to);
  const current = Math.min(Math.max(active, from), Math.max(from, to - 1));

  useLayoutEffect(() => {
    if (!focusWanted.current) return;
    focusWanted.current = false;
    box.current.querySelector(`tr[data-index="${active}"]`)?.focus();
  });

  const move = (index) => {
    const next = Math.max(0, Math.min(total - 1, index));
    const head = box.current.querySelector("thead").offsetHeight;
    const top = next * area.height;
    const seen = box.current.clientHeight - head;
    if (top < box.current.scrollTop) box.current.scrollTop = top;
    else if (top + area.height > box.current.scrollTop + seen) box.current.scrollTop = top + area.height - seen;
    focusWanted.current = true;
    setActive(next);
    measure();
  };

  const keys = (event) => {
    const tr = event.target.closest("tr[data-index]");
    if (!tr || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(tr.dataset.index);
    const page = Math.max(1, area.count - 3 * spare - 2);
    const steps = { ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: total - 1 };
    const item = row(index);
    if (event.key in steps) move(steps[event.key]);
    else if (event.target !== tr) return; // a button of the row has its own keys
    else if (event.key === "Enter" && onOpen && item) onOpen(item, index);
    else if (event.key === "Delete" && onRemove && item) onRemove(item, index);
    else return;
    event.preventDefault();
  };

  const click = (event) => {
    const tr = event.target.closest("tr[data-index]");
    if (!tr || event.target.closest("button, a, input")) return;
    const index = Number(tr.dataset.index);
    setActive(index);
    // Who drags over a text wants to copy it.
    if (onOpen && row(index) && getSelection().isCollapsed) onOpen(row(index), index);
  };

  const rows = [];
  for (let i = from; i < to; i++) {
    const item = row(i);
    // By its place: the focus stays when the row comes that there was a gap for.
    rows.push(html`<tr key=${i} data-index=${i} aria-rowindex=${i + 2} data-id=${item && keyOf(item)}
      tabindex=${i === current ? 0 : -1} class=${item === undefined ? "gap" : rowClass?.(item)}>
      ${columns.map((c) => html`<td key=${c.key} data-column=${c.key} class=${cellClass(c)}>${item === undefined ? "…" : c.cell(item)}</td>`)}
    </tr>`);
  }
  const heading = (c) => {
    const down = sort === "-" + c.sort;
    const up = sort === c.sort;
    if (!c.sort || !onSort) return html`<th key=${c.key} scope="col" class=${headClass(c)}>${c.title}</th>`;
    return html`<th key=${c.key} scope="col" class=${headClass(c)} aria-sort=${up ? "ascending" : down ? "descending" : "none"}>
      <button type="button" class="sort" data-sort=${c.sort} onClick=${() => onSort(up ? "-" + c.sort : c.sort)}>${c.title}<span aria-hidden="true">${up ? " ▲" : down ? " ▼" : ""}</span></button>
    </th>`;
  };
  return html`<div class="grid" ref=${box} onScroll=${measure} data-test=${test}>
    <table aria-label=${label} aria-rowcount=${total + 1} onKeyDown=${keys} onClick=${click} class=${onOpen ? "opens" : ""} style=${{ minWidth: minWidth ?? "0" }}>
      <colgroup>${columns.map((c) => html`<col key=${c.key} class=${headClass(c)} style=${{ width: c.width ?? "auto" }} />`)}</colgroup>
      <thead><tr aria-rowindex="1">${columns.map(heading)}</tr></thead>
      <tbody>
        ${from > 0 && html`<tr key="above" class="space" aria-hidden="true" style=${{ height: `${from * area.height}px` }}></tr>`}
        ${rows}
        ${to < total && html`<tr key="below" class="space" aria-hidden="true" style=${{ height: `${(total - to) * area.height}px` }}></tr>`}
      </tbody>
    </table>
  </div>`;
}

const headClass = (c) => [c.number && "number", c.minor && "minor", c.extra && "extra", c.key === "actions" && "actions"].filter(Boolean).join(" ") || undefined;
const cellClass = (c) => [headClass(c), c.class].filter(Boolean).join(" ") || undefined;
