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

// signIn throws what the server says against it.
export async function signIn(name, password) {
  await enter(await post("login", { name, password }));
}

export async function signOut() {
  await request("POST", "logout", { body: {} });
  session.set({ state: "out", why: "You are signed out." });
}

// may reports whether the person has a policy.
export const may = (policy) => session.get().user?.policies?.includes(policy) ?? false;

signedOut.watch(() => {
  if (session.get().state === "in") session.set({ state: "out", why: "Your session has ended. Sign in again." });
});

// People who only look and type send no request, and are here all the same.
const sayEvery = 60_000;

function here() {
  if (session.get().state !== "in" || document.hidden || !connected.get()) return;
  if (Date.now() - lastActive.get() < sayEvery) return;
  lastActive.set(Date.now());
  get("session").catch(() => {}); // the next answer tells what is wrong
}

for (const sign of ["keydown", "pointerdown", "wheel"]) addEventListener(sign, here, { passive: true, capture: true });
