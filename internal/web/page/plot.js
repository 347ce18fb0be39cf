// A plot of values over time that goes on while one looks. uPlot draws it; this
// gives it the theme's colours, the size of its place, and words for those who do
// not see it.
import uPlot from "./vendor/uplot.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./ui.js";
import { clock } from "./format.js";

// traffic are the curves of what came in and what went out.
export const traffic = [{ label: "Received", colour: "--rx" }, { label: "Sent", colour: "--tx" }];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The distances that lines of the plot may have: whole numbers, round ones.
const steps = Array.from({ length: 14 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

// A plot of less than these seconds says the seconds too.
const withMinutes = 1800;

// options describes the plot to uPlot. A curve is { label, colour } with the name
// of the custom property that has its colour.
function options({ curves, value, size, least, onCursor, span }) {
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  return {
    ...size, pxAlign: true, legend: { show: false }, padding: [8, 18, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
    scales: {
      x: { time: true, range: (_u, _low, high) => [(high ?? Date.now() / 1000) - span, high ?? Date.now() / 1000] },
      y: { range: (_u, _low, high) => [0, Math.max(high ?? 0, least) * 1.1] },
    },
    series: [{}, ...curves.map((c) => ({ label: c.label, stroke: colour(c.colour), fill: colour(c.colour + "-fill"), width: 1.5, points: { show: false } }))],
    axes: [
      { ...axis, size: 28, space: 70, values: (_u, splits) => splits.map((t) => clock(t, span < withMinutes)) },
      { ...axis, size: 76, space: 34, incrs: steps, values: (_u, splits) => splits.map(value) },
    ],
    hooks: { setCursor: [(u) => onCursor(u.cursor.idx ?? null)] },
  };
}

// A Plot shows data: a list of times in seconds, then a list of values for each
// curve. Span is how many seconds it shows; its top is never below least.
export function Plot({ label, data, curves, value, span, least, height = 200, test }) {
  const place = useRef(null);
  const plot = useRef(null);
  const shown = useRef(data);
  const [cursor, setCursor] = useState(null);
  const [theme, setTheme] = useState(0);
  shown.current = data;

  useEffect(() => {
    const changed = () => setTheme((n) => n + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", changed);
    addEventListener("gopptp-theme", changed);
    return () => {
      system.removeEventListener("change", changed);
      removeEventListener("gopptp-theme", changed);
    };
  }, []);

  useLayoutEffect(() => {
    const size = () => ({ width: Math.max(120, place.current.clientWidth), height });
    const u = new uPlot(options({ curves, value, size: size(), least, span, onCursor: setCursor }), shown.current, place.current);
    plot.current = u;
    const watch = new ResizeObserver(() => u.setSize(size()));
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [theme, height, span]);

  useEffect(() => plot.current?.setData(data), [data]);

  const at = cursor !== null && cursor < data[0].length ? cursor : data[0].length - 1;
  const text = (i) => (at >= 0 ? value(data[i + 1][at] ?? 0) : "–");
  const words = curves.map((c, i) => `${c.label} ${text(i)}`).join(", ");
  return html`<figure class="plot" data-test=${test} data-points=${data[0].length} data-last=${data[0].at(-1) ?? ""}>
    <figcaption>
      <span class="strong">${label}</span>
      <span class="legend">${curves.map((c, i) => html`<span key=${c.label}><i class=${"key " + c.colour.slice(2)} aria-hidden="true"></i>${c.label} <b data-test=${"plot-" + c.label.toLowerCase()}>${text(i)}</b></span>`)}
        <time>${at >= 0 ? clock(data[0][at], true) : ""}</time></span>
    </figcaption>
    <div class="canvas" ref=${place} role="img" aria-label=${`${label}: ${words}`}></div>
  </figure>`;
}
