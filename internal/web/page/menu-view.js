// The view of one menu of the tree, made from its declaration: settings as a form,
// items as a table, and the ways to the menus below.
import { html, useTitle } from "./ui.js";
import { Commands } from "./command.js";
import { menuCommands } from "./commands.js";
import { MenuTable } from "./menu-table.js";
import { toMenu } from "./route.js";
import { session } from "./session.js";
import { Settings } from "./settings.js";
import { Empty } from "./state.js";

const Below = ({ menu }) => html`<ul class="cards" aria-label="Menus below">${menu.children.map((c) => html`<li key=${c.path}>
  <a class="card panel" href=${toMenu(c.path)} data-test=${"card " + c.path}><b class="mono">${c.path}</b><span class="muted">${c.help}</span></a></li>`)}</ul>`;

// Ways are the same in one line, where a table needs the room.
const Ways = ({ menu }) => html`<ul class="row" aria-label="Menus below">${menu.children.map((c) => html`<li key=${c.path}>
  <a class="button mono" href=${toMenu(c.path)} title=${c.help} data-test=${"card " + c.path}>${c.path}</a></li>`)}</ul>`;

export function MenuView({ words }) {
  const path = "/" + words.join("/");
  const menu = session.get().byPath.get(path);
  useTitle(menu ? path : "No such menu");
  if (!menu) return html`<${Empty} title=${`There is no menu ${path}.`} />`;
  const lists = !menu.singleton && menu.commands.some((c) => c.name === "print");
  const head = html`<div class="heading"><h1 class="mono">${path}</h1><p class="muted">${menu.help || "All menus, and the commands that belong to none"}</p></div>`;
  if (lists) return html`<${MenuTable} key=${path} menu=${menu} head=${head} below=${menu.children.length > 0 && html`<${Ways} menu=${menu} />`} />`;
  return html`<div class="view" key=${path}>
    <div class="bar">${head}<span class="gap"></span>${!menu.singleton && html`<${Commands} menu=${menu} list=${menuCommands(menu)} />`}</div>
    ${menu.singleton && html`<${Settings} menu=${menu} />`}
    ${menu.children.length > 0 && html`<${Below} menu=${menu} />`}
  </div>`;
}
