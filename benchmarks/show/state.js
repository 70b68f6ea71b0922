"use strict";
// What a reader has set stands in the address, behind the place on the page: #PLACE?KEY=VALUE&…
// A link then shows what its sender saw. Only the part behind # is used: a page is a file.
const state = (() => {
  const read = () => {
    const [place, query] = location.hash.slice(1).split("?");
    return [place || "", new URLSearchParams(query || "")];
  };
  let [place, values] = read();
  const listeners = [];
  let timer = 0;
  // Some browsers refuse more than a hundred changes of the address within half a minute.
  const write = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = values.toString();
      try { history.replaceState(null, "", `#${place}${text ? `?${text}` : ""}`); } catch { /* the next one */ }
    }, 250);
  };
  window.addEventListener("hashchange", () => {
    const [there, found] = read();
    place = there;
    if (location.hash.includes("?")) {
      values = found;
      listeners.forEach((listener) => listener());
    } else if (values.size) {
      write(); // a link to a chapter keeps what was set
    }
    state.go();
  });
  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      if (value === null || value === "" || value === undefined) values.delete(key);
      else values.set(key, value);
      write();
    },
    // Whoever shows something of the state shows it now, and again when an address is opened.
    follow: (listener) => { listeners.push(listener); listener(); },
    go: () => { if (place) document.getElementById(decodeURIComponent(place))?.scrollIntoView({ behavior: "instant" }); },
  };
})();
