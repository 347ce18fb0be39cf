// The fields of an item or of settings, and what is common to the forms of both:
// what was changed, and which field an error is about.
import { html, useEffect, useRef, useState } from "./ui.js";
import { ask } from "./dialog.js";
import { Field } from "./field.js";
import { go } from "./route.js";
import { changesOf, fieldOf, forgotten, initialOf, readable, settableOf, shownText } from "./values.js";

// leaving asks whether what was typed may be lost.
export const leaving = () => ask({ title: "Leave without saving?", text: "What you changed here is lost.", action: "Leave", danger: true });

// useForm keeps what the fields hold. from is the row that they begin with, or
// nothing for the defaults; it is looked at once, so that a row which changes
// meanwhile takes nothing away from who is typing.
export function useForm(menu, from) {
  const [initial, setInitial] = useState(() => initialOf(menu, from));
  const [values, setValues] = useState(initial);
  const [error, setError] = useState({ field: "", text: "" });
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const dirty = Object.keys(changesOf(menu, initial, values)).length > 0;

  useEffect(() => {
    if (!dirty) return undefined;
    const followed = async (event) => {
      const link = event.target.closest('a[href^="#/"]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (await leaving()) go(link.hash);
    };
    addEventListener("click", followed, true);
    return () => removeEventListener("click", followed, true);
  }, [dirty]);

  const fail = (field, text) => {
    setError({ field, text });
    // After it is drawn: what it is about may have been folded away.
    setTimeout(() => {
      const place = form.current?.querySelector(field ? `[name="${field}"], [data-test="field ${field}"] input` : ".notice.bad");
      place?.closest("details")?.setAttribute("open", "");
      place?.focus();
      place?.scrollIntoView({ block: "center" });
    });
  };
  // submit sends what was changed, and puts what the server says against it where
  // it belongs.
  const submit = async (send) => {
    const body = changesOf(menu, initial, values);
    setBusy(true);
    setError({ field: "", text: "" });
    try {
      await send(body);
      const now = forgotten(menu, values);
      setInitial(now);
      setValues(now);
    } catch (err) {
      fail(err.status === 400 ? fieldOf(err.message, settableOf(menu, from).map((p) => p.name)) : "", err.message);
    } finally {
      setBusy(false);
    }
  };
  const begin = (row) => {
    const now = initialOf(menu, row);
    setInitial(now);
    setValues(now);
    setError({ field: "", text: "" });
  };
  const set = (name) => (value) => setValues((old) => ({ ...old, [name]: value }));
  return { form, values, set, error, busy, submit, begin, dirty };
}

// Fields draws the fields of a row, or all; those that nothing acts on yet are folded
// away.
export function Fields({ menu, row, state, fresh }) {
  const { values, set, error } = state;
  const draw = (p) => html`<${Field} key=${p.name} p=${p} value=${values[p.name]} set=${set(p.name)} error=${error.field === p.name ? error.text : ""} fresh=${fresh} />`;
  const all = settableOf(menu, row);
  const kept = all.filter((p) => p.kept);
  return html`
    ${error.text && !error.field && html`<p class="notice bad" role="alert" tabindex="-1" data-test="error">${error.text}</p>`}
    ${all.filter((p) => !p.kept).map(draw)}
    ${kept.length > 0 && html`<details class="kept"><summary>Kept only (${kept.length})</summary><p class="muted small">These are stored, shown and exported as RouterOS has them. Nothing acts on them here.</p>${kept.map(draw)}</details>`}`;
}

// Facts draws what the server alone decides.
export function Facts({ menu, row }) {
  const list = readable(menu).filter((p) => row[p.name] !== undefined);
  if (list.length === 0) return null;
  return html`<section class="state" aria-label="State"><h3>State</h3><dl class="facts">
    ${list.map((p) => html`<div key=${p.name}><dt title=${p.help}>${p.name}</dt><dd data-fact=${p.name}>${shownText(p, row) || "–"}</dd></div>`)}
  </dl></section>`;
}
