// The last hour of the server's traffic, kept up to date by asking only for what
// is new. Pure but for the hook at its end.
import { useMemo, useRef } from "./ui.js";
import { get } from "./api.js";
import { usePoll } from "./poll.js";

const hour = 3600;
const period = 5000;
const least = 300; // seconds that a plot shows of a server that is younger

// join puts new points after the old ones and leaves out what is older than an
// hour. A point is [milliseconds since 1970, received, sent, sessions].
export function join(old, fresh) {
  const last = old.at(-1)?.[0] ?? 0;
  const all = [...old, ...fresh.filter((p) => p[0] > last)];
  const oldest = (all.at(-1)?.[0] ?? 0) - hour * 1000;
  return all.filter((p) => p[0] >= oldest);
}

// lists turns points into a list of times in seconds and one for each column.
export const lists = (points, ...columns) => [points.map((p) => p[0] / 1000), ...columns.map((c) => points.map((p) => p[c]))];

// spanOf is how many seconds a plot shows: an hour, or less while there is less, in
// steps, so that it is not drawn anew for each point.
function spanOf(points) {
  const age = ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0)) / 1000;
  return Math.min(hour, Math.max(least, Math.ceil(age / least) * least));
}

// useHistory gives the points as the two plots of the overview need them.
export function useHistory() {
  const kept = useRef([]);
  const { data, error } = usePoll(async (signal, background) => {
    const since = kept.current.at(-1)?.[0] ?? 0;
    const answer = await get(`history?since=${since}`, { signal, background });
    kept.current = join(kept.current, answer.points ?? []);
    return kept.current;
  }, period);
  const traffic = useMemo(() => lists(data ?? [], 1, 2), [data]);
  const sessions = useMemo(() => lists(data ?? [], 3), [data]);
  return { ready: data !== undefined, error, traffic, sessions, span: spanOf(data ?? []) };
}
