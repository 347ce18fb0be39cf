// The log, as it is written: by topic, by text, and paused.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useTitle } from "./ui.js";
import { append, severity, topicsOf, wanted } from "./log-entries.js";
import { followLog } from "./log-stream.js";
import { count, moment, visible } from "./format.js";
import { Badge, Empty, Loading } from "./state.js";

// How near to the end counts as being there.
const slack = 40;

export function Log() {
  useTitle("Log");
  const [entries, setEntries] = useState([]);
  const [live, setLive] = useState(null); // null until the first connection
  const [paused, setPaused] = useState(null); // what is shown while it is paused
  const [topics, setTopics] = useState([]);
  const [search, setSearch] = useState("");
  const [atEnd, setAtEnd] = useState(true);
  const box = useRef(null);
  const following = useRef(true); // atEnd, for what outlives a drawing

  useEffect(() => followLog((fresh) => setEntries((old) => append(old, fresh)), setLive), []);

  const shown = paused ?? entries;
  const all = useMemo(() => topicsOf(entries), [entries]);
  const list = useMemo(() => wanted(shown, topics, search), [shown, topics, search]);
  const waiting = paused ? entries.length - Math.max(0, entries.indexOf(paused.at(-1)) + 1) : 0;

  const toEnd = () => {
    box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (atEnd && box.current) toEnd();
  }, [list]);
  // Another size of the window breaks lines elsewhere, and nobody scrolls.
  useLayoutEffect(() => {
    const size = new ResizeObserver(() => following.current && toEnd());
    size.observe(box.current);
    return () => size.disconnect();
  }, []);
  const scrolled = () => {
    if (!box.current) return;
    following.current = box.current.scrollHeight - box.current.scrollTop - box.current.clientHeight < slack;
    setAtEnd(following.current);
  };
  const toggle = (topic) => setTopics((old) => (old.includes(topic) ? old.filter((t) => t !== topic) : [...old, topic]));

  return html`<div class="view fill">
    <div class="bar">
      <h1>Log</h1>
      ${live === false ? html`<${Badge} kind="bad">interrupted<//>` : paused ? html`<${Badge} kind="warn">paused<//>` : html`<${Badge} kind="ok">live<//>`}
      <span class="muted" data-test="log-count">${count(list.length)} ${list.length === 1 ? "entry" : "entries"}</span>
      <span class="gap"></span>
      <button type="button" aria-pressed=${paused !== null} data-test="pause" onClick=${() => setPaused(paused ? null : entries)}>${paused ? `Go on${waiting > 0 ? ` (${count(waiting)} new)` : ""}` : "Pause"}</button>
      <input type="search" class="find" data-search aria-label="Search the log" placeholder="Search  /" value=${search} onInput=${(e) => setSearch(e.target.value)} data-test="search" />
    </div>
    <div class="chips" role="group" aria-label="Topics">
      ${all.map((t) => html`<button key=${t} type="button" class="chip" aria-pressed=${topics.includes(t)} data-test=${"topic " + t} onClick=${() => toggle(t)}>${t}</button>`)}
      ${topics.length > 0 && html`<button type="button" class="chip plain" onClick=${() => setTopics([])}>all topics</button>`}
    </div>
    <div class="log panel" ref=${box} onScroll=${scrolled} tabindex="0" role="log" aria-label="Log entries" aria-live="off" data-test="log">
      ${list.length === 0 && (live === null ? html`<${Loading} />` : html`<${Empty} title=${entries.length > 0 ? "No entry matches." : "The log is empty."} />`)}
      ${list.map((e) => html`<div key=${e.id} class=${"entry " + severity(e.topics)}><time datetime=${e.time}>${moment(e.time)}</time><span class="topics">${e.topics.join(",")}</span><span class="message">${visible(e.message)}</span></div>`)}
    </div>
    ${!atEnd && list.length > 0 && html`<button type="button" class="to-end primary" onClick=${toEnd}>Newest ↓</button>`}
  </div>`;
}
