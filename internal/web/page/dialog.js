// Dialogs, questions and short messages. The browser's own dialog element keeps
// the focus inside, ends with Esc, and gives the focus back.
import { Close } from "./icons.js";
import { html, useEffect, useId, useLayoutEffect, useRef, useValue, Value } from "./ui.js";

// A Dialog lies over the page until onClose. A drawer is one at the side; first says
// that people will type into its first field.
export function Dialog({ title, subtitle, drawer, first, onClose, children, test }) {
  const element = useRef(null);
  const id = useId();
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const dialog = element.current;
    const cancel = (event) => {
      event.preventDefault();
      close.current();
    };
    // A browser may end a dialog at a further Esc without asking. Whether it ends is
    // its owner's matter.
    const ended = () => {
      dialog.showModal();
      close.current();
    };
    dialog.addEventListener("cancel", cancel);
    dialog.addEventListener("close", ended);
    dialog.showModal();
    if (first) dialog.querySelector("form input, form select, form textarea")?.focus();
    return () => {
      dialog.removeEventListener("cancel", cancel);
      dialog.removeEventListener("close", ended);
      dialog.close();
    };
  }, []);
  return html`<dialog ref=${element} class=${drawer ? "drawer" : "box"} aria-labelledby=${id} data-test=${test}>
    <header>
      <div class="titles"><h2 id=${id}>${title}</h2>${subtitle && html`<p class="muted">${subtitle}</p>`}</div>
      <button type="button" class="icon" aria-label="Close" data-test="close" onClick=${onClose}><${Close} /></button>
    </header>
    ${children}
  </dialog>`;
}

const question = new Value(null);
let asked = 0;

// ask puts a yes-or-no question and resolves to the answer. { title, text, action,
// danger }: action is the word on the button that agrees.
export function ask(q) {
  return new Promise((resolve) => {
    question.get()?.resolve(false);
    question.set({ ...q, resolve, id: ++asked });
  });
}

// withdraw takes back a question that nobody is there to answer any more.
export function withdraw() {
  question.get()?.resolve(false);
  question.set(null);
}

// Question draws what ask asks. The page has one.
export function Question() {
  const q = useValue(question);
  if (!q) return null;
  const answer = (yes) => {
    if (question.get() === q) question.set(null);
    q.resolve(yes);
  };
  return html`<${Dialog} key=${q.id} title=${q.title} onClose=${() => answer(false)} test="question">
    <p class="text">${q.text}</p>
    <footer>
      <button type="button" data-test="no" autofocus=${q.danger} onClick=${() => answer(false)}>Cancel</button>
      <button type="button" class=${q.danger ? "danger" : "primary"} data-test="yes" autofocus=${!q.danger} onClick=${() => answer(true)}>${q.action}</button>
    </footer>
  <//>`;
}

const messages = new Value([]);
const shownFor = 5000;
let last = 0;

// tell shows a short message for some seconds.
export function tell(text, kind = "ok") {
  const message = { id: ++last, text, kind };
  messages.set([...messages.get().slice(-3), message]);
  setTimeout(() => messages.set(messages.get().filter((m) => m !== message)), kind === "bad" ? 2 * shownFor : shownFor);
}

// Messages draws what tell tells, and reads it to those who do not see it. It is a
// popover so that it lies over dialogs too.
export function Messages() {
  const list = useValue(messages);
  const element = useRef(null);
  useEffect(() => {
    const box = element.current;
    if (box.matches(":popover-open")) box.hidePopover();
    if (list.length > 0) box.showPopover();
  }, [list]);
  return html`<div class="messages" role="status" aria-live="polite" popover="manual" ref=${element} data-test="messages">
    ${list.map((m) => html`<p key=${m.id} class=${"message " + m.kind}>${m.text}</p>`)}
  </div>`;
}
