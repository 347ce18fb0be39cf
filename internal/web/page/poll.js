// Looking again and again. A poll waits for its answer before the next, rests
// while nobody sees the page, and slows down while the server does not answer.
import { useCallback, useEffect, useRef, useState } from "./ui.js";

const slowest = 10_000;

// usePoll calls look(signal, background) at once and then every period
// milliseconds, and gives its last answer, or its error. Only the first look is a
// person's. A change of key begins again; a period of 0 looks once.
export function usePoll(look, period, key = "") {
  const [state, setState] = useState({ key, data: undefined, error: null });
  const again = useRef(() => {});
  const current = useRef(look);
  current.current = look;

  useEffect(() => {
    const over = new AbortController();
    let timer = 0;
    let failures = 0;
    let running = false;
    let wanted = false;
    const run = async (background) => {
      if (running) {
        wanted = true;
        return;
      }
      running = true;
      clearTimeout(timer);
      try {
        const data = await current.current(over.signal, background);
        if (over.signal.aborted) return;
        failures = 0;
        setState({ key, data, error: null });
      } catch (error) {
        if (over.signal.aborted) return;
        failures++;
        setState((old) => ({ key, data: old.key === key ? old.data : undefined, error }));
      }
      running = false;
      if (wanted) {
        wanted = false;
        run(false);
      } else if (period > 0 || failures > 0) {
        timer = setTimeout(tick, failures > 0 ? Math.min(1000 * 2 ** failures, slowest) : period);
      }
    };
    const tick = () => {
      if (!document.hidden) run(true);
    };
    const seen = () => {
      if (!document.hidden && !running && period > 0) run(true);
    };
    again.current = () => run(false);
    document.addEventListener("visibilitychange", seen);
    run(false);
    return () => {
      over.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key, period]);

  const refresh = useCallback(() => again.current(), []);
  const fresh = state.key === key;
  return { data: fresh ? state.data : undefined, error: fresh ? state.error : null, refresh };
}
