// One session, watched each second while it is open.
import { html, useEffect, useLayoutEffect, useMemo, useRef } from "./ui.js";
import { APIError, get } from "./api.js";
import { disconnect, mayDrop } from "./disconnect.js";
import { bytes, duration, rate, visible } from "./format.js";
import { Close } from "./icons.js";
import { Plot, traffic } from "./plot.js";
import { usePoll } from "./poll.js";
import { Badge, Loading, Trouble } from "./state.js";

// How many looks the plot keeps, one each second.
const kept = 300;

export function SessionDetail({ id, onClose, onGone }) {
  const points = useRef([]);
  const heading = useRef(null);
  useLayoutEffect(() => heading.current.focus({ preventScroll: true }), []);

  const { data, error } = usePoll(async (signal, background) => {
    try {
      const row = await get(`sessions/${encodeURIComponent(id)}`, { signal, background });
      points.current = [...points.current.slice(1 - kept), [Date.now() / 1000, row.rxRate, row.txRate]];
      return { row, points: points.current, gone: false };
    } catch (err) {
      if (!(err instanceof APIError) || err.status !== 404) throw err;
      return { row: null, points: points.current, gone: true };
    }
  }, 1000);
  const lists = useMemo(() => [0, 1, 2].map((i) => (data?.points ?? []).map((p) => p[i])), [data]);
  // The plot begins with a minute and grows with what there is.
  const span = Math.min(kept, Math.max(60, Math.ceil(lists[0].length / 60) * 60));
  const last = useRef(null);
  if (data?.row) last.current = data.row;
  const row = last.current;
  useEffect(() => {
    if (data?.gone) onGone();
  }, [data?.gone]);

  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onClose();
  };
  const facts = row && [
    ["User", visible(row.user || row.name)], ["Caller", row.callerId], ["Address", row.address], ["Our address", row.localAddress], ["Interface", visible(row.interface)],
    ["Service", row.service], ["Encoding", row.encoding || "none: the traffic is not encrypted"], ["Uptime", duration(row.uptime)],
    ["Received", bytes(row.rxBytes)], ["Sent", bytes(row.txBytes)], ["Let in by", row.radius ? "RADIUS" : "a local secret"],
  ];
  return html`<aside class="panel detail" aria-label="Session" onKeyDown=${escape} data-test="session-detail" data-id=${id}>
    <header>
      <h2 tabindex="-1" ref=${heading}>${visible(row?.name ?? id)}</h2>
      ${data?.gone && html`<${Badge} kind="bad">ended<//>`}
      <span class="gap"></span>
      <button type="button" class="icon" aria-label="Close" onClick=${onClose} data-test="close"><${Close} /></button>
    </header>
    ${!data && (error ? html`<${Trouble} error=${error} />` : html`<${Loading} />`)}
    ${data?.gone && !row && html`<p class="muted">There is no such session any more.</p>`}
    ${row && html`
      <${Plot} label="Rate" data=${lists} curves=${traffic} value=${rate} least=${1000} span=${span} height=${170} test="plot-session" />
      <dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd data-fact=${name}>${value || "–"}</dd></div>`)}</dl>
      ${mayDrop() && !data?.gone && html`<footer><button type="button" class="danger" data-test="disconnect" onClick=${() => disconnect(row).then((done) => done && onClose())}>Disconnect</button></footer>`}`}
  </aside>`;
}
