// What every view is written with: templates, hooks, and a value that several
// components watch. It knows nothing of gopptp.
import { h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";
import { useEffect, useState } from "./vendor/hooks.js";

export { render };
export { useCallback, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.js";

// html makes elements of a template. What is put into it becomes text or
// properties, never markup, whoever chose it.
export const html = htm.bind(h);

// A Value is one that changes, and those who watch it.
export class Value {
  #now;
  #watchers = new Set();

  constructor(now) {
    this.#now = now;
  }

  get() {
    return this.#now;
  }

  set(next) {
    if (Object.is(next, this.#now)) return;
    this.#now = next;
    for (const tell of this.#watchers) tell(next);
  }

  watch(tell) {
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }
}

// useValue gives what a Value is now, and draws the component again when it changes.
export function useValue(value) {
  const [now, setNow] = useState(value.get());
  useEffect(() => {
    setNow(() => value.get());
    return value.watch((next) => setNow(() => next));
  }, [value]);
  return now;
}

// useTitle names the page after the view.
export function useTitle(title) {
  useEffect(() => {
    document.title = `${title} · gopptp`;
  }, [title]);
}
