"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data"), pictures = read("pictures"), views = {};
  const root = document.documentElement;

  // ---- theme: as the system says, or as chosen
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const names = { system: "as the system", light: "light", dark: "dark" };
  const button = document.getElementById("theme");
  let chosen = "system";
  try { chosen = localStorage.getItem("theme") || "system"; } catch { /* a file may have no storage */ }
  const isDark = () => (chosen === "system" ? system.matches : chosen === "dark");
  const showTheme = () => {
    root.dataset.theme = isDark() ? "dark" : "light";
    button.textContent = `Theme: ${names[chosen]}`;
    draw();
  };
  button.addEventListener("click", () => {
    const order = Object.keys(names);
    chosen = order[(order.indexOf(chosen) + 1) % order.length];
    try { localStorage.setItem("theme", chosen); } catch { /* see above */ }
    showTheme();
  });
  system.addEventListener("change", showTheme);

  // ---- pictures
  const colours = () => {
    const style = getComputedStyle(root);
    const of = (name) => style.getPropertyValue(name).trim();
    const ink = of("--ink"), faint = of("--faint"), line = of("--line");
    const font = "system-ui, sans-serif";
    return {
      background: "transparent", font,
      view: { stroke: null },
      axis: { labelColor: faint, titleColor: faint, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
      legend: { labelColor: ink, titleColor: faint, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 240 },
      header: { labelColor: ink, titleColor: faint },
      title: { color: ink },
      text: { color: ink },
      style: { ink: { color: ink, fill: ink }, faint: { stroke: faint, color: faint }, paper: { fill: of("--paper") } },
    };
  };
  async function draw() {
    if (!window.vegaEmbed) return;
    for (const [name, spec] of Object.entries(pictures)) {
      const place = document.getElementById(`picture-${name}`);
      const narrow = place.clientWidth < 560;
      const config = { ...(spec.config || {}), ...colours() };
      if (narrow) config.legend = { ...config.legend, orient: "bottom", columns: 2, labelLimit: 140 };
      const full = { ...spec, config, datasets: { ...spec.datasets, [name]: data[name] } };
      const { view } = await window.vegaEmbed(place, full, {
        actions: false, renderer: "svg", tooltip: { theme: isDark() ? "dark" : "light" },
      });
      views[name] = view;
    }
    root.dataset.drawn = isDark() ? "dark" : "light";
  }
  document.querySelectorAll(".image").forEach((b) => b.addEventListener("click", async () => {
    const { set, type } = b.dataset;
    const url = await views[set].toImageURL(type, 2);
    save(url, `${set}.${type}`);
  }));

  // ---- the numbers behind a table or picture
  function save(url, name) {
    const link = Object.assign(document.createElement("a"), { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
  }
  const quoted = (value) => {
    if (value === null || value === undefined) return "";
    // A text that a spreadsheet would take for a formula stays a text.
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (rows) => {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return [columns, ...rows.map((row) => columns.map((c) => row[c]))]
      .map((line) => line.map(quoted).join(",")).join("\n") + "\n";
  };
  document.querySelectorAll(".csv").forEach((b) => b.addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([csv(data[b.dataset.set])], { type: "text/csv" }));
    save(url, `${b.dataset.set}.csv`);
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }));

  // ---- tables: sorted by a click, gaps always last
  document.querySelectorAll("thead button").forEach((b) => b.addEventListener("click", () => {
    const head = b.closest("th"), table = b.closest("table"), body = table.tBodies[0];
    const column = Number(b.dataset.column);
    const isNumber = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : !isNumber;
    table.querySelectorAll("th[aria-sort]").forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const valueOf = (row) => row.cells[column].dataset.value;
    const compare = (x, y) => {
      const [a, b] = [valueOf(x), valueOf(y)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = isNumber && isFinite(a) && isFinite(b) ? a - b : a.localeCompare(b);
      return up ? order : -order;
    };
    body.append(...[...body.rows].sort(compare));
  }));

  // ---- what a column says: on hover and on focus, gone with Escape
  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true"); // readers have it from aria-describedby
  document.body.append(tip);
  const hide = () => { tip.hidden = true; };
  document.querySelectorAll("thead th").forEach((head) => {
    const help = head.querySelector(".help");
    if (!help) return;
    const show = () => {
      tip.textContent = help.textContent;
      tip.hidden = false;
      const at = head.getBoundingClientRect();
      const left = Math.min(at.left, root.clientWidth - tip.offsetWidth - 8);
      tip.style.left = `${Math.max(8, left) + scrollX}px`;
      tip.style.top = `${at.bottom + scrollY + 4}px`;
    };
    head.addEventListener("mouseenter", show);
    head.addEventListener("mouseleave", hide);
    head.addEventListener("focusin", show);
    head.addEventListener("focusout", hide);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // ---- what sending is worth (value.html.jinja)
  document.querySelectorAll(".value").forEach((place) => {
    const { thresholds, curves } = JSON.parse(place.querySelector("script").textContent);
    const [cost, benefit] = ["cost", "benefit"].map((name) => place.querySelector(`[name=${name}]`));
    const format = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
    const update = () => {
      const [c, b] = [Number(cost.value), Number(benefit.value)];
      const right = isFinite(c) && isFinite(b) && c >= 0 && b > 0;
      place.querySelector(".problem").hidden = right;
      if (!right) return;
      const at = Math.min(thresholds.length - 1, thresholds.findIndex((t) => t >= Math.min(1, c / b)));
      const worth = ({ sent, positives }, k) => b * positives[k] - c * sent[k];
      const found = curves.map((curve) => ({ curve, value: worth(curve, curve.everyone ? 0 : at), sent: curve.sent[curve.everyone ? 0 : at] }));
      const best = found.find(({ curve }) => curve.best);
      found.sort((x, y) => y.value - x.value);
      place.querySelector("tbody").replaceChildren(...found.map(({ curve, value, sent }) => {
        const row = document.createElement("tr");
        const cells = [curve.label, format.format(1000 * value), `${format.format(100 * sent)} %`,
          best && best.value > 0 ? `${Math.round(100 * value / best.value)} %` : "–"];
        cells.forEach((text, k) => {
          const cell = document.createElement(k ? "td" : "th");
          if (k) cell.className = "number"; else cell.scope = "row";
          cell.textContent = text;
          row.append(cell);
        });
        return row;
      }));
    };
    [cost, benefit].forEach((input) => input.addEventListener("input", update));
    update();
  });

  showTheme();
})();
