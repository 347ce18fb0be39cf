// The states that every view has: nothing yet, nothing at all, and what went wrong.
import { html } from "./ui.js";

// Loading is shown until the first answer.
export const Loading = ({ what = "Loading" }) => html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span>${what}…</p>`;

// Empty says that there is nothing, and perhaps what to do about it.
export const Empty = ({ title, children }) => html`<div class="empty" data-test="empty"><p class="strong">${title}</p>${children}</div>`;

// stale reports whether an error says only that what is shown is from before, which
// the frame says for all views.
export const stale = (error, data) => data !== undefined && error?.status === 0;

// Trouble shows an error, with a way to try again.
export function Trouble({ error, retry }) {
  return html`<div class="notice bad" role="alert" data-test="trouble">
    <p>${error.message}</p>
    ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}
  </div>`;
}

// Badge is a word with a colour; the colour says nothing that the word does not.
export const Badge = ({ kind = "", title, children }) => html`<span class=${"badge " + kind} title=${title}>${children}</span>`;
