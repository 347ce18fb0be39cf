// One field of a form, made from the declaration of a property: its kind of
// control, its default, its help, and the error that is about it.
import { html, useId, useState } from "./ui.js";
import { useNames } from "./choices.js";
import { listOf, toggled, unchanged } from "./values.js";

const Options = ({ p, choices, value }) => html`
  ${(p.optional || p.required || !choices.includes(value)) && html`<option value="">${p.optional ? "(not set)" : "(choose)"}</option>`}
  ${value && !choices.includes(value) && html`<option value=${value}>${value}</option>`}
  ${choices.map((c) => html`<option key=${c} value=${c}>${c}</option>`)}`;

function Choice({ p, choices = p.type.choices, value, set, ...rest }) {
  return html`<select ...${rest} value=${value} onChange=${(e) => set(e.target.value)}><${Options} p=${p} choices=${choices} value=${value} /></select>`;
}

function Yes({ p, value, set, ...rest }) {
  if (!p.optional) return html`<input type="checkbox" class="switch" role="switch" ...${rest} checked=${value === "true"} onChange=${(e) => set(e.target.checked ? "true" : "false")} />`;
  return html`<select ...${rest} value=${value} onChange=${(e) => set(e.target.value)}><option value="">(not set)</option><option value="true">yes</option><option value="false">no</option></select>`;
}

function Some({ p, value, set, id, ...rest }) {
  const { choices } = p.type;
  const chosen = listOf(value);
  return html`<div role="group" class="some" ...${rest} id=${id} aria-label=${p.name}>${choices.map((c) => html`<label key=${c} class="check">
    <input type="checkbox" checked=${chosen.includes(c)} value=${c} onChange=${() => set(toggled(value, c, choices))} /> ${c}</label>`)}</div>`;
}

function Reference({ p, value, set, id, ...rest }) {
  const names = useNames(p.type.menu);
  const alone = !p.type.describe?.startsWith("IPv4 address");
  if (alone && names.length > 0 && names.length <= 200) return html`<${Choice} p=${p} choices=${names} value=${value} set=${set} id=${id} ...${rest} />`;
  return html`<input ...${rest} id=${id} list=${id + "list"} autocomplete="off" spellcheck=${false} value=${value} onInput=${(e) => set(e.target.value)} />
    <datalist id=${id + "list"}>${names.map((n) => html`<option key=${n} value=${n}></option>`)}</datalist>`;
}

// A secret that is there is not shown. What is typed may be, to see it is right.
function Secret({ p, value, set, fresh, ...rest }) {
  const [shown, setShown] = useState(false);
  const typed = value !== unchanged && value !== "";
  const hint = value === unchanged ? "•••••• (unchanged)" : fresh ? "" : "(empty)";
  const field = { ...rest, spellcheck: false, value: value ?? "", placeholder: hint, onInput: (e) => set(e.target.value) };
  return html`<div class="joined">
    ${p.type.kind === "script" ? html`<textarea ...${field} class=${"mono" + (shown ? "" : " masked")} rows="5" autocomplete="off"></textarea>`
      : html`<input ...${field} type=${shown && typed ? "text" : "password"} autocomplete="new-password" />`}
    ${typed && html`<button type="button" aria-pressed=${shown} data-test=${"reveal " + p.name} onClick=${() => setShown(!shown)}>${shown ? "Hide" : "Show"}</button>`}
    ${!fresh && !p.required && html`<button type="button" onClick=${() => set(value === unchanged ? "" : unchanged)}>${value === unchanged ? "Clear" : "Keep"}</button>`}
  </div>`;
}

const Script = ({ p: _p, value, set, ...rest }) => html`<textarea ...${rest} class="mono" rows="5" spellcheck=${false} value=${value} onInput=${(e) => set(e.target.value)}></textarea>`;

function Text({ p, value, set, id, ...rest }) {
  const { kind } = p.type;
  const mono = kind !== "text" && kind !== "enum";
  const words = p.type.choices ?? [];
  return html`<input ...${rest} id=${id} class=${mono ? "mono" : undefined} autocomplete="off" spellcheck=${false} value=${value} placeholder=${p.optional ? "not set" : undefined}
    list=${words.length > 0 ? id + "list" : undefined} onInput=${(e) => set(e.target.value)} />
    ${words.length > 0 && html`<datalist id=${id + "list"}>${words.map((w) => html`<option key=${w} value=${w}></option>`)}</datalist>`}`;
}

function controlOf(p) {
  const { kind, choices } = p.type;
  if (p.sensitive) return Secret;
  if (kind === "bool") return Yes;
  if (kind === "enum" && choices?.length > 0) return Choice;
  if (kind === "set" && choices?.length > 0) return Some;
  if (kind === "reference" && p.type.menu) return Reference;
  return kind === "script" ? Script : Text;
}

// kindText says what may be written, where that is more than any text or number.
function kindText(p) {
  const { kind, describe, max } = p.type;
  const obvious = p.sensitive || ["bool", "enum", "set"].includes(kind) || (kind === "number" && max === undefined) || describe?.startsWith("text of");
  if (obvious) return "";
  return describe === "time" ? "time, such as 1h30m" : (describe ?? "").replaceAll("`", "");
}

// defaultText says what a property is unless somebody decides.
function defaultText(p) {
  if (p.required || p.optional || !p.default) return "";
  if (p.type.kind === "set") return listOf(p.default).join(", ");
  return p.type.kind === "bool" ? (p.default === "true" ? "yes" : "no") : p.default;
}

// Field draws a property. fresh says that the item is new, so that there is no
// secret yet to be kept.
export function Field({ p, value, set, error, fresh }) {
  const id = useId();
  const Control = controlOf(p);
  const usual = defaultText(p);
  const differs = usual !== "" && !p.sensitive && !["bool", "enum"].includes(p.type.kind) && value !== p.default;
  const hints = [p.help, kindText(p), usual && `default: ${usual}`].filter(Boolean).join(" · ");
  const about = [error && id + "e", id + "h"].filter(Boolean).join(" ");
  return html`<div class=${"field" + (error ? " wrong" : "")} data-test=${"field " + p.name}>
    <label for=${id}>${p.name}${p.required && html`<span class="must" title="required" aria-hidden="true"> *</span>`}</label>
    <div class="control">
      <${Control} p=${p} value=${value} set=${set} ...${p.sensitive ? { fresh } : {}} id=${id} name=${p.name} aria-describedby=${about}
        aria-invalid=${error ? "true" : undefined} aria-required=${p.required ? "true" : undefined} />
      ${error && html`<p class="error" id=${id + "e"} role="alert" data-test=${"error " + p.name}>${error}</p>`}
      <p class="help" id=${id + "h"}>${hints}${differs && html` <button type="button" class="link" onClick=${() => set(p.default)}>use the default</button>`}</p>
    </div>
  </div>`;
}
