// Numbers and times as people read them. Pure functions.

function scaled(n, step, units) {
  let i = 0;
  let x = Math.abs(n);
  while (x >= step && i < units.length - 1) {
    x /= step;
    i++;
  }
  const digits = i === 0 || x >= 100 ? 0 : x >= 10 ? 1 : 2;
  return `${n < 0 ? "-" : ""}${x.toFixed(digits)} ${units[i]}`;
}

// rate is a number of bits per second.
export const rate = (n) => scaled(Number(n) || 0, 1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]);

// bytes is an amount of octets.
export const bytes = (n) => scaled(Number(n) || 0, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);

// count is a whole number, with its thousands apart.
export const count = (n) => Math.round(Number(n) || 0).toLocaleString("en-US");

// duration is a time in seconds, in RouterOS's words: 1w2d3h4m5s.
export function duration(seconds) {
  let left = Math.max(0, Math.floor(seconds));
  let text = "";
  for (const [unit, size] of [["w", 604_800], ["d", 86_400], ["h", 3600], ["m", 60]]) {
    if (left >= size) {
      text += Math.floor(left / size) + unit;
      left %= size;
    }
  }
  return left > 0 || text === "" ? `${text}${left}s` : text;
}

const two = (n) => String(n).padStart(2, "0");

// clock is a time of day of a number of seconds since 1970.
export function clock(unix, withSeconds) {
  const t = new Date(unix * 1000);
  return two(t.getHours()) + ":" + two(t.getMinutes()) + (withSeconds ? ":" + two(t.getSeconds()) : "");
}

const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// compare orders two texts as people do: user9 before user10, 10.0.0.9 before
// 10.0.0.10.
export const compare = (a, b) => order.compare(a ?? "", b ?? "");

// moment is a time as the server writes it, on the clock of who looks: with the date
// unless it was today.
export function moment(text) {
  const t = new Date(text);
  if (Number.isNaN(t.getTime())) return String(text ?? "");
  const time = clock(t.getTime() / 1000, true);
  if (t.toDateString() === new Date().toDateString()) return time;
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${time}`;
}

const unseen = (c) => (c === "\n" ? "⏎" : `\\u{${c.codePointAt(0).toString(16).toUpperCase()}}`);

// visible shows what would change how a text reads without being seen: control
// characters, and those that turn the direction of writing. Peers choose names.
export const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, unseen);
