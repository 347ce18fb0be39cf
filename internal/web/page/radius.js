// The state of the RADIUS servers: who answers, how fast, and what was decided.
import { html, useTitle } from "./ui.js";
import { get } from "./api.js";
import { count } from "./format.js";
import { usePoll } from "./poll.js";
import { toMenu } from "./route.js";
import { Badge, Empty, Loading, Trouble } from "./state.js";

// What the states mean, as a colour.
const kinds = { answering: "ok", "not answering": "bad" };

const milliseconds = (n) => (n > 0 ? `${n < 10 ? n.toFixed(1) : Math.round(n)} ms` : "–");

export function RadiusTable({ servers, brief }) {
  if (servers.length === 0) return html`<p class="muted">No server is configured. <a href=${toMenu("/radius")}>Add one</a></p>`;
  return html`<div class="scroll"><table class="plain" aria-label="RADIUS servers">
    <thead><tr><th scope="col">Server</th><th scope="col">State</th>
      ${!brief && html`<th scope="col" class="number">Requests</th>`}
      <th scope="col" class="number">Accepts</th><th scope="col" class="number">Rejects</th><th scope="col" class="number">Timeouts</th>
      ${!brief && html`<th scope="col" class="number">Last answer in</th>`}</tr></thead>
    <tbody>${servers.map((s) => html`<tr key=${s.id} data-id=${s.id}>
      <th scope="row" class="mono">${s.address}</th><td><${Badge} kind=${kinds[s.state]}>${s.state}<//></td>
      ${!brief && html`<td class="number">${count(s.requests)}</td>`}
      <td class="number">${count(s.accepts)}</td><td class="number">${count(s.rejects)}</td><td class="number">${count(s.timeouts)}</td>
      ${!brief && html`<td class="number">${milliseconds(s.lastRtt)}</td>`}</tr>`)}</tbody>
  </table></div>`;
}

export function Radius() {
  useTitle("RADIUS");
  const { data, error, refresh } = usePoll((signal, background) => get("overview", { signal, background }), 2000);
  return html`<div class="view">
    <div class="bar"><h1>RADIUS</h1><span class="gap"></span><a class="button" href=${toMenu("/radius")}>Servers</a><a class="button" href=${toMenu("/ppp/aaa")}>Use by PPP</a><a class="button" href=${toMenu("/radius/incoming")}>Incoming</a></div>
    ${error && !data && html`<${Trouble} error=${error} retry=${refresh} />`}
    ${!data && !error && html`<${Loading} />`}
    ${data && (data.radius?.length > 0 ? html`<section class="panel" data-test="radius"><${RadiusTable} servers=${data.radius} /></section>`
      : html`<${Empty} title="No RADIUS server is configured."><p>Secrets of <a href=${toMenu("/ppp/secret")}>/ppp/secret</a> decide who may connect. <a href=${toMenu("/radius")}>Add a server</a> to have one asked too.</p><//>`)}
  </div>`;
}
