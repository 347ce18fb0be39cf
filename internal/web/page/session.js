// Who is signed in, and the tree of menus that the server lets them see. It keeps
// the session while a person is at work on the page, and gives it up with them.
import { APIError, connected, get, lastActive, post, request, signedOut } from "./api.js";
import { Value } from "./ui.js";

// session is { state: "starting" | "out" | "in" | "failed", user, root, byPath, why }.
export const session = new Value({ state: "starting" });

function paths(menu, into = new Map()) {
  into.set(menu.path, menu);
  for (const child of menu.children ?? []) paths(child, into);
  return into;
}

async function enter(user) {
  const root = await get("menus");
  session.set({ state: "in", user, root, byPath: paths(root), why: "" });
}

// start finds out whether the browser has a session already.
export async function start() {
  session.set({ state: "starting" });
  try {
    await enter(await get("session"));
  } catch (error) {
    if (error instanceof APIError && error.status === 401) session.set({ state: "out", why: "" });
    else session.set({ state: "failed", why: error.message });
  }
}

// The tabs of a browser have one session together. Each tells the others who is in
// now, so that none shows one user and does its work as another.
const tabs = new BroadcastChannel("gopptp-session");

tabs.addEventListener("message", ({ data: name }) => {
  const { state, user } = session.get();
  if (state === "in" && user.user !== name) start();
});

// signIn throws what the server says against it.
export async function signIn(name, password) {
  const user = await post("login", { name, password });
  tabs.postMessage(user.user);
  await enter(user);
}

export async function signOut() {
  await request("POST", "logout", { body: {} });
  tabs.postMessage("");
  session.set({ state: "out", why: "You are signed out." });
}

// may reports whether the person has a policy.
export const may = (policy) => session.get().user?.policies?.includes(policy) ?? false;

signedOut.watch(() => {
  if (session.get().state === "in") session.set({ state: "out", why: "Your session has ended. Sign in again." });
});

// People who only look and type send no request, and are here all the same. They
// are told of at least so many times before their session would end.
const sayEvery = 60_000;
const times = 3;

function here() {
  const { state, user } = session.get();
  if (state !== "in" || document.hidden || !connected.get()) return;
  if (Date.now() - lastActive.get() < Math.min(sayEvery, (user.inactivityTimeout * 1000) / times)) return;
  lastActive.set(Date.now());
  get("session").catch(() => {}); // the next answer tells what is wrong
}

for (const sign of ["keydown", "pointerdown", "wheel"]) addEventListener(sign, here, { passive: true, capture: true });
