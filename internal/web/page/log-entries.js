// The log as a list of entries with a bound, and which of them one wants to see.
// Pure functions.

// The page keeps as many entries as the server does.
export const most = 1000;

// append puts entries after the list and lets go of the oldest.
export const append = (list, fresh) => (fresh.length === 0 ? list : [...list, ...fresh].slice(-most));

// topicsOf gives all topics that entries have, in order.
export const topicsOf = (list) => [...new Set(list.flatMap((e) => e.topics))].sort();

// wanted gives the entries that have all chosen topics and hold the text.
export function wanted(list, topics, text) {
  const needle = text.trim().toLowerCase();
  return list.filter((e) => topics.every((t) => e.topics.includes(t)) && (needle === "" || e.message.toLowerCase().includes(needle)));
}

// severity is how loud an entry is: bad, warn, quiet or nothing.
export function severity(topics) {
  if (topics.includes("error") || topics.includes("critical")) return "bad";
  if (topics.includes("warning")) return "warn";
  return topics.includes("debug") ? "quiet" : "";
}
