// The door: name and password. Who may come in is the server's matter.
import { html, useEffect, useRef, useState, useTitle } from "./ui.js";
import { signIn } from "./session.js";

export function SignIn({ why }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const name = useRef(null);
  const password = useRef(null);
  useTitle("Sign in");
  useEffect(() => name.current.focus(), []);

  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await signIn(name.current.value, password.current.value);
    } catch (err) {
      setError(err.message);
      setBusy(false);
      password.current.value = "";
      password.current.focus();
    }
  };
  return html`<main class="door">
    <form class="panel" onSubmit=${submit} data-test="sign-in">
      <h1><img src="icon.svg" alt="" width="28" height="28" /> gopptp</h1>
      ${why && !error && html`<p class="notice" role="status" data-test="why">${why}</p>`}
      ${error && html`<p class="notice bad" role="alert" data-test="error">${error}</p>`}
      <label for="name">User</label>
      <input id="name" ref=${name} autocomplete="username" autocapitalize="none" spellcheck=${false} required />
      <label for="password">Password</label>
      <input id="password" ref=${password} type="password" autocomplete="current-password" />
      <button type="submit" class="primary" disabled=${busy} data-test="submit">${busy ? "Signing in…" : "Sign in"}</button>
      ${location.protocol === "http:" && html`<p class="muted small">This connection is not encrypted: whoever is on the way can read the password. Turn on www-ssl in /ip/service.</p>`}
    </form>
  </main>`;
}
