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
      axis: { labelColor: faint, titleColor: faint, gridColor: line, domainColor: line, tickColor: line, labelOverlap: "greedy", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
      legend: { labelColor: ink, titleColor: faint, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 240 },
      header: { labelColor: ink, titleColor: faint },
      title: { color: ink },
      text: { color: ink },
      style: { ink: { color: ink, fill: ink }, faint: { stroke: faint, color: faint }, aside: { fill: faint, color: faint }, paper: { fill: of("--paper") } },
    };
  };
  async function draw() {
    for (const [name, spec] of Object.entries(window.vegaEmbed ? pictures : {})) {
      const place = document.getElementById(`picture-${name}`);
      const panel = place.closest("[data-panel]"), wasHidden = panel.hidden;
      panel.hidden = false; // what is hidden has no width
      const narrow = place.clientWidth < 560;
      const config = { ...(spec.config || {}), ...colours() };
      if (narrow) config.legend = { ...config.legend, orient: "bottom", columns: 2, labelLimit: 140 };
      const least = spec.usermeta?.least || 0;
      const fixed = place.clientWidth < least ? { width: least - 120 } : {}; // it scrolls by itself
      const full = { ...spec, ...fixed, config, datasets: { ...spec.datasets, [name]: data[name] } };
      const { view } = await window.vegaEmbed(place, full, {
        actions: false, renderer: "svg", tooltip: { theme: isDark() ? "dark" : "light" },
      });
      views[name] = view;
      panel.hidden = wasHidden;
    }
    if (!root.dataset.drawn) state.go(); // the page has its height now
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
  function sort(b, up) {
    const head = b.closest("th"), table = b.closest("table"), body = table.tBodies[0];
    const column = Number(b.dataset.column);
    const isNumber = head.classList.contains("number");
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
  }
  document.querySelectorAll("thead button").forEach((b) => b.addEventListener("click", () => {
    const head = b.closest("th"), before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : !head.classList.contains("number");
    sort(b, up);
    const table = b.closest("table").id.replace("table-", "");
    state.set(`sort.${table}`, `${b.dataset.column}${up ? "up" : "down"}`);
  }));
  state.follow(() => document.querySelectorAll("table[id]").forEach((table) => {
    const [, column, way] = (state.get(`sort.${table.id.replace("table-", "")}`) || "").match(/^(\d+)(up|down)$/) || [];
    const b = column && table.querySelector(`thead button[data-column="${column}"]`);
    if (b) sort(b, way === "up");
  }));

  // ---- tables of which one part can be chosen, and those that are folded
  document.querySelectorAll(".choose").forEach((select) => {
    const name = select.dataset.set, table = document.getElementById(`table-${name}`);
    const label = select.closest("label").firstChild.textContent.trim();
    const column = [...table.querySelectorAll("thead button")].findIndex((b) => b.textContent.trim() === label);
    const show = () => [...table.tBodies[0].rows].forEach((row) => {
      row.hidden = select.value !== "" && row.cells[column].textContent.trim() !== select.value;
    });
    select.addEventListener("input", () => { state.set(`choose.${name}`, select.value); show(); });
    state.follow(() => { select.value = state.get(`choose.${name}`) ?? ""; show(); });
  });
  document.querySelectorAll("details[data-name]").forEach((details) => {
    const key = `open.${details.dataset.name}`;
    details.addEventListener("toggle", () => state.set(key, details.open ? "1" : ""));
    state.follow(() => { details.open = state.get(key) === "1"; });
  });

  // ---- a picture, the numbers behind it, how they were measured
  const shown = (value) => (typeof value !== "number" ? String(value ?? "–") : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4))));
  const MOST = 500; // lines of a table; the CSV has all
  function numbers(panel, rows) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    columns.forEach((column) => {
      const th = Object.assign(document.createElement("th"), { scope: "col", textContent: column });
      if (rows.some((row) => typeof row[column] === "number")) th.className = "number";
      head.append(th);
    });
    const body = table.createTBody();
    rows.slice(0, MOST).forEach((row) => {
      const line = body.insertRow();
      columns.forEach((column) => {
        const cell = line.insertCell();
        cell.textContent = shown(row[column]);
        if (typeof row[column] === "number") cell.className = "number";
      });
    });
    panel.replaceChildren(table);
    if (rows.length > MOST) panel.append(Object.assign(document.createElement("p"), { className: "note", textContent: `${MOST} of ${rows.length} lines; the CSV has all.` }));
  }
  document.querySelectorAll("figure[data-name]").forEach((figure) => {
    const name = figure.dataset.name, tabs = [...figure.querySelectorAll("[role=tab]")];
    const show = (which) => {
      tabs.forEach((tab) => {
        const mine = tab.dataset.tab === which;
        tab.setAttribute("aria-selected", String(mine));
        tab.tabIndex = mine ? 0 : -1;
        const panel = figure.querySelector(`[data-panel=${tab.dataset.tab}]`);
        panel.hidden = !mine;
        if (mine && which === "table" && !panel.firstChild) numbers(panel, data[name]);
      });
    };
    const choose = (tab) => {
      show(tab.dataset.tab);
      state.set(`tab.${name}`, tab.dataset.tab === "chart" ? "" : tab.dataset.tab);
    };
    tabs.forEach((tab, k) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(k + step + tabs.length) % tabs.length];
        choose(next);
        next.focus();
      });
    });
    state.follow(() => {
      const given = state.get(`tab.${name}`);
      show(tabs.some((tab) => tab.dataset.tab === given) ? given : "chart");
    });
  });

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

  showTheme();
})();
