// The way through the page: the views, and the tree of menus. Arrow keys go through
// what is in sight.
import { Below, Right } from "./icons.js";
import { html, useEffect, useState } from "./ui.js";
import { to, toMenu } from "./route.js";

const views = [
  ["overview", "Overview"], ["sessions", "Sessions"], ["log", "Log"], ["radius", "RADIUS"],
];
const tools = [["console", "Console"], ["export", "Export"]];

// matching gives the menus of the tree whose path holds all words.
function matching(menu, words, found = []) {
  if (menu.path !== "/" && words.every((w) => menu.path.includes(w))) found.push(menu);
  for (const child of menu.children) matching(child, words, found);
  return found;
}

function Entry({ href, here, children, test }) {
  return html`<a href=${href} aria-current=${here ? "page" : undefined} data-test=${test}>${children}</a>`;
}

function Branch({ menu, path, open, toggle }) {
  const inside = path === menu.path || path.startsWith(menu.path + "/");
  const shown = open[menu.path] ?? inside;
  return html`<li>
    <div class="branch">
      <${Entry} href=${toMenu(menu.path)} here=${path === menu.path} test=${"menu " + menu.path}>${menu.name}<//>
      ${menu.children.length > 0 && html`<button type="button" class="twist" aria-expanded=${shown} aria-label=${`Menus below ${menu.path}`} onClick=${() => toggle(menu.path, !shown)}><${shown ? Below : Right} /></button>`}
    </div>
    ${shown && menu.children.length > 0 && html`<ul>${menu.children.map((c) => html`<${Branch} key=${c.path} menu=${c} path=${path} open=${open} toggle=${toggle} />`)}</ul>`}
  </li>`;
}

function arrows(event) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [...event.currentTarget.querySelectorAll("a, button, input")];
  const next = stops[stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

// Nav is drawn beside the page, or over it where there is no room. left is called
// when the person has gone somewhere.
export function Nav({ root, route, shown, left }) {
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState({});
  const path = route.view === "menu" ? "/" + route.words.join("/") : "";
  // Where one has come to is opened, even if it was closed before.
  useEffect(() => setOpen((old) => Object.fromEntries(Object.entries(old).filter(([p, yes]) => yes || !path.startsWith(p)))), [path]);
  const toggle = (menu, yes) => setOpen((old) => ({ ...old, [menu]: yes }));
  const words = search.trim().toLowerCase().split(/[\s/]+/).filter(Boolean);
  const list = (entries) => html`<ul>${entries.map(([view, title]) => html`<li key=${view}><${Entry} href=${to(view)} here=${route.view === view} test=${"nav " + view}>${title}<//></li>`)}</ul>`;
  const went = (event) => event.target.closest("a") && left();
  return html`<nav id="nav" class=${shown ? "shown" : ""} aria-label="Main" onKeyDown=${arrows} onClick=${went}>
    ${list(views)}
    <h2>Configuration</h2>
    <input type="search" class="find" aria-label="Find a menu" placeholder="Find a menu" value=${search} onInput=${(e) => setSearch(e.target.value)} data-test="find-menu" />
    ${words.length > 0
      ? html`<ul>${matching(root, words).map((m) => html`<li key=${m.path}><${Entry} href=${toMenu(m.path)} here=${path === m.path} test=${"menu " + m.path}>${m.path}<//></li>`)}</ul>`
      : html`<ul class="tree">${root.children.map((c) => html`<${Branch} key=${c.path} menu=${c} path=${path} open=${open} toggle=${toggle} />`)}</ul>`}
    <h2>Tools</h2>
    ${list(tools)}
    <ul><li><${Entry} href=${to("menu")} here=${route.view === "menu" && path === "/"} test="menu /">All menus<//></li></ul>
  </nav>`;
}
