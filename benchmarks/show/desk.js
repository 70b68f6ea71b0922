"use strict";
// The constraint desk (desk.html.jinja): what may be used under these conditions, and what then.
document.querySelectorAll(".desk").forEach((place) => {
  const facts = JSON.parse(place.querySelector("script").textContent);
  const name = place.dataset.name;
  const inputs = [...place.querySelectorAll("[data-key]")];
  const body = place.querySelector("tbody");
  const heads = [...place.querySelectorAll("thead th")].map((th) => th.textContent);
  const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
  const four = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  const told = (value) => (value === null || value === undefined ? "–" : short.format(value));
  const score = (value) => (Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(1));

  // A slider's position, 0 to 100, is a power between its ends; at its right end a limit is none.
  const valueOf = (input) => {
    if (input.type === "checkbox") return input.checked;
    if (input.tagName === "SELECT") return input.value;
    const { low, high, kind } = input.dataset;
    const at = Number(input.value) / 100;
    if (kind === "limit" && at >= 0.999) return Infinity;
    return Number(low) * (Number(high) / Number(low)) ** at;
  };
  const positionOf = (input, value) =>
    (100 * Math.log(value / input.dataset.low)) / Math.log(input.dataset.high / input.dataset.low);
  const start = (input) => {
    if (input.type === "checkbox") input.checked = false;
    else if (input.tagName === "SELECT") input.selectedIndex = 0;
    else input.value = input.dataset.start ? positionOf(input, Number(input.dataset.start)) : 100;
  };

  const has = (pairs, a, b) => pairs.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
  const simpler = (a, b) => (a.year ?? 9999) - (b.year ?? 9999) || (a.seconds ?? Infinity) - (b.seconds ?? Infinity);

  function monthly(model, set) {
    if (model.once === null || model.each === null) return null;
    if (model.served) {
      const dear = facts.prices.read ? facts.prices.written / facts.prices.read : 1;
      const price = set.read ?? facts.prices.read;
      return (set.volume * (model.tokens[0] * price + model.tokens[1] * price * dear)) / 1e6;
    }
    const core = set.cpu_hour ?? facts.prices.cpu_hour, gpu = set.gpu_hour ?? facts.prices.gpu_hour;
    return ((model.once + set.volume * model.each) * (model.gpu ? gpu : model.threads * core)) / 3600;
  }
  // Benefit less cost of a row, where rows are chosen from the threshold cost / benefit on.
  function worth(policy, set) {
    if (!policy.sent) return null;
    const threshold = Math.min(1, set.cost / set.benefit);
    const found = facts.thresholds.findIndex((t) => t >= threshold - 1e-9);
    const at = Math.min(policy.sent.length - 1, found < 0 ? facts.thresholds.length - 1 : found);
    return { each: set.benefit * policy.positives[at] - set.cost * policy.sent[at], sent: policy.sent[at] };
  }
  function refused(model, set) {
    const said = [];
    if (set.ms < Infinity && (model.ms === null || model.ms > set.ms)) said.push(model.ms === null ? "its calls were not timed" : `${told(model.ms)} ms`);
    if (set.mb < Infinity && (model.mb === null || model.mb > set.mb)) said.push(model.mb === null ? "its memory was not measured" : `${told(model.mb)} MB`);
    if (set.nogpu && model.gpu) said.push("it ran on a GPU");
    return said.join(", ");
  }

  // As benchmarks/analysis/advice.py: the best that is left, those equal to it, of these the simplest.
  function decide(set) {
    const byWorth = set.by === "worth";
    const lines = facts.models.map((model) => {
      const value = worth(model, set), month = monthly(model, set);
      const left = value === null || month === null ? null : value.each * set.volume - month;
      return { ...model, month, value, left, why: refused(model, set) };
    });
    const free = lines.filter((line) => !line.why && (!byWorth || line.left !== null));
    free.sort(byWorth ? (a, b) => b.left - a.left : (a, b) => b.ranked - a.ranked || facts.sign * (b.score - a.score));
    const best = free[0];
    let use = best;
    for (const line of lines) {
      if (line.why) line.word = `ruled out: ${line.why}`;
      else if (byWorth && line.left === null) line.word = "its worth or its cost is not known";
      else if (line === best) line.word = "best";
      else if (byWorth) line.word = "";
      else if (has(facts.equal, line.label, best.label)) line.word = "as good";
      else line.word = has(facts.unsure, line.label, best.label) ? "can't tell" : "worse";
    }
    if (best && !byWorth) {
      use = free.filter((line) => line === best || line.word === "as good").sort(simpler)[0];
      if (use !== best) best.word = "as good";
      if (facts.floor !== null && facts.sign * (best.score - facts.floor) <= 0) use = undefined;
    }
    const everyone = facts.references.find((line) => line.label === "everyone");
    const all = byWorth && everyone ? worth(everyone, set).each * set.volume : null;
    if (byWorth && use && (use.left <= 0 || all >= use.left)) use = undefined;
    if (use) use.word = "use this";
    return { lines, free, best, use, byWorth, all };
  }

  function sentence({ lines, free, best, use, byWorth, all }, set) {
    const out = lines.filter((line) => line.why);
    const names = out.map((line) => `${line.label} (${line.why})`).join(", ");
    const gone = out.length ? ` Ruled out: ${names}.` : "";
    if (!best) return `Nothing is left under these conditions.${gone}`;
    if (byWorth && !use) {
      if (Math.max(all, best.left) <= 0) return `Choose nobody: no model's choice is worth what it costs.${gone}`;
      return `Choose everybody: no model's choice is worth more.${gone}`;
    }
    if (!use) return `Use none of them: the best, ${best.label}, has ${facts.metric} ${score(best.score)}, as much as is known without looking (${score(facts.floor)}).${gone}`;
    const cost = use.month === null ? "" : `; ${told(use.month)} ${facts.currency} a month`;
    if (byWorth) return `Use ${use.label}: its choices are worth most, ${four.format(use.left)} a month after ${told(use.month)} ${facts.currency} for computing.${gone}`;
    const left = free.length > 1 ? (out.length ? "the best of what is left" : "the best") : "all that is left";
    const why = use === best ? left : `as good as ${out.length ? "the best that is left" : "the best"} (${best.label}) and the simplest`;
    return `Use ${use.label}: ${why}; ${facts.metric} ${score(use.score)}${cost}.${gone}`;
  }

  function show() {
    const set = {};
    inputs.forEach((input) => {
      set[input.dataset.key] = valueOf(input);
      const output = input.closest("label").querySelector("output");
      const value = set[input.dataset.key];
      if (output) output.textContent = value === Infinity ? "no limit" : `${told(value)} ${input.dataset.unit}`;
    });
    set.ms ??= Infinity;
    set.mb ??= Infinity;
    const made = decide(set);
    place.querySelector(".verdict").textContent = sentence(made, set);
    const order = new Map(made.free.map((line, k) => [line, k]));
    const lines = [...made.lines].sort((a, b) => (order.get(a) ?? 1e6) - (order.get(b) ?? 1e6));
    const texts = (line) => {
      const value = worth(line, set);
      const all = {
        model: line.label,
        [facts.metric]: line.score === undefined ? "–" : score(line.score),
        "1 row ms": told(line.ms), "+MB": told(line.mb),
        [`${facts.currency} a month`]: told(line.month),
        "worth of 1,000 rows": value === null ? "–" : four.format(1000 * value.each),
        "share chosen": value === null ? "–" : `${(100 * value.sent).toFixed(1)} %`,
        "it is": line.word ?? "",
      };
      return heads.map((head) => all[head]);
    };
    body.replaceChildren(...[...lines, ...facts.references].map((line) => {
      const row = document.createElement("tr");
      if (line.why) row.className = "out";
      if (line.word === "use this") row.className = "use";
      texts(line).forEach((text, k) => {
        const cell = document.createElement(k ? "td" : "th");
        if (k && heads[k] !== "it is") cell.className = "number";
        if (!k) cell.scope = "row";
        cell.textContent = text;
        row.append(cell);
      });
      return row;
    }));
  }

  const key = (input) => `${name}.${input.dataset.key}`;
  inputs.forEach((input) => input.addEventListener("input", () => {
    const value = valueOf(input);
    const plain = input.type === "checkbox" ? (value ? "1" : "") : input.tagName === "SELECT" ? value : value === Infinity ? "" : value.toPrecision(3);
    show();
    state.set(key(input), plain);
  }));
  place.querySelector(".reset").addEventListener("click", () => {
    inputs.forEach((input) => { start(input); state.set(key(input), ""); });
    show();
  });
  state.follow(() => {
    inputs.forEach((input) => {
      start(input);
      const given = state.get(key(input));
      if (given === null) return;
      if (input.type === "checkbox") input.checked = given === "1";
      else if (input.tagName === "SELECT") input.value = given;
      else if (Number(given) > 0) input.value = positionOf(input, Number(given));
    });
    show();
  });
});
