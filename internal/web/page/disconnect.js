// Ending a session of a peer, wherever the page offers that.
import { del } from "./api.js";
import { ask, tell } from "./dialog.js";
import { visible } from "./format.js";
import { session } from "./session.js";

// disconnect asks, and ends a session. It resolves to whether that was done.
export async function disconnect(row) {
  const yes = await ask({ title: "Disconnect this session?", text: `${visible(row.name)} (${row.callerId}) loses the tunnel at once, and may dial again.`, action: "Disconnect", danger: true });
  if (!yes) return false;
  try {
    await del(`rest/ppp/active/${encodeURIComponent(row.id)}`);
    tell(`${visible(row.name)} was disconnected.`);
    return true;
  } catch (err) {
    tell(err.message, "bad");
    return false;
  }
}

// mayDrop reports whether the person may end sessions.
export const mayDrop = () => session.get().byPath.get("/ppp/active")?.commands.some((c) => c.name === "remove" && c.allowed) ?? false;
