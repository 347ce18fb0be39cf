// The console of the router in the page: the same command line as over SSH, drawn
// by xterm.js, with keys and output over a WebSocket.
import { html, useEffect, useRef, useState, useTitle } from "./ui.js";
import { address, get } from "./api.js";
import { withStyle } from "./console-style.js";
import { Badge } from "./state.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// xterm.js is large, and fetched only by those who open the console.
const load = () => Promise.all([import("./vendor/xterm.js"), import("./vendor/addon-fit.js")]);

const palette = () => ({
  background: colour("--console"), foreground: colour("--console-text"), cursor: colour("--console-text"), selectionBackground: "#3b6ea8",
  black: "#3b4754", red: "#ff7b72", green: "#56d364", yellow: "#e3b341", blue: "#79b8ff", magenta: "#d2a8ff", cyan: "#56d4dd", white: "#dde5ee",
  brightBlack: "#8b98a6", brightRed: "#ffa198", brightGreen: "#7ee787", brightYellow: "#f2cc60", brightBlue: "#a5d6ff", brightMagenta: "#e2c5ff", brightCyan: "#88e6ee", brightWhite: "#ffffff",
});

// connect ties a terminal to the server and gives the function that ends it.
function connect(terminal, onState) {
  const url = address("console");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const encoder = new TextEncoder();
  const size = () => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ columns: terminal.cols, rows: terminal.rows }));
  const send = (bytes) => socket.readyState === WebSocket.OPEN && socket.send(bytes);
  const watches = [
    terminal.onData((text) => send(encoder.encode(text))),
    terminal.onBinary((text) => send(Uint8Array.from(text, (c) => c.charCodeAt(0)))),
    terminal.onResize(size),
  ];
  socket.onopen = () => {
    onState("open");
    size();
  };
  socket.onmessage = (event) => terminal.write(typeof event.data === "string" ? event.data : new Uint8Array(event.data));
  socket.onclose = (event) => {
    onState("closed", event.reason);
    get("session", { background: true }).catch(() => {}); // says whether the session is over as well
  };
  return () => {
    for (const w of watches) w.dispose();
    socket.onclose = null;
    socket.close();
  };
}

// Keys that the keyboard of a telephone does not have.
const keys = [["Tab", "\t"], ["?", "?"], ["↑", "\x1b[A"], ["↓", "\x1b[B"], ["Ctrl-C", "\x03"]];

export function Console() {
  useTitle("Console");
  const place = useRef(null);
  const exit = useRef(null);
  const screen = useRef(null);
  const [state, setState] = useState({ word: "loading", why: "" });
  const [round, setRound] = useState(0);

  useEffect(() => {
    let end = () => {};
    let over = false;
    setState({ word: "loading", why: "" });
    const begin = async () => {
      const [{ Terminal }, { FitAddon }] = await load();
      if (over) return;
      const terminal = new Terminal({ fontFamily: colour("--mono"), fontSize: 13.5, scrollback: 5000, theme: palette(), screenReaderMode: false, cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches });
      screen.current = terminal;
      const fit = new FitAddon();
      terminal.loadAddon(fit);
      withStyle(() => terminal.open(place.current));
      fit.fit();
      // Tab belongs to the command line, so that another key has to lead out.
      terminal.attachCustomKeyEventHandler((event) => {
        if (event.key !== "F6") return true;
        event.preventDefault();
        exit.current.focus();
        return false;
      });
      const resized = new ResizeObserver(() => fit.fit());
      resized.observe(place.current);
      const hangUp = connect(terminal, (word, why) => {
        setState({ word, why });
        if (word === "open") terminal.focus();
        else terminal.options.disableStdin = true;
      });
      end = () => {
        resized.disconnect();
        hangUp();
        terminal.dispose();
      };
    };
    begin().catch((err) => !over && setState({ word: "closed", why: err.message }));
    return () => {
      over = true;
      end();
    };
  }, [round]);

  const press = (bytes) => {
    screen.current?.input(bytes);
    screen.current?.focus();
  };
  const closed = state.word === "closed";
  return html`<div class="view fill console">
    <div class="bar">
      <h1>Console</h1>
      <${Badge} kind=${closed ? "bad" : state.word === "open" ? "ok" : ""}>${{ loading: "connecting", open: "connected", closed: "closed" }[state.word]}<//>
      <span class="gap"></span>
      <span class="muted small wide">Tab completes, F1 helps, F6 leaves the console</span>
      <button type="button" ref=${exit} data-test="reconnect" onClick=${() => setRound(round + 1)}>${closed ? "Connect again" : "Restart"}</button>
    </div>
    ${closed && html`<p class="notice bad" role="alert" data-test="console-closed">The console was closed${state.why ? `: ${state.why}` : "."}</p>`}
    <div class="row touch">${keys.map(([name, bytes]) => html`<button key=${name} type="button" onClick=${() => press(bytes)}>${name}</button>`)}</div>
    <div class="screen" ref=${place} role="application" aria-label="Console. Press F6 to leave it." data-test="terminal" data-state=${state.word}></div>
  </div>`;
}
