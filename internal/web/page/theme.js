// The theme: light, dark, or what the system says. This is a classic script that
// the page loads before it is drawn, so that a dark page never flashes white; it
// reaches the modules as the global gopptpTheme. It only sets an attribute.
(() => {
  const key = "gopptp-theme";
  const root = document.documentElement;
  const set = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  const read = () => {
    try {
      return localStorage.getItem(key) ?? "system";
    } catch {
      return "system"; // storage is refused: the system decides
    }
  };
  set(read());
  globalThis.gopptpTheme = {
    get: () => root.dataset.theme ?? "system",
    set(theme) {
      set(theme);
      try {
        localStorage.setItem(key, theme);
      } catch {
        // it lasts as long as the page then
      }
      dispatchEvent(new Event("gopptp-theme"));
    },
  };
})();
