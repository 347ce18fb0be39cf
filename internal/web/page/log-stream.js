// The live log as the server sends it: Server-Sent Events, taken up again where
// they broke off.
import { address, get } from "./api.js";

const rest = 2000; // before it is tried again

// followLog calls onEntries with what comes, and onState with true while there is a
// connection. It gives the function that ends it. While nobody sees the page there is
// no connection: a browser has six to a server, for all of its tabs.
export function followLog(onEntries, onState) {
  let source = null;
  let timer = 0;
  let drawn = 0;
  let last = "";
  let some = [];
  let over = false;

  // What comes in one go is given in one go.
  const deliver = () => {
    drawn = 0;
    const entries = some;
    some = [];
    onEntries(entries);
  };
  const open = () => {
    const url = address("log");
    if (last !== "") url.searchParams.set("after", last);
    const mine = new EventSource(url);
    source = mine;
    source.onopen = () => onState(true);
    source.onmessage = (event) => {
      const entry = JSON.parse(event.data);
      last = String(entry.id);
      some.push(entry);
      drawn ||= setTimeout(deliver, 50);
    };
    source.onerror = () => {
      mine.close();
      onState(false);
      // An event stream does not say why it ended; a request does, and the page
      // learns from it whether the session is over.
      get("session", { background: true }).catch(() => {}).finally(() => {
        if (!over && mine === source && !document.hidden) timer = setTimeout(open, rest);
      });
    };
  };
  const seen = () => {
    clearTimeout(timer);
    source.close();
    if (!document.hidden) open();
  };
  document.addEventListener("visibilitychange", seen);
  open();
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", seen);
    source.close();
    clearTimeout(timer);
    clearTimeout(drawn);
  };
}
