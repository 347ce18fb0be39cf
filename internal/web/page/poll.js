// Looking again and again. A poll waits for its answer before the next, rests
// while nobody sees the page, and slows down while the server does not answer.
import { useCallback, useEffect, useRef, useState } from "./ui.js";

const slowest = 10_000;

// usePoll calls look(signal, background) at once and then every period
// milliseconds, and gives its last answer, or its error. A period may also be a
// function that gives it for an answer. Only the first look is a person's. A change
// of key begins again; a period of 0 looks once.
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
    let wanted = null; // whether in the background, while another look is under way
    const run = async (background) => {
      if (running) {
        wanted = background && wanted !== false;
        return;
      }
      running = true;
      clearTimeout(timer);
      let pause = 0;
      try {
        const data = await current.current(over.signal, background);
        if (over.signal.aborted) return;
        failures = 0;
        pause = typeof period === "function" ? period(data) : period;
        setState({ key, data, error: null });
      } catch (error) {
        if (over.signal.aborted) return;
        failures++;
        pause = Math.min(1000 * 2 ** failures, slowest);
        setState((old) => ({ key, data: old.key === key ? old.data : undefined, error }));
      }
      running = false;
      if (wanted !== null) {
        const next = wanted;
        wanted = null;
        run(next);
      } else if (pause > 0) {
        timer = setTimeout(tick, pause);
      }
    };
    const tick = () => {
      if (!document.hidden) run(true);
    };
    const seen = () => {
      if (!document.hidden && !running && period !== 0) run(true);
    };
    again.current = run;
    document.addEventListener("visibilitychange", seen);
    run(false);
    return () => {
      over.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key, period]);

  // Refresh looks at once, for a person unless it is told that it is not.
  const refresh = useCallback((background) => again.current(background === true), []);
  const fresh = state.key === key;
  return { data: fresh ? state.data : undefined, error: fresh ? state.error : null, refresh };
}
