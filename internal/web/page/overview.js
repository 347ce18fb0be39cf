// The overview: whether all is well, and what goes on.
import { html, useTitle } from "./ui.js";
import { get } from "./api.js";
import { count, duration, moment, rate, visible } from "./format.js";
import { useHistory } from "./history.js";
import { Plot, traffic } from "./plot.js";
import { usePoll } from "./poll.js";
import { RadiusTable } from "./radius.js";
import { to, toMenu } from "./route.js";
import { Badge, Loading, Trouble } from "./state.js";

const sessions = [{ label: "Sessions", colour: "--count" }];

const Figure = ({ title, children, sub, href, test }) => html`<a class="figure panel" href=${href} data-test=${test}>
  <span class="muted">${title}</span><strong>${children}</strong><span class="muted small">${sub}</span>
</a>`;

function Server({ server }) {
  if (!server.enabled) return html`<${Badge}>off<//>`;
  return server.listening ? html`<${Badge} kind="ok">listening<//>` : html`<${Badge} kind="bad">not listening<//>`;
}

function Plots() {
  const { ready, error, traffic: rates, sessions: numbers, span } = useHistory();
  if (!ready) return html`<section class="panel plots">${error ? html`<${Trouble} error=${error} />` : html`<${Loading} what="Loading the last hour" />`}</section>`;
  return html`<section class="panel plots" aria-label="The last hour">
    <${Plot} label="Throughput, last hour" data=${rates} curves=${traffic} value=${rate} least=${1000} span=${span} test="plot-traffic" />
    <${Plot} label="Active sessions, last hour" data=${numbers} curves=${sessions} value=${count} least=${4} span=${span} height=${110} test="plot-sessions" />
  </section>`;
}

function Warnings({ list }) {
  return html`<section class="panel" data-test="warnings">
    <h2>Warnings</h2>
    ${list.length === 0 ? html`<p class="muted">None.</p>` : html`<ul class="warnings">${list.map((w) => html`<li key=${w.text}>
      <span class="mark" aria-hidden="true">!</span><span>${w.text}${w.menu && html` <a href=${toMenu(w.menu)}>${w.menu}</a>`}</span></li>`)}</ul>`}
  </section>`;
}

function FailedLogins({ failed }) {
  return html`<section class="panel" data-test="failed-logins">
    <h2>Failed sign-ins</h2>
    <p><strong>${count(failed.lastHour)}</strong> in the last hour, <strong>${count(failed.total)}</strong> since the start.</p>
    ${failed.recent?.length > 0 && html`<ul class="lines">${failed.recent.map((f, i) => html`<li key=${i}><time datetime=${f.time}>${moment(f.time)}</time> <span>${visible(f.text)}</span></li>`)}</ul>`}
  </section>`;
}

export function Overview() {
  useTitle("Overview");
  const { data, error, refresh } = usePoll((signal, background) => get("overview", { signal, background }), 2000);
  if (!data) return error ? html`<${Trouble} error=${error} retry=${refresh} />` : html`<${Loading} />`;
  const { server } = data;
  const { clients } = data.sessions;
  return html`<div class="view overview">
    <h1>Overview</h1>
    <div class="figures">
      <${Figure} title="PPTP server" href=${toMenu("/interface/pptp-server/server")} sub=${`up ${duration(data.uptime)}`} test="server"><${Server} server=${server} /><//>
      <${Figure} title="Active sessions" href=${to("sessions")} sub="of the server" test="active">${count(data.sessions.active)}<//>
      <${Figure} title="Clients" href=${toMenu("/interface/pptp-client")} sub="running, of all" test="clients">${count(clients.running)} / ${count(clients.all)}<//>
      <${Figure} title="Received now" href=${to("sessions")} sub="from the tunnels" test="rx"><span class="rx">${rate(data.traffic.rx)}</span><//>
      <${Figure} title="Sent now" href=${to("sessions")} sub="into the tunnels" test="tx"><span class="tx">${rate(data.traffic.tx)}</span><//>
    </div>
    <${Plots} />
    <div class="pair">
      <${Warnings} list=${data.warnings ?? []} />
      <div class="stack">
        <${FailedLogins} failed=${data.failedLogins} />
        <section class="panel" data-test="radius-state"><h2>RADIUS</h2><${RadiusTable} servers=${data.radius ?? []} brief /></section>
      </div>
    </div>
  </div>`;
}
