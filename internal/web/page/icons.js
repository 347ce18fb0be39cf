// The signs on buttons, drawn here because no font can be relied on to have them.
// They say nothing that the button's label does not.
import { html } from "./ui.js";

const icon = (path) => html`<svg class="sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path d=${path} /></svg>`;

export const Close = () => icon("M4 4l8 8M12 4l-8 8");
export const Bars = () => icon("M2.5 4h11M2.5 8h11M2.5 12h11");
export const Up = () => icon("M8 13V3M4 7l4-4 4 4");
export const Down = () => icon("M8 3v10M4 9l4 4 4-4");
export const Pause = () => icon("M5.5 3.5v9M10.5 3.5v9");
export const Play = () => icon("M5 3.5l7 4.5-7 4.5z");
export const Right = () => icon("M6.5 4.5L10 8l-3.5 3.5");
export const Below = () => icon("M4.5 6.5L8 10l3.5-3.5");
