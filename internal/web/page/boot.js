// What a person sees when the page does not come up: a module that cannot be had keeps
// all of them from running. This is a classic script for that reason, which the page loads
// before them. Once the page is up it does nothing.
(() => {
  const make = (name, className, ...content) => {
    const element = document.createElement(name);
    element.className = className;
    element.append(...content);
    return element;
  };
  const failed = ({ target }) => {
    const script = target === window || target instanceof HTMLScriptElement;
    if (!script || !document.querySelector("#app > .boot")) return;
    const why = make("p", "notice bad", "The page could not be loaded whole. Perhaps the server does not answer, or the connection broke off. The same menus are there by SSH and by REST.");
    why.role = "alert";
    const again = make("button", "primary", "Try again");
    again.type = "button";
    again.dataset.test = "load-again";
    again.addEventListener("click", () => location.reload());
    document.getElementById("app").replaceChildren(make("main", "door", make("div", "panel", make("h1", "", "gopptp"), why, again)));
  };
  // The failure of a file does not rise to the window, but passes it on its way down.
  addEventListener("error", failed, true);
})();
