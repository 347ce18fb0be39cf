// A way for xterm.js to have its style sheets under a policy that forbids style
// elements. It makes such elements and fills them when it opens; here it gets ones
// that show nothing, and what it writes into them goes to constructed style sheets,
// which the policy allows.

function styleElement(make) {
  const element = make("template");
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", { set: (css) => sheet.replaceSync(css) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

// withStyle calls open, and catches the style elements that it makes meanwhile.
export function withStyle(open) {
  const make = document.createElement.bind(document);
  document.createElement = (name, options) => (name === "style" ? styleElement(make) : make(name, options));
  try {
    open();
  } finally {
    delete document.createElement; // the document's own shows again
  }
}
