// The page: the door, or the frame with the view that the address names.
import { html, render, useEffect, useErrorBoundary, useRef, useState, useValue } from "./ui.js";
import { connected } from "./api.js";
import { Console } from "./console.js";
import { Dialog, Messages, Question, tell, withdraw } from "./dialog.js";
import { Export } from "./export.js";
import { Bars } from "./icons.js";
import { Log } from "./log.js";
import { MenuView } from "./menu-view.js";
import { Nav } from "./nav.js";
import { Overview } from "./overview.js";
import { Radius } from "./radius.js";
import { route } from "./route.js";
import { session, signOut, start } from "./session.js";
import { Sessions } from "./sessions.js";
import { SignIn } from "./sign-in.js";
import { Empty, Loading, Trouble } from "./state.js";

const views = { overview: Overview, sessions: Sessions, menu: MenuView, log: Log, radius: Radius, console: Console, export: Export };

const keys = [
  ["/", "Search in this view"], ["?", "Show these keys"], ["↑ ↓ PgUp PgDn Home End", "Go through the rows of a table"],
  ["Enter", "Open the row"], ["Delete", "Remove the row, or disconnect the session"], ["Esc", "Close what is open"], ["F6", "Leave the console"],
];

const Keys = ({ onClose }) => html`<${Dialog} title="Keys" onClose=${onClose} test="keys">
  <dl class="keys">${keys.map(([key, does]) => html`<dt key=${key}><kbd>${key}</kbd></dt><dd>${does}</dd>`)}</dl>
<//>`;

// typing reports whether a key is text for what has the focus.
const typing = (target) => target.closest("input, textarea, select, .xterm, [contenteditable]") !== null;

function useKeys(setKeys) {
  useEffect(() => {
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      const search = document.querySelector("main [data-search]") ?? document.querySelector("nav input");
      if (event.key === "?") setKeys(true);
      else if (event.key === "/" && !document.querySelector("dialog[open]")) search.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

function Theme() {
  const [theme, setTheme] = useState(gopptpTheme.get());
  const choose = (event) => {
    gopptpTheme.set(event.target.value);
    setTheme(event.target.value);
  };
  return html`<select class="theme" aria-label="Theme" value=${theme} onChange=${choose} data-test="theme">
    <option value="system">System</option><option value="light">Light</option><option value="dark">Dark</option>
  </select>`;
}

// Safe keeps the frame when a view cannot be drawn, which is a mistake of ours.
function Safe({ children }) {
  const [error, again] = useErrorBoundary((err) => console.error(err));
  return error ? html`<${Trouble} error=${error} retry=${again} />` : children;
}

function Frame({ user, root }) {
  const here = useValue(route);
  const reached = useValue(connected);
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const main = useRef(null);
  const place = here.view === "menu" ? here.view + here.words.join("/") : here.view;
  const first = useRef(place);
  useKeys(setHelp);
  // Who went somewhere by keyboard goes on there.
  useEffect(() => {
    if (first.current === place) return;
    first.current = place;
    main.current.focus({ preventScroll: true });
    main.current.scrollTop = 0;
  }, [place]);
  useEffect(() => {
    if (!open) return undefined;
    const escape = (event) => event.key === "Escape" && setOpen(false);
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, [open]);

  const leave = () => signOut().catch((err) => tell(err.message, "bad"));
  const View = Object.hasOwn(views, here.view) ? views[here.view] : null;
  return html`<div class="frame">
    <a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); main.current.focus(); }}>Skip to the content</a>
    <header class="top">
      <button type="button" class="icon burger" aria-label="Menu" aria-controls="nav" aria-expanded=${open} data-test="burger" onClick=${() => setOpen(!open)}><${Bars} /></button>
      <a class="brand" href="#/overview"><img src="icon.svg" alt="" width="20" height="20" /><b>${user.identity || "gopptp"}</b></a>
      <span class="muted version">gopptp ${user.version}</span>
      <span class="gap"></span>
      <button type="button" class="icon help" aria-label="Keys" title="Keys (?)" onClick=${() => setHelp(true)}>?</button>
      <${Theme} />
      <span class="who" title=${`Group ${user.group}`} data-test="user">${user.user}</span>
      <button type="button" data-test="sign-out" onClick=${leave}>Sign out</button>
    </header>
    <${Nav} root=${root} route=${here} shown=${open} left=${() => setOpen(false)} />
    ${open && html`<div class="veil" onClick=${() => setOpen(false)}></div>`}
    <main id="main" tabindex="-1" ref=${main}>
      ${!reached && html`<p class="notice bad lost" role="alert" data-test="lost"><span class="spinner" aria-hidden="true"></span>No connection to the server. What you see is from before; the page goes on by itself when the server answers.</p>`}
      ${View ? html`<${Safe} key=${place}><${View} words=${here.words} /><//>` : html`<${Empty} title="There is no such view."><p><a href="#/overview">Go to the overview</a></p><//>`}
    </main>
    ${help && html`<${Keys} onClose=${() => setHelp(false)} />`}
  </div>`;
}

function App() {
  const now = useValue(session);
  useEffect(() => {
    if (now.state === "out") withdraw();
  }, [now.state]);
  return html`
    ${now.state === "starting" && html`<main class="door"><${Loading} /></main>`}
    ${now.state === "failed" && html`<main class="door"><div class="panel"><h1>gopptp</h1><p class="notice bad" role="alert">${now.why}</p><button type="button" class="primary" onClick=${start}>Try again</button></div></main>`}
    ${now.state === "out" && html`<${SignIn} why=${now.why} />`}
    ${now.state === "in" && html`<${Frame} user=${now.user} root=${now.root} />`}
    <${Question} /><${Messages} />`;
}

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${App} />`, app);
start();
