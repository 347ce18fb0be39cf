// Running a command: what it is asked with, and what it answers. One that goes on,
// such as monitor, is watched until the dialog is closed.
import { html, useState } from "./ui.js";
import { post, restPath } from "./api.js";
import { askedArgs, bodyOf, outcomeOf } from "./commands.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";
import { usePoll } from "./poll.js";
import { Loading, Trouble } from "./state.js";
import { fieldOf, titleOf } from "./values.js";

const asField = (a) => ({ ...a, default: "", optional: Boolean(a.type) && !a.required, type: a.type ?? { kind: "bool" } });

const Outcome = ({ rows }) => html`<div class="outcome" data-test="outcome">${rows.map((pairs, i) => (pairs.length === 1
  ? html`<pre key=${i} class="line">${pairs[0][1]}</pre>`
  : html`<dl class="facts" key=${i}>${pairs.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd data-fact=${name}>${value || "–"}</dd></div>`)}</dl>`))}</div>`;

function Watch({ menu, command, row }) {
  const { data, error, refresh } = usePoll((signal, background) => post(restPath(menu, command.name), bodyOf(command, row, {}), { signal, background }), 1000);
  if (!data) return error ? html`<${Trouble} error=${error} retry=${refresh} />` : html`<${Loading} />`;
  return html`<${Outcome} rows=${outcomeOf(data)} />`;
}

function Run({ menu, command, row, onClose, onDone }) {
  const [values, setValues] = useState({});
  const [error, setError] = useState({ field: "", text: "" });
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState(undefined);
  const args = askedArgs(command);
  const run = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError({ field: "", text: "" });
    try {
      setAnswer((await post(restPath(menu, command.name), bodyOf(command, row, values))) ?? []);
      onDone?.();
    } catch (err) {
      setError({ field: fieldOf(err.message, args.map((a) => a.name)), text: err.message });
    } finally {
      setBusy(false);
    }
  };
  const rows = answer === undefined ? [] : outcomeOf(answer);
  return html`<form class="body" onSubmit=${run} noValidate>
    ${error.text && !error.field && html`<p class="notice bad" role="alert" data-test="error">${error.text}</p>`}
    ${args.map((a) => html`<${Field} key=${a.name} p=${asField(a)} value=${values[a.name] ?? ""} fresh error=${error.field === a.name ? error.text : ""}
      set=${(v) => setValues((old) => ({ ...old, [a.name]: v }))} />`)}
    ${answer !== undefined && html`<p class="notice ok" role="status" data-test="done">Done.</p>`}
    <${Outcome} rows=${rows} />
    <footer><button type="button" onClick=${onClose}>Close</button><span class="gap"></span><button type="submit" class="primary" disabled=${busy} data-test="run">${busy ? "Running…" : "Run"}</button></footer>
  </form>`;
}

function CommandDialog({ menu, command, row, onClose, onDone }) {
  const where = menu.path + (row ? " " + titleOf(menu, row) : "");
  return html`<${Dialog} title=${command.name} subtitle=${`${command.help} · ${where}`} onClose=${onClose} test="command">
    ${command.kind === "monitor" ? html`<div class="body"><${Watch} menu=${menu} command=${command} row=${row} /></div>`
      : html`<${Run} menu=${menu} command=${command} row=${row} onClose=${onClose} onDone=${onDone} />`}
  <//>`;
}

// Commands are the buttons of what a menu does besides keeping rows.
export function Commands({ menu, row, list, onDone }) {
  const [open, setOpen] = useState(null);
  return html`${list.map((c) => html`<button key=${c.name} type="button" title=${c.help} data-test=${"command " + c.name} onClick=${() => setOpen(c)}>${c.name}</button>`)}
    ${open && html`<${CommandDialog} key=${open.name} menu=${menu} row=${row} command=${open} onClose=${() => setOpen(null)} onDone=${onDone} />`}`;
}
