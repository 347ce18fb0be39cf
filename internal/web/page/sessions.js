// The active sessions. The server searches, sorts and cuts, so that the page only
// ever has the rows in sight.
import { html, useCallback, useEffect, useRef, useState, useTitle } from "./ui.js";
import { get } from "./api.js";
import { disconnect, mayDrop } from "./disconnect.js";
import { count, duration, rate, visible } from "./format.js";
import { Close } from "./icons.js";
import { usePoll } from "./poll.js";
import { go, to } from "./route.js";
import { SessionDetail } from "./session-detail.js";
import { Badge, Empty, Loading, stale, Trouble } from "./state.js";
import { VirtualTable } from "./virtual-table.js";

const columns = (drop) => [
  { key: "name", title: "Name", sort: "name", cell: (s) => html`<span class="main">${visible(s.name)}${s.radius && html` <${Badge} title="let in by RADIUS">R<//>`}</span><span class="sub">${s.address}</span>` },
  { key: "address", title: "Address", sort: "address", width: "8.5rem", minor: true, class: "mono", cell: (s) => s.address },
  { key: "caller", title: "Caller", sort: "caller-id", width: "9.5rem", minor: true, extra: true, class: "mono", cell: (s) => s.callerId },
  { key: "encoding", title: "Encoding", sort: "encoding", width: "10rem", minor: true, extra: true, cell: (s) => s.encoding || html`<${Badge} kind="warn">none<//>` },
  { key: "uptime", title: "Uptime", sort: "uptime", width: "7rem", minor: true, extra: true, number: true, cell: (s) => duration(s.uptime) },
  { key: "rx", title: "Received", sort: "rx", width: "var(--rate)", number: true, cell: (s) => rate(s.rxRate) },
  { key: "tx", title: "Sent", sort: "tx", width: "var(--rate)", number: true, cell: (s) => rate(s.txRate) },
  ...(drop ? [{ key: "actions", title: html`<span class="hidden">Actions</span>`, width: "3rem", class: "actions", cell: (s) => html`<button type="button" class="icon" title="Disconnect" aria-label=${`Disconnect ${s.name}`} data-test="row-disconnect" onClick=${() => drop(s)}><${Close} /></button>` }] : []),
];

export function Sessions({ words }) {
  useTitle("Sessions");
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [sort, setSort] = useState("name");
  const [area, setArea] = useState({ from: 0, count: 60 });
  const place = useRef(null);

  useEffect(() => {
    const wait = setTimeout(() => setSearch(typed.trim()), 200);
    return () => clearTimeout(wait);
  }, [typed]);

  const { data, error, refresh } = usePoll((signal, background) => {
    const query = new URLSearchParams({ search, sort, from: area.from, count: area.count });
    return get(`sessions?${query}`, { signal, background }).then((answer) => ({ ...answer, from: area.from }));
  }, 2000, search + "\n" + sort);
  // Scrolling keeps the rows that are there while others come. A table also says what
  // it shows when it comes by itself, with the first session: no person has to be there.
  useEffect(() => refresh(true), [area]);

  const row = useCallback((i) => data?.rows[i - data.from], [data]);
  const lookAt = useCallback((from, n) => setArea({ from, count: n }), []);
  const drop = mayDrop() ? (s) => disconnect(s).then((done) => done && refresh()) : undefined;
  const open = words[0];
  const close = () => {
    go(to("sessions"));
    place.current.querySelector('tr[tabindex="0"]')?.focus();
  };
  const table = data && (data.matching > 0
    ? html`<${VirtualTable} key=${search + sort} label="Active sessions" columns=${columns(drop)} total=${data.matching} row=${row} keyOf=${(s) => s.id}
        rowClass=${(s) => (s.id === open ? "chosen" : undefined)} sort=${sort} onSort=${setSort} onWindow=${lookAt} onOpen=${(s) => go(to("sessions", s.id))} onRemove=${drop} test="sessions" />`
    : html`<${Empty} title=${search ? "No session matches." : "Nobody is connected."}>${!search && html`<p>Sessions show here as soon as a client has signed in.</p>`}<//>`);
  return html`<div class=${"view fill sessions" + (open ? " split" : "")} ref=${place}>
    <div class="bar">
      <h1>Sessions</h1>
      <span class="muted" role="status" data-test="session-count">${data ? (search ? `${count(data.matching)} of ${count(data.total)}` : count(data.total)) : ""}</span>
      <span class="gap"></span>
      <input type="search" class="find" data-search aria-label="Search sessions" placeholder="Name, address or caller  /" value=${typed} onInput=${(e) => setTyped(e.target.value)} data-test="search" />
    </div>
    ${error && !stale(error, data) && html`<${Trouble} error=${error} retry=${refresh} />`}
    ${!data && !error && html`<${Loading} what="Loading the sessions" />`}
    <div class="sides">
      ${table}
      ${open && html`<${SessionDetail} key=${open} id=${open} onClose=${close} onGone=${() => refresh(true)} />`}
    </div>
  </div>`;
}
