// Where the page is: the part of its address after #. #/menu/ppp/secret is the view
// menu with the words ppp and secret.
import { Value } from "./ui.js";

function read() {
  const words = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map((word) => {
    try {
      return decodeURIComponent(word);
    } catch {
      return word; // typed by hand, with a percent sign that is none
    }
  });
  return { view: words[0] ?? "overview", words: words.slice(1) };
}

// route is where the page is now.
export const route = new Value(read());

addEventListener("hashchange", () => route.set(read()));

// to makes the address of a view.
export const to = (view, ...words) => "#/" + [view, ...words].map(encodeURIComponent).join("/");

// toMenu makes the address of a menu's view.
export const toMenu = (path) => to("menu", ...path.split("/").filter(Boolean));

export const go = (address) => {
  location.hash = address;
};
