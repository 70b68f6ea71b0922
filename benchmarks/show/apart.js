"use strict";
// Test rows on which two models differ most (apart.html.jinja).
document.querySelectorAll(".apart").forEach((place) => {
  const facts = JSON.parse(place.querySelector("script").textContent);
  const name = place.dataset.name;
  const [a, b] = ["a", "b"].map((key) => place.querySelector(`[data-key=${key}]`));
  const head = place.querySelector("thead tr"), body = place.querySelector("tbody");
  const cell = (kind, text, isNumber) => {
    const made = document.createElement(kind);
    made.textContent = text;
    if (isNumber) made.className = "number";
    else if (text.length > 60) made.className = "long";
    if (kind === "th") made.scope = "col";
    return made;
  };
  function show() {
    const [one, other] = [a.value, b.value];
    const found = facts.pairs[`${one}\n${other}`] || facts.pairs[`${other}\n${one}`] || [];
    const places = new Map(facts.models.map((model, k) => [model, k]));
    head.replaceChildren(...["row", "it was", one, other, ...facts.columns].map((text, k) => cell("th", text, k !== 1 && k < 4 && facts.numbers)));
    body.replaceChildren(...found.map((k) => {
      const { row, label, said, values } = facts.rows[k];
      const made = document.createElement("tr");
      const first = cell("th", row, false);
      first.scope = "row";
      made.append(first, cell("td", label, false), cell("td", said[places.get(one)], facts.numbers), cell("td", said[places.get(other)], facts.numbers));
      made.append(...values.map((text) => cell("td", text, false)));
      return made;
    }));
    if (!found.length) {
      const row = document.createElement("tr"), only = cell("td", one === other ? "Choose two models." : "They say the same of every row.", false);
      only.colSpan = 4;
      row.append(only);
      body.replaceChildren(row);
    }
  }
  [a, b].forEach((select) => select.addEventListener("input", () => {
    state.set(`${name}.${select.dataset.key}`, select.value);
    show();
  }));
  state.follow(() => {
    [a, b].forEach((select, k) => {
      const given = state.get(`${name}.${select.dataset.key}`);
      select.value = facts.models.includes(given) ? given : facts.first[k];
    });
    show();
  });
});
