// The way to the server: JSON over fetch, under /web/api/. It turns answers into
// values and errors, and tells whether the server is reached and whether the
// session goes on. It keeps nothing.
import { Value } from "./ui.js";

const root = new URL("api/", document.baseURI);

// The page gives up on an answer after this long. A command may take a minute
// on the server.
const patience = 70_000;

// connected is false from a request that did not arrive to the next that does.
export const connected = new Value(true);

// signedOut counts the answers that said that there is no session.
export const signedOut = new Value(0);

// lastActive is when the server last saw a person: what its sessions expire by.
export const lastActive = new Value(Date.now());

// An APIError is what the server refused, in RouterOS's words.
export class APIError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const address = (path) => new URL(path, root);

// restPath is where the REST of a menu is, with the words after it.
export function restPath(menu, ...words) {
  return "rest" + (menu.path === "/" ? "" : menu.path) + words.map((w) => "/" + encodeURIComponent(w)).join("");
}

async function problem(response) {
  let text = response.statusText || `error ${response.status}`;
  try {
    const body = await response.json();
    text = body.detail || body.message || text;
  } catch {
    // not the server's own words: a proxy between
  }
  return new APIError(response.status, text);
}

// request sends one request and gives its Response, or throws an APIError. Status 0
// is a server that was not reached. A background request does not keep the session.
export async function request(method, path, { body, background = false, signal } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (background) headers["X-Background"] = "1";
  const until = AbortSignal.timeout(patience);
  let response;
  try {
    response = await fetch(address(path), {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin", cache: "no-store", redirect: "error",
      signal: signal ? AbortSignal.any([signal, until]) : until,
    });
  } catch (err) {
    if (signal?.aborted) throw err;
    connected.set(false);
    throw new APIError(0, "The server does not answer.");
  }
  connected.set(true);
  if (!response.ok) {
    const err = await problem(response);
    if (response.status === 401 && path !== "login") signedOut.set(signedOut.get() + 1);
    throw err;
  }
  if (!background) lastActive.set(Date.now());
  return response;
}

async function json(method, path, options) {
  const response = await request(method, path, options);
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}

export const get = (path, options) => json("GET", path, options);
export const post = (path, body = {}, options) => json("POST", path, { ...options, body });
export const put = (path, body) => json("PUT", path, { body });
export const patch = (path, body) => json("PATCH", path, { body });
export const del = (path) => json("DELETE", path);
