// The form of a menu that is one row of settings.
import { html, useEffect } from "./ui.js";
import { get, post, restPath } from "./api.js";
import { Commands } from "./command.js";
import { menuCommands } from "./commands.js";
import { tell } from "./dialog.js";
import { Facts, Fields, useForm } from "./fields.js";
import { usePoll } from "./poll.js";
import { Loading, Trouble } from "./state.js";
import { command, settable } from "./values.js";

const period = 3000; // of what the server alone decides

function Form({ menu, row, refresh }) {
  const state = useForm(menu, row);
  const { form, submit, begin, dirty, busy } = state;
  const writable = command(menu, "set") && settable(menu).length > 0;
  // Somebody else may change the settings; who is typing is not disturbed.
  useEffect(() => {
    if (!dirty && !busy) begin(row);
  }, [JSON.stringify(settable(menu).map((p) => row[p.name]))]);
  const save = (event) => {
    event.preventDefault();
    submit(async (body) => {
      await post(restPath(menu, "set"), body);
      tell("Saved.");
      refresh();
    });
  };
  return html`<div class="settings">
    ${settable(menu).length > 0 && html`<form class="panel" ref=${form} onSubmit=${save} noValidate data-test="settings">
      <fieldset disabled=${!writable}>
        <${Fields} menu=${menu} row=${row} state=${state} />
      </fieldset>
      ${writable && html`<footer><button type="submit" class="primary" disabled=${busy || !dirty} data-test="save">${busy ? "Saving…" : "Save"}</button>
        <button type="button" disabled=${!dirty || busy} onClick=${() => begin(row)}>Undo</button><span class="muted small">${dirty ? "Not saved yet" : ""}</span></footer>`}
    </form>`}
    <div class="panel side"><${Facts} menu=${menu} row=${row} /></div>
  </div>`;
}

export function Settings({ menu }) {
  const { data, error, refresh } = usePoll((signal, background) => get(restPath(menu), { signal, background }), period, menu.path);
  const list = menuCommands(menu);
  return html`
    ${list.length > 0 && html`<div class="row"><${Commands} menu=${menu} list=${list} onDone=${refresh} /></div>`}
    ${error && !data && html`<${Trouble} error=${error} retry=${refresh} />`}
    ${!data && !error && html`<${Loading} />`}
    ${data && html`<${Form} menu=${menu} row=${data} refresh=${refresh} />`}`;
}
