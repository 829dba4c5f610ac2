"use strict";
(() => {
  const about = JSON.parse(document.getElementById("about").textContent);
  const form = document.querySelector("form.choose");
  const out = document.querySelector("#timeline .runs");
  const MARKS = {fault: "✕", change: "○", alarm: "!", thought: "·", action: "▶", page: "✉", recovered: "✓"};
  const W = 520, LEFT = 40, RIGHT = 8, TOP = 26;
  const LANES = [
    {name: "requests per second", height: 110, area: "rps", stacked: [["failed", "failedRps"], ["slow", "slowRps"]]},
    {name: "tasks", height: 70, steps: true, lines: ["desired", "running", "healthy"]},
    {name: "CPU %", height: 46, lines: ["cpu"], least: 100},
    {name: "latency, s", height: 46, lines: ["latency"], least: 1},
  ];
  const GAP = 22;

  const opened = new Map();
  const read = scenario => {
    if (!opened.has(scenario)) {
      const packed = document.getElementById("runs-" + scenario).textContent;
      const bytes = Uint8Array.from(atob(packed), character => character.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      opened.set(scenario, new Response(stream).text().then(JSON.parse));
    }
    return opened.get(scenario);
  };

  const put = (parent, name, attributes = {}, text) => {
    const space = parent.namespaceURI && name !== "foreignObject" && (name === "svg" || parent instanceof SVGElement);
    const made = space ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.appendChild(made);
    return made;
  };
  const clock = s => s === null ? "—" : Math.floor(s / 60) + ":" + String(Math.floor(s % 60)).padStart(2, "0");
  const short = n => n >= 1e6 ? (n / 1e6).toFixed(1) + "M" : n >= 1e4 ? (n / 1e3).toFixed(1) + "k" : n.toLocaleString("en");
  const top = values => values.reduce((most, value) => Math.max(most, value), 0);
  const nice = most => {
    const power = 10 ** Math.floor(Math.log10(most || 1));
    return [1, 2, 3, 5, 10].map(step => step * power).find(limit => limit >= most * 0.999);
  };

  /* Both runs of a comparison share these, so that equal heights mean equal numbers. */
  const limits = runs => LANES.map(lane => {
    const keys = lane.area ? [lane.area] : lane.lines;
    return Math.max(nice(top(runs.flatMap(run => keys.map(key => top(run[key]))))), lane.least || 1);
  });

  const draw = (run, most) => {
    const box = put(out, "div", {class: "run"});
    const head = put(box, "h3", {class: "policy-" + run.policy}, run.policy);
    const lost = run.failed + run.slow;
    put(head, "span", {}, `${short(lost)} of ${short(run.requests)} requests failed or were slow`);
    put(head, "span", {}, run.fault === null ? "no trouble" : run.recovered === null ? "never recovered" :
      `recovered after ${clock(run.recovered - run.fault)}`);
    put(head, "span", {}, `${run.actions} action${run.actions === 1 ? "" : "s"}`);
    put(head, "span", {}, (run.escalated ? "paged" : "no page") + (run.correctly ? "" : ", wrongly"));
    if (run.first !== null) put(head, "span", {}, `named ${run.named || "no cause"}` + (run.first ? "" : ", wrongly"));
    const height = TOP + LANES.reduce((sum, lane) => sum + lane.height + GAP, 0) + 12;
    const svg = put(box, "svg", {viewBox: `0 0 ${W} ${height}`, role: "img", "aria-label": `${run.policy}, seed ${run.seed}`});
    const x = s => LEFT + (W - LEFT - RIGHT) * s / run.ended;
    const bottom = height - 12 - GAP + 6;
    let y = TOP;
    LANES.forEach((lane, index) => {
      y += GAP - 6;
      const limit = most[index], base = y + lane.height, up = value => base - lane.height * Math.min(value / limit, 1);
      put(svg, "text", {class: "lane", x: LEFT, y: y - 5}, lane.name);
      put(svg, "text", {x: LEFT - 6, y: y + 8, "text-anchor": "end"}, short(limit));
      put(svg, "text", {x: LEFT - 6, y: base, "text-anchor": "end"}, "0");
      put(svg, "line", {class: "base", x1: LEFT, x2: W - RIGHT, y1: base, y2: base});
      put(svg, "line", {class: "base", x1: LEFT, x2: W - RIGHT, y1: y, y2: y});
      const places = values => values.map((_, i) => [x(Math.min(i * run.interval, run.ended)), x(Math.min((i + 1) * run.interval, run.ended))]);
      const stairs = values => places(values).map(([from, to], i) => `${i ? "L" : "M"}${from.toFixed(1)} ${up(values[i]).toFixed(1)}H${to.toFixed(1)}`).join("");
      const filled = (values, under) => places(values).filter((_, i) => values[i] > 0 || !under).length === 0 ? "" :
        places(values).map(([from, to], i) => values[i] > 0 ?
          `M${from.toFixed(1)} ${up(under ? under[i] : 0).toFixed(1)}V${up((under ? under[i] : 0) + values[i]).toFixed(1)}H${to.toFixed(1)}V${up(under ? under[i] : 0).toFixed(1)}Z` : "").join("");
      if (lane.area) {
        put(svg, "path", {class: "traffic", d: filled(run[lane.area])});
        let under = run[lane.area].map(() => 0);
        for (const [name, key] of lane.stacked) {
          put(svg, "path", {class: name, d: filled(run[key], under)});
          under = under.map((value, i) => value + run[key][i]);
        }
      } else {
        for (const key of lane.lines) {
          const d = lane.steps ? stairs(run[key]) :
            places(run[key]).map(([from, to], i) => `${i ? "L" : "M"}${((from + to) / 2).toFixed(1)} ${up(run[key][i]).toFixed(1)}`).join("");
          put(svg, "path", {class: "series " + key, d});
        }
      }
      y = base + 6;
    });
    const step = [1, 2, 5, 10, 15, 30, 60, 120, 240].find(minutes => run.ended / 60 / minutes <= 8) || 480;
    for (let minute = 0; minute * 60 <= run.ended; minute += step) {
      put(svg, "text", {x: x(minute * 60), y: height - 4, "text-anchor": "middle"}, minute + (minute ? "" : " min"));
    }

    /* What would cover the mark before it stands one row higher; thoughts are many and stay below. */
    const notes = run.notes;
    const rowEnds = [-9, -9, -9];
    const lines = notes.map(([at, mark]) => {
      const quiet = mark === "thought";
      const free = rowEnds.findIndex(end => x(at) - end >= 7);
      const row = quiet || free < 0 ? 0 : free;
      if (!quiet) rowEnds[row] = x(at);
      const cy = quiet ? TOP : TOP - 6 - row * 7;
      const made = put(svg, "line", {class: "at " + mark, x1: x(at), x2: x(at), y1: cy, y2: bottom});
      put(svg, "circle", {class: "dot " + mark, cx: x(at), cy, r: quiet ? 1.6 : 3.2});
      return made;
    });
    const hair = put(svg, "line", {class: "hair", y1: TOP, y2: bottom});
    const legend = put(box, "div", {class: "legend"});
    if (run.harm.length) {
      const harms = put(box, "ul", {class: "harms"});
      for (const why of run.harm) put(harms, "li", {}, why);
    }
    const list = put(box, "ol", {class: "notes"});
    const items = notes.map(([at, mark, actor, text], index) => {
      const item = put(list, "li", {class: mark});
      put(item, "time", {}, clock(at));
      put(item, "span", {class: "mark"}, MARKS[mark]);
      put(item, "span", {class: "who"}, actor);
      put(item, "span", {}, text);
      item.addEventListener("mouseenter", () => lines[index].classList.add("lit"));
      item.addEventListener("mouseleave", () => lines[index].classList.remove("lit"));
      return item;
    });

    const entries = [["traffic", "requests", "rps", "/s"], ["failed", "failed", "failedRps", "/s"], ["slow", "slow", "slowRps", "/s"],
      ["desired", "desired", "desired", ""], ["running", "running", "running", ""], ["healthy", "healthy", "healthy", ""],
      ["cpu", "CPU", "cpu", " %"], ["latency", "latency", "latency", " s"]];
    const colours = {traffic: "--weak", failed: "--bad", slow: "--warn", desired: "--weak", running: "--person", healthy: "--good", cpu: "--runbook", latency: "--native"};
    const tell = index => {
      legend.replaceChildren();
      if (index !== null) put(put(legend, "span", {}), "b", {}, clock(index * run.interval));
      for (const [name, title, key, unit] of entries) {
        const entry = put(legend, "span", {});
        put(entry, "i", {style: `color: var(${colours[name]})`});
        entry.append(title + (index === null ? "" : " "));
        if (index !== null) put(entry, "b", {}, run[key][index] + unit);
      }
    };
    tell(null);
    svg.addEventListener("pointermove", event => {
      const shown = svg.getBoundingClientRect();
      const at = ((event.clientX - shown.left) / shown.width * W - LEFT) / (W - LEFT - RIGHT) * run.ended;
      if (at < 0 || at > run.ended) return;
      const index = Math.min(Math.floor(at / run.interval), run.rps.length - 1);
      hair.setAttribute("x1", x(at)); hair.setAttribute("x2", x(at)); hair.style.visibility = "visible";
      tell(index);
      let first = null;
      items.forEach((item, i) => {
        const near = Math.abs(notes[i][0] - at) <= run.ended / 90;
        item.classList.toggle("lit", near);
        if (near && first === null) first = item;
      });
      if (first) list.scrollTop = first.offsetTop - list.offsetTop - 40;
    });
    svg.addEventListener("pointerleave", () => {
      hair.style.visibility = "hidden";
      items.forEach(item => item.classList.remove("lit"));
      tell(null);
    });
  };

  const show = async () => {
    const {scenario, policy, other, seed} = form.elements;
    const all = await read(scenario.value);
    const seeds = [...new Set(all.filter(run => run.policy === policy.value).map(run => run.seed))];
    const wanted = Number(seed.dataset.wanted ?? (seed.value || NaN));
    seed.replaceChildren(...seeds.map(value => new Option(value)));
    if (seeds.includes(wanted)) seed.value = String(wanted);
    delete seed.dataset.wanted;
    const chosen = [policy.value, ...(other.value && other.value !== policy.value ? [other.value] : [])]
      .map(name => all.find(run => run.policy === name && run.seed === Number(seed.value))).filter(run => run);
    const told = about.scenarios[scenario.value];
    const truth = document.querySelector(".truth");
    truth.replaceChildren();
    put(truth, "b", {}, told.title);
    truth.append(" " + told.truth + " ");
    put(truth, "small", {}, told.ends[0].toUpperCase() + told.ends.slice(1) + ".");
    out.replaceChildren();
    if (!chosen.length) put(out, "p", {class: "note"}, "No timeline was kept of this run.");
    else if (!seeds.includes(wanted) && !Number.isNaN(wanted)) {
      put(out, "p", {class: "note whole"}, `No timeline was kept of seed ${wanted}; this is seed ${chosen[0].seed}.`);
    }
    const most = chosen.length ? limits(chosen) : [];
    chosen.forEach(run => draw(run, most));
    return chosen.length > 0;
  };

  const follow = async scroll => {
    const [what, scenario, policy, seed] = decodeURIComponent(location.hash.slice(1)).split("/");
    if (what.startsWith("scenario-")) {
      const details = document.getElementById(what);
      if (details) { details.open = true; details.scrollIntoView(); }
      return;
    }
    if (what !== "run" || !about.scenarios[scenario]) return;
    const fields = form.elements;
    fields.scenario.value = scenario;
    if (about.policies.includes(policy)) fields.policy.value = policy;
    const usual = policy === about.ours ? about.nobody : about.ours;
    if (about.policies.includes(usual)) fields.other.value = usual;
    if (seed !== undefined) fields.seed.dataset.wanted = seed;
    await show();
    if (scroll) document.getElementById("timeline").scrollIntoView();
  };

  form.addEventListener("change", () => {
    const {scenario, policy, seed} = form.elements;
    show().then(() => history.replaceState(null, "", `#run/${scenario.value}/${policy.value}/${seed.value}`));
  });
  addEventListener("hashchange", () => follow(true));
  document.addEventListener("click", event => {
    const link = event.target.closest("a[href^='#run/']");
    if (link && link.getAttribute("href") === location.hash) follow(true);
  });
  const first = about.policies.includes(about.ours) ? about.ours : about.policies[0];
  form.elements.policy.value = first;
  if (first !== about.nobody && about.policies.includes(about.nobody)) form.elements.other.value = about.nobody;
  if (location.hash) show().then(() => follow(true)); else show();
})();
