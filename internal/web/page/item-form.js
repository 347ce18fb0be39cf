// The drawer of one item: its fields, its state, and what can be done with it.
import { html } from "./ui.js";
import { patch, put, restPath } from "./api.js";
import { Commands } from "./command.js";
import { itemCommands } from "./commands.js";
import { Dialog, tell } from "./dialog.js";
import { Facts, Fields, leaving, useForm } from "./fields.js";
import { command, fixed, idKey, settable, titleOf } from "./values.js";

// ItemForm shows row, or asks for a new item; copyFrom is the row that a new one is
// a copy of. acts are what the table can do with a row as well.
export function ItemForm({ menu, row, copyFrom, acts, onClose, onDone, onCopy }) {
  const state = useForm(menu, row ?? copyFrom);
  const { form, submit, dirty, busy } = state;
  const adding = !row;
  const writable = adding || (command(menu, "set") && settable(menu).length > 0);
  const what = menu.noun || "item";

  const leave = async () => {
    if (dirty && !(await leaving())) return;
    onClose();
  };
  const save = (event) => {
    event.preventDefault();
    submit(async (body) => {
      if (adding) await put(restPath(menu), copyFrom ? { "copy-from": copyFrom[idKey], ...body } : body);
      else if (Object.keys(body).length > 0) await patch(restPath(menu, row[idKey]), body);
      tell(adding ? `The ${what} was added.` : "Saved.");
      onDone();
      onClose();
    });
  };
  const toggle = row && acts.toggle?.(row);
  const removable = acts.remove && row && !fixed(row);
  const title = adding ? `New ${what}` : titleOf(menu, row);
  return html`<${Dialog} drawer first=${adding} title=${title} subtitle=${menu.path + (row ? ` ${row[idKey]}` : copyFrom ? `, as ${titleOf(menu, copyFrom)}` : "")} onClose=${leave} test="item">
    ${row && html`<div class="row acts">
      ${toggle && html`<button type="button" data-test="toggle" onClick=${toggle.run}>${toggle.word}</button>`}
      ${onCopy && html`<button type="button" data-test="copy" onClick=${onCopy}>Copy</button>`}
      ${acts.up && html`<button type="button" disabled=${!acts.up(row)} onClick=${acts.up(row) || undefined}>Move up</button><button type="button" disabled=${!acts.down(row)} onClick=${acts.down(row) || undefined}>Move down</button>`}
      <${Commands} menu=${menu} row=${row} list=${itemCommands(menu)} onDone=${onDone} />
      ${removable && html`<button type="button" class="danger" data-test="remove" onClick=${() => acts.remove(row).then((done) => done && onClose())}>Remove</button>`}
    </div>`}
    <form class="body" ref=${form} onSubmit=${save} noValidate>
      <div class="scroll">
        ${settable(menu).length > 0 && html`<fieldset disabled=${!writable}><${Fields} menu=${menu} row=${row} state=${state} fresh=${adding && !copyFrom} /></fieldset>`}
        ${row && html`<${Facts} menu=${menu} row=${row} />`}
      </div>
      <footer>
        <span class="muted small">${dirty ? "Not saved yet" : ""}</span><span class="gap"></span>
        <button type="button" data-test="cancel" onClick=${leave}>${writable ? "Cancel" : "Close"}</button>
        ${writable && html`<button type="submit" class="primary" disabled=${busy || (!adding && !dirty)} data-test="save">${busy ? "Saving…" : adding ? "Add" : "Save"}</button>`}
      </footer>
    </form>
  <//>`;
}
