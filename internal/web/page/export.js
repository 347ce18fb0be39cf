// The configuration as a script that makes it again, to read or to keep.
import { html, useState, useTitle } from "./ui.js";
import { request } from "./api.js";
import { tell } from "./dialog.js";
import { may, session } from "./session.js";
import { Trouble } from "./state.js";

// fileName takes the name from what the server says the answer should be called.
const fileName = (disposition) => /filename="?([^";]+)"?/.exec(disposition ?? "")?.[1] ?? "export.rsc";

function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function Export() {
  useTitle("Export");
  const [path, setPath] = useState("/");
  const [sensitive, setSensitive] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [script, setScript] = useState(null);
  const menus = [...session.get().byPath.values()].filter((m) => m.commands.some((c) => c.name === "export" && c.allowed));

  const fetchScript = async () => {
    setBusy(true);
    setError(null);
    try {
      const response = await request("GET", `export?${new URLSearchParams({ path, sensitive: sensitive ? "yes" : "no" })}`);
      const made = { name: fileName(response.headers.get("Content-Disposition")), text: await response.text() };
      setScript(made);
      return made;
    } catch (err) {
      setError(err);
      setScript(null);
      return null;
    } finally {
      setBusy(false);
    }
  };
  const download = async (event) => {
    event.preventDefault();
    const made = await fetchScript();
    if (made) save(made.name, made.text);
  };
  const copy = () => navigator.clipboard.writeText(script.text).then(() => tell("Copied."), () => tell("The browser does not allow copying here.", "bad"));

  return html`<div class="view">
    <h1>Export</h1>
    <form class="panel export" onSubmit=${download} data-test="export">
      <label for="path">What</label>
      <select id="path" value=${path} onChange=${(e) => setPath(e.target.value)}>
        ${menus.map((m) => html`<option key=${m.path} value=${m.path}>${m.path === "/" ? "/ (all)" : m.path}</option>`)}
      </select>
      ${may("sensitive") && html`<label class="check"><input type="checkbox" checked=${sensitive} onChange=${(e) => setSensitive(e.target.checked)} data-test="sensitive" /> With passwords and other secrets, in clear</label>`}
      <div class="row">
        <button type="submit" class="primary" disabled=${busy} data-test="download">Download</button>
        <button type="button" disabled=${busy} onClick=${fetchScript} data-test="show">Show</button>
        ${busy && html`<span class="spinner" role="status" aria-label="Exporting"></span>`}
      </div>
      <p class="muted small">The script makes the same configuration elsewhere: <code>/import</code> reads it.</p>
    </form>
    ${error && html`<${Trouble} error=${error} />`}
    ${script && html`<section class="panel">
      <div class="bar"><h2>${script.name}</h2><span class="gap"></span>${navigator.clipboard && html`<button type="button" onClick=${copy}>Copy</button>`}</div>
      <pre tabindex="0" data-test="script">${script.text}</pre>
    </section>`}
  </div>`;
}
