// The names that a reference may have: the items of another menu.
import { useEffect, useState } from "./ui.js";
import { get, restPath } from "./api.js";
import { session } from "./session.js";

// More than these do not help who has to choose.
const most = 1000;

// useNames gives the names of the items of the menu at path, none while they are
// on their way or when the person may not see them.
export function useNames(path) {
  const [names, setNames] = useState([]);
  useEffect(() => {
    const menu = session.get().byPath?.get(path);
    const key = menu?.nameKey || menu?.columns[0];
    if (!key) return undefined;
    const over = new AbortController();
    get(`${restPath(menu)}?.proplist=${encodeURIComponent(key)}`, { signal: over.signal })
      .then((rows) => setNames(rows.slice(0, most).map((r) => r[key]).filter(Boolean)), () => {});
    return () => over.abort();
  }, [path]);
  return names;
}
