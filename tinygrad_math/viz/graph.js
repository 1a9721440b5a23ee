
"use strict";
// The page of a graph. Ranks and orders come with the data; where things lie depends on which frames are open, and is
// found here, as viz/places.py finds it for a drawing on paper. Names and values reach the page as text alone.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const {nodes, frames, order, root, moments} = data;
  const ACROSS = 18, ALONG = 34, PAD = 12, TITLE = 22, SWEEPS = 14, SPINE = 20, BORDER = 8, TURN = 22, DOT = 3, STRIP = 24, LOOP = 24;
  const right = data.direction === "right";
  const state = {moment: moments - 1, chosen: null, start: null, path: null, walk: null, found: [], at: -1, view: null};
  const $ = (id) => document.getElementById(id);
  const svg = (tag, attributes = {}, ...inside) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...inside);
    return element;
  };
  const html = (tag, attributes = {}, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...inside);
    return element;
  };

  // -- the graph ---------------------------------------------------------------------------------------------
  const children = {};
  for (const id in nodes) for (const p of nodes[id].parents) (children[p.id] ??= []).push(id);
  const ids = Object.keys(nodes);
  const walkOrder = ids.filter((id) => nodes[id].grads).sort((a, b) => nodes[b].at - nodes[a].at);
  const reach = (from, next) => {
    const seen = new Set([from]), stack = [from];
    while (stack.length) for (const id of next(stack.pop())) if (!seen.has(id)) { seen.add(id); stack.push(id); }
    return seen;
  };
  const parents = (id) => (nodes[id] ? nodes[id].parents.map((p) => p.id) : []);
  const largest = data.sizes.map((sizes) => Math.max(...Object.values(sizes), 0));
  const strength = (id) => {
    const sizes = data.sizes[state.moment], most = largest[state.moment];
    return !(id in sizes) ? null : sizes[id] === null ? NaN : sizes[id] && most ? Math.min(Math.max(1 + Math.log10(sizes[id] / most) / 4, 0), 1) : 0;
  };
  const shade = (t) => {
    const ends = [[0x8f, 0xb8, 0xd4], [0xe6, 0xa0, 0x4a], [0xc8, 0x3e, 0x0a]], k = Math.min(Math.floor(t * 2), 1);
    return `rgb(${ends[k].map((a, i) => Math.round(a + (ends[k + 1][i] - a) * (t * 2 - k))).join()})`;
  };

  // -- places ------------------------------------------------------------------------------------------------
  const shapes = {};
  const isOpen = (key) => key in frames && frames[key].open;
  const outOf = (spot, tail) => (spot.kind === "item" && isOpen(spot.key) ? shapes[spot.key].leaves[tail] ?? 0 : 0);
  const into = (f, spot, size, tail, port) => {
    if (spot.kind !== "item") return 0;
    if (isOpen(spot.key)) return shapes[spot.key].enters[tail] ?? 0;
    const inner = frames[spot.key];
    const count = inner ? inner.enters.length : f.ports[spot.key] ?? 1;
    const k = inner ? Math.max(inner.enters.indexOf(tail), 0) : port;
    return Math.min(size[0] * 0.9, 48 * count) * ((k + 1) / (count + 1) - 0.5);
  };
  function apart(wishes, weights, gaps) { // pooled adjacent violators: in order, so far apart, as near as can be
    const shifts = [0], pools = [], found = [];
    for (const gap of gaps) shifts.push(shifts[shifts.length - 1] + gap);
    for (let k = 0; k < wishes.length; k++) {
      pools.push([wishes[k] - shifts[k], weights[k], 1]);
      while (pools.length > 1 && pools[pools.length - 2][0] > pools[pools.length - 1][0]) {
        const [m, w, n] = pools.pop(), p = pools[pools.length - 1];
        p[0] = (p[0] * p[1] + m * w) / (p[1] + w); p[1] += w; p[2] += n;
      }
    }
    for (const [m, , n] of pools) for (let k = 0; k < n; k++) found.push(m + shifts[found.length]);
    return found;
  }
  const beyond = (s) => (s.kind === "item" && isOpen(s.key) ? shapes[s.key].beyond : 0); // where the arrow of a loop runs
  function across(f, size, pieces) {
    for (const row of f.rows) {
      let at = 0;
      for (const s of row) { s.up = []; s.down = []; s.wide = size.get(s)[0]; s.x = at + s.wide / 2; at += s.wide + ACROSS; }
      for (const s of row) s.x -= (at - ACROSS) / 2;
      row.gaps = row.slice(1).map((t, k) => (row[k].wide + t.wide) / 2 + (row[k].kind === "item" || t.kind === "item" ? ACROSS : ACROSS / 2) + beyond(row[k]));
    }
    for (const [s, t, out, to] of pieces) {
      const bends = (s.kind === "bend") + (t.kind === "bend"), weight = (bends === 2 ? 60 : bends ? 2 : 1) * (f.floats.has(s.key) ? 1 : SPINE);
      t.up.push({to: s, by: out - to, weight});
      s.down.push({to: t, by: to - out, weight});
    }
    const backwards = [...f.rows].reverse();
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const both = sweep >= SWEEPS - 2;
      for (const row of sweep % 2 ? backwards : f.rows) {
        if (!row.length) continue;
        const wishes = [], weights = [];
        for (const s of row) {
          let sum = 0, total = 0;
          const look = (ends) => { for (const e of ends) { sum += (e.to.x + e.by) * e.weight; total += e.weight; } };
          if (both || sweep % 2 === 0) look(s.up);
          if (both || sweep % 2) look(s.down);
          if (!total) { look(s.up); look(s.down); }
          wishes.push(total ? sum / total : s.x);
          weights.push(total || 0.1);
        }
        const places = apart(wishes, weights, row.gaps);
        for (let k = 0; k < row.length; k++) row[k].x = places[k];
      }
    }
    return new Map(f.rows.flat().map((s) => [s, s.x]));
  }
  function gapBefore(f, n, turns) {
    const said = f.saidAt[n] ?? [];
    if (right && said.length) return ALONG + Math.min(7 * Math.max(...said.map((s) => s.length)), 150);
    return said.length ? ALONG + 6 : n === 1 || f.rows[n].every((s) => s.kind === "out") ? (turns ? TURN : BORDER) : ALONG;
  }
  function shape(f, bare) {
    const size = new Map(), at = new Map(), bands = [];
    for (const s of f.rows.flat()) {
      let [w, h] = [6, 0];
      if (s.kind === "item" && isOpen(s.key)) { size.set(s, [shapes[s.key].across, shapes[s.key].along]); continue; }
      if (s.kind === "item") [w, h] = s.key in frames ? frames[s.key].closed : nodes[s.key].size;
      if (s.kind === "again") [w, h] = [data.again[s.key].width, 18];
      size.set(s, right && (s.kind === "item" || s.kind === "again") ? [h, w] : [w, h]);
    }
    const pieces = f.pieces.map(([s, t, tail, port]) => [s, t, outOf(s, tail), into(f, t, size.get(t), tail, port)]);
    const x = across(f, size, pieces), turning = new Set();
    for (const [s, t, out, to] of pieces) if (Math.abs(x.get(s) + out - x.get(t) - to) > 1) turning.add(t.rank);
    let left = Infinity, end = -Infinity;
    for (const [s, u] of x) { left = Math.min(left, u - size.get(s)[0] / 2); end = Math.max(end, u + size.get(s)[0] / 2 + (bare ? 0 : beyond(s))); }
    if (!x.size) left = end = 0;
    const pad = bare ? 0 : PAD, title = bare ? 0 : TITLE;
    let before = pad + (right ? title : 0);
    const wide = Math.max(end - left + before + pad, right ? 0 : f.least);
    before += (wide - (end - left) - before - pad) / 2;
    let v = bare ? 0 : right ? pad : title;
    f.rows.forEach((row, n) => {
      const deep = Math.max(0, ...row.map((s) => size.get(s)[1]));
      if (n && f.rows[n - 1].length && row.length) v += gapBefore(f, n, turning.has(n));
      bands.push([v, v + deep]);
      v += deep;
    });
    const along = Math.max(v + (bare ? 0 : pad), right ? f.least : 0);
    for (const [s, u] of x) {
      const [begin, stop] = bands[s.rank], half = size.get(s)[1] / 2;
      const low = s.kind === "again" || f.floats.has(s.key);
      const w = s.kind === "in" ? 0 : s.kind === "out" ? along : s.kind === "bend" ? (begin + stop) / 2 : low ? stop - half : begin + half;
      at.set(s, [u - left + before, w]);
    }
    const border = (row, kind) => Object.fromEntries((row ?? []).filter((s) => s.kind === kind).map((s) => [s.key, at.get(s)[0] - wide / 2]));
    return {across: wide, along, at, size, bands, enters: border(f.rows[0], "in"), leaves: border(f.rows.at(-1), "out"), beyond: f.loops && !right ? LOOP : 0};
  }
  function points(f, sh, path) {
    const first = path.spots[0], last = path.spots.at(-1), found = [];
    let [u, v] = sh.at.get(first);
    u += outOf(first, path.tail); v += sh.size.get(first)[1] / 2;
    found.push([u, v], [u, Math.max(v, sh.bands[first.rank][1])]);
    for (const s of path.spots.slice(1, -1)) for (const edge of sh.bands[s.rank]) found.push([sh.at.get(s)[0], edge]);
    [u, v] = sh.at.get(last);
    u += into(f, last, sh.size.get(last), path.tail, path.port); v -= sh.size.get(last)[1] / 2;
    found.push([u, last.kind === "out" ? v : Math.min(v, sh.bands[last.rank][0])], [u, v]);
    return found;
  }
  function plan() {
    const rects = {}, again = [], lines = [], visible = new Set([root]);
    for (const id of [...order].reverse()) { // outer frames first
      const f = frames[id];
      if (visible.has(id)) for (const s of f.rows.flat()) if (s.kind === "item" && isOpen(s.key)) visible.add(s.key);
    }
    for (const id of order) if (visible.has(id)) shapes[id] = shape(frames[id], id === root);
    const stack = [[root, 0, 0]];
    while (stack.length) {
      const [id, acrossAt, alongAt] = stack.pop(), sh = shapes[id], f = frames[id];
      const turn = (u, v, w, h) => (right ? {x: v, y: u, w: h, h: w} : {x: u, y: v, w, h});
      rects[id] = turn(acrossAt, alongAt, sh.across, sh.along);
      for (const [s, [u, v]] of sh.at) {
        const [w, h] = sh.size.get(s), begin = [acrossAt + u - w / 2, alongAt + v - h / 2];
        if (s.kind === "again") again.push([s.key, turn(...begin, w, h)]);
        else if (s.kind === "item" && isOpen(s.key)) stack.push([s.key, ...begin]);
        else if (s.kind === "item") rects[s.key] = turn(...begin, w, h);
      }
      for (const p of f.paths) {
        const last = p.spots.at(-1);
        lines.push({
          points: points(f, sh, p).map(([u, v]) => (right ? [alongAt + v, acrossAt + u] : [acrossAt + u, alongAt + v])),
          tail: p.tail, said: p.said, position: p.position, port: p.port,
          head: last.kind === "item" && !isOpen(last.key) ? last.key : "",
        });
      }
    }
    return {rects, again, lines, width: rects[root].w, height: rects[root].h};
  }

  // -- drawing -----------------------------------------------------------------------------------------------
  const canvas = $("canvas"), picture = svg("svg", {role: "application", "aria-label": data.title}), scene = svg("g");
  picture.append(scene);
  canvas.prepend(picture);
  const drawn = {nodes: {}, edges: [], plan: null};
  const label = (x, y, size, kind, words, anchor = "middle") =>
    svg("text", {x: x.toFixed(1), y: y.toFixed(1), "font-size": size, class: kind, "text-anchor": anchor}, words);
  const way = (points) => {
    let d = `M${points[0]}`;
    points.slice(1).forEach((q, k) => {
      const p = points[k];
      if (p[0] === q[0] && p[1] === q[1]) return;
      if (k % 2 === 0 || p[0] === q[0] || p[1] === q[1]) d += `L${q}`;
      else if (right) { const m = (p[0] + q[0]) / 2; d += `C${m},${p[1]} ${m},${q[1]} ${q}`; }
      else { const m = (p[1] + q[1]) / 2; d += `C${p[0]},${m} ${q[0]},${m} ${q}`; }
    });
    return d;
  };
  function* dots(points) { // on an arrow, close to each other
    for (let k = 1; k < points.length; k++) {
      const p = points[k - 1], q = points[k], n = 2 + Math.floor(Math.hypot(q[0] - p[0], q[1] - p[1]) / DOT);
      const straight = (k - 1) % 2 === 0 || p[0] === q[0] || p[1] === q[1], m = right ? (p[0] + q[0]) / 2 : (p[1] + q[1]) / 2;
      const [a, b] = straight ? [p, q] : right ? [[m, p[1]], [m, q[1]]] : [[p[0], m], [q[0], m]];
      for (let i = 1; i <= n; i++) {
        const t = i / n, w = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
        yield [0, 1].map((c) => w[0] * p[c] + w[1] * a[c] + w[2] * b[c] + w[3] * q[c]);
      }
    }
  }
  function free(r, lines, wide) { // where the name of a frame begins, so that no arrow strikes it through
    const crossing = lines.flatMap((l) => l.points).filter(([x, y]) => y >= r.y - 1 && y <= r.y + 20 && x >= r.x && x <= r.x + r.w).map((p) => p[0]).sort((a, b) => a - b);
    const fits = (x) => x + wide < r.x + r.w - 4 && !crossing.some((c) => c > x - 4 && c < x + wide + 2);
    return [r.x + 10, ...crossing.map((c) => c + 6)].find(fits) ?? r.x + 10;
  }
  function draw() {
    const p = (drawn.plan = plan());
    drawn.nodes = {}; drawn.edges = [];
    const marks = [], names = [], words = [];
    for (const id of [...order].reverse()) {
      const f = frames[id], r = p.rects[id];
      if (!r || !f.open || id === root) continue;
      const g = svg("g", {class: `frame ${f.kind}`});
      if (f.count > 1) for (const d of [6, 3]) g.append(svg("rect", {x: r.x + d, y: r.y + d, width: r.w, height: r.h, rx: 10, class: "box"}));
      g.append(svg("rect", {x: r.x, y: r.y, width: r.w, height: r.h, rx: 10, class: "box"}));
      const name = label(free(r, p.lines, f.least - 24), r.y + 15, 11, "name", `▾ ${f.label}`, "start");
      for (const [k, v] of Object.entries({tabindex: 0, role: "button", "aria-expanded": "true", "data-frame": id})) name.setAttribute(k, v);
      g.append(svg("title", {}, f.path || f.label));
      names.push(svg("g", {class: `frame ${f.kind}`}, name));
      if (f.loops) {
        const x = r.x + r.w + (f.count > 1 ? 6 : 0), low = r.y + r.h - 12, high = r.y + 14;
        g.append(svg("path", {class: "loop", d: `M${x},${low}L${x + 16},${low - 14}V${high + 14}L${x},${high}`}));
      }
      marks.push(g);
    }
    const starts = new Set(p.lines.map((l) => l.points[0].map(Math.round).join()));
    for (const line of p.lines) {
      const end = line.points.at(-1), open = !line.head && starts.has(end.map(Math.round).join());
      const tip = right ? [end[0] - 7, end[1]] : [end[0], end[1] - 7], pts = [...line.points];
      const run = pts.at(-2);
      if (!open) run[0] === end[0] && run[1] === end[1] ? pts.splice(-2, 2, tip, tip) : pts.splice(-1, 1, tip);
      const g = svg("g", {class: "edge"}, svg("path", {d: way(pts)}));
      if (!open) g.append(svg("polygon", {points: right ? `${end} ${tip[0]},${tip[1] - 3.5} ${tip[0]},${tip[1] + 3.5}` : `${end} ${tip[0] - 3.5},${tip[1]} ${tip[0] + 3.5},${tip[1]}`}));
      const said = line.said.find(Boolean);
      if (said) words.push([...line.points.at(-2), said, g]);
      else if (nodes[line.head]?.ordered) {
        g.append(label(right ? end[0] - 10 : end[0] + 7, end[1] - 5, 8.5, "muted", String(line.position + 1)));
      }
      marks.push(g);
      drawn.edges.push({g, line});
    }
    const taken = [], strips = new Map(); // points on arrows and sides of frames, by strips of the drawing
    const sides = order.filter((id) => p.rects[id] && frames[id].open && id !== root).map((id) => p.rects[id]).flatMap((r) => [r.x, r.x + r.w].map((x) => [[x, r.y], [x, r.y + r.h]]));
    for (const [, y] of words) for (const v of [y - 28, y - 12, y]) strips.set(Math.floor(v / STRIP), []);
    if (words.length) for (const line of [...p.lines.map((l) => l.points), ...sides]) for (const [x, y] of dots(line)) strips.get(Math.floor(y / STRIP))?.push([x, y]);
    const struck = (u, v, wide) => [...new Set([v - 8, v + 2].map((y) => Math.floor(y / STRIP)))].flatMap((s) => strips.get(s) ?? [])
      .filter(([x, y]) => x > u - 2 && x < u + wide + 1 && y > v - 8 && y < v + 2).length;
    for (const [x, y, said, g] of words.sort((a, b) => a[1] - b[1] || a[0] - b[0])) { // where nothing else is said yet
      let best = null;
      for (const name of [said, said.length > 10 ? `${said.slice(0, 9)}…` : said]) {
        const wide = name.length * 9.5 * 0.62;
        const spots = [y - 4, y - 15].flatMap((v) => (right ? [[x - wide - 9, v]] : [[x + 7, v - 5], [x - 7 - wide, v - 5]]));
        for (const [u, v] of spots) {
          const over = taken.filter(([b, e, w]) => Math.abs(v - w) < 10 && u < e && b < u + wide);
          const cost = 1000 * over.length + struck(u, v, wide);
          if (!best || cost < best.cost) best = {cost, u, v, wide, name, over};
        }
        if (!best.cost) break;
      }
      const {u, v, wide, name, over} = best;
      if (over.some(([, , , t]) => t === said)) continue; // of arrows that crowd together, one says it
      taken.push([u, u + wide, v, said]);
      g.append(label(u, v, 9.5, "said", name, "start"));
    }
    marks.push(...names);
    for (const id in p.rects) {
      if (isOpen(id)) continue;
      const r = p.rects[id], n = nodes[id], f = frames[id], kind = f ? "closed" : `${n.role} part${Math.min(n.part, 2)}`;
      const words = f ? f.closedLines[state.moment] : n.lines[state.moment];
      const title = f ? `▸ ${f.label}` : n.title;
      const g = svg("g", {class: `node ${kind}`, tabindex: 0, role: "button", "data-id": id, "aria-label": `${title} ${n ? n.shape : ""}`});
      if ((f ?? n).count > 1) for (const d of [6, 3]) g.append(svg("rect", {x: r.x + d, y: r.y + d, width: r.w, height: r.h, rx: 7, class: "box"}));
      g.append(svg("rect", {x: r.x, y: r.y, width: r.w, height: r.h, rx: 7, class: "box"}));
      const head = label(r.x + r.w / 2, r.y + 17, 12, "title", title);
      if ((f ?? n).shape) head.append(svg("tspan", {class: "muted", "font-size": 10.5, "font-weight": 400, fill: "var(--muted)"}, `  ${(f ?? n).shape}`));
      g.append(head);
      words.forEach(([t, tone], k) => g.append(label(r.x + r.w / 2, r.y + 32 + 14 * k, 10.5, tone, t)));
      marks.push(g);
      drawn.nodes[id] = g;
    }
    for (const [key, r] of p.again) {
      const role = nodes[key]?.role ?? "closed";
      marks.push(svg("g", {class: `again ${role}`, "data-id": key}, svg("rect", {x: r.x, y: r.y, width: r.w, height: r.h, rx: 9, class: "box"}),
        label(r.x + r.w / 2, r.y + r.h / 2 + 3.5, 10.5, "muted", data.again[key].said)));
    }
    scene.replaceChildren(...marks);
    dress();
  }
  const standing = (id) => { // the closed frame that a node is in, if it is in one
    for (let f = nodes[id]?.frame, closed = null; ; f = frames[f].parent) {
      if (!f) return closed ?? id;
      if (!frames[f].open) closed = f;
    }
  };
  function dress() { // what changes without a new layout: gradients, what is chosen and found, paths, the walk
    const reached = state.walk === null ? null : new Set(walkOrder.slice(0, state.walk + 1));
    const now = state.walk === null ? null : walkOrder[state.walk];
    scene.classList.toggle("dim", state.path !== null);
    const onPath = state.path === null ? null : new Set([...state.path].map(standing));
    for (const id in drawn.nodes) {
      const c = drawn.nodes[id].classList;
      c.toggle("chosen", id === state.chosen);
      c.toggle("found", state.found.includes(id));
      c.toggle("path", onPath !== null && onPath.has(id));
      c.toggle("now", now !== null && standing(now) === id);
      for (const t of drawn.nodes[id].querySelectorAll("text.grad")) t.style.display = reached && !reached.has(id) ? "none" : "";
    }
    const flowing = now === null ? new Set() : new Set(parents(now).filter((id) => nodes[id].grads).map((id) => `${id} ${now}`));
    for (const {g, line} of drawn.edges) {
      const t = strength(line.tail), path = g.firstChild, c = g.classList;
      const shown = t !== null && t > 0 && (!reached || reached.has(line.tail));
      path.style.stroke = shown ? shade(t) : ""; path.style.strokeWidth = shown ? 1.1 + 2.9 * t : 1.2;
      if (g.children[1]?.tagName === "polygon") g.children[1].style.fill = shown ? shade(t) : "";
      c.toggle("bad", Number.isNaN(t) && (!reached || reached.has(line.tail)));
      c.toggle("none", t === null && largest[state.moment] > 0);
      c.toggle("path", onPath !== null && onPath.has(standing(line.tail)) && (!line.head || onPath.has(line.head)) && (state.path.has(line.tail)));
      c.toggle("flows", now !== null && (flowing.has(`${line.tail} ${line.head}`) || (line.head === standing(now) && flowing.has(`${line.tail} ${now}`))));
    }
  }

  // -- zoom and pan ------------------------------------------------------------------------------------------
  function look() { const {x, y, k} = state.view; scene.setAttribute("transform", `translate(${x},${y}) scale(${k})`); }
  function fit() {
    const {clientWidth: w, clientHeight: h} = canvas, p = drawn.plan, m = 24;
    const k = Math.min((w - 2 * m) / p.width, (h - 2 * m) / p.height, 1.6);
    const readable = Math.max(k, Math.min(0.45, (w - 2 * m) / p.width));
    state.view = {k: readable, x: (w - p.width * readable) / 2, y: k < readable ? m : (h - p.height * k) / 2};
    look();
  }
  function zoom(by, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const v = state.view, k = Math.min(Math.max(v.k * by, 0.02), 8);
    v.x = x - (x - v.x) * (k / v.k); v.y = y - (y - v.y) * (k / v.k); v.k = k;
    look();
  }
  function show(id) { // bring a box into view
    const r = drawn.plan.rects[standing(id)], v = state.view;
    if (!r) return;
    const x = v.x + (r.x + r.w / 2) * v.k, y = v.y + (r.y + r.h / 2) * v.k;
    if (v.k < 0.5) zoom(0.9 / v.k, x, y);
    if (x < 40 || y < 40 || x > canvas.clientWidth - 40 || y > canvas.clientHeight - 40) {
      v.x = canvas.clientWidth / 2 - (r.x + r.w / 2) * v.k; v.y = canvas.clientHeight / 2 - (r.y + r.h / 2) * v.k;
      look();
    }
  }
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), e.clientX - box.left, e.clientY - box.top);
  }, {passive: false});
  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (e) => { fingers.set(e.pointerId, e); moved = 0; canvas.classList.add("held"); });
  window.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    const dx = e.clientX - before.clientX, dy = e.clientY - before.clientY;
    moved += Math.abs(dx) + Math.abs(dy);
    if (fingers.size === 2) {
      const other = [...fingers.values()].find((f) => f.pointerId !== e.pointerId), box = canvas.getBoundingClientRect();
      const far = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY) || 1;
      zoom(far(e) / far(before), other.clientX - box.left, other.clientY - box.top);
    } else { state.view.x += dx; state.view.y += dy; look(); }
    fingers.set(e.pointerId, e);
  });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (e) => { fingers.delete(e.pointerId); canvas.classList.remove("held"); });

  // -- frames ------------------------------------------------------------------------------------------------
  function toggle(id, open = !frames[id].open) {
    if (frames[id].fixed) return;
    const before = drawn.plan.rects[id];
    frames[id].open = open;
    draw();
    const after = drawn.plan.rects[id], v = state.view;
    if (before && after) { v.x += (before.x - after.x) * v.k; v.y += (before.y - after.y) * v.k; look(); }
  }
  function toggleAll(open) {
    for (const id in frames) if (id !== root && !frames[id].fixed) frames[id].open = open;
    draw(); fit();
  }
  function reveal(id) {
    let changed = false;
    for (let f = nodes[id].frame; f; f = frames[f].parent) if (!frames[f].open && !frames[f].fixed) { frames[f].open = true; changed = true; }
    if (changed) draw();
  }

  // -- what is told of a box ---------------------------------------------------------------------------------
  const called = (id) => nodes[id].called;
  const tell = (words) => { $("status").textContent = words; };
  const link = (id) => {
    const b = html("button", {class: "link", type: "button"}, nodes[id] ? nodes[id].title : id);
    b.addEventListener("click", () => choose(id, true));
    return b;
  };
  function bars(s) {
    const most = Math.max(...s.bars), g = svg("svg", {width: 300, height: 74, role: "img", "aria-label": `histogram from ${s.ends[0]} to ${s.ends[1]}`});
    s.bars.forEach((n, k) => g.append(svg("rect", {class: "bar", x: k * 18.75, y: 54 - (50 * n) / most, width: 17, height: (50 * n) / most}, svg("title", {}, String(n)))));
    g.append(svg("text", {x: 0, y: 70, "font-size": 11, fill: "var(--muted)"}, s.ends[0]), svg("text", {x: 300, y: 70, "font-size": 11, fill: "var(--muted)", "text-anchor": "end"}, s.ends[1]));
    return g;
  }
  function heat(cells) {
    const most = Math.max(...cells.flat().map((v) => Math.abs(v ?? 0))) || 1, side = Math.min(22, 300 / cells[0].length);
    const g = svg("svg", {width: side * cells[0].length, height: side * cells.length, role: "img", "aria-label": "heat map"});
    cells.forEach((row, i) => row.forEach((v, j) => {
      const t = Math.abs(v ?? 0) / most, color = v === null ? "var(--bad)" : v < 0 ? `rgb(0 114 178 / ${t})` : `rgb(213 94 0 / ${t})`;
      const r = svg("rect", {x: j * side, y: i * side, width: side - 0.5, height: side - 0.5, stroke: "var(--line)", "stroke-width": 0.3}, svg("title", {}, `[${i}, ${j}]  ${v ?? "not finite"}`));
      r.style.fill = color;
      g.append(r);
    }));
    return g;
  }
  function summed(title, s) {
    const parts = [html("h3", {}, title), html("pre", {}, s.text)];
    for (const p of s.parts ?? []) if (p) parts.push(...summed("part", p).slice(1));
    if (s.cells) parts.push(heat(s.cells));
    if (s.bars) parts.push(bars(s));
    if (s.rows) {
      const table = html("table");
      for (const [k, v] of s.rows) table.append(html("tr", {}, html("th", {}, k), html("td", {}, v)));
      parts.push(table);
    }
    return parts;
  }
  function formula(markup) {
    const parsed = new DOMParser().parseFromString(markup, "text/xml");
    return parsed.querySelector("parsererror") ? html("pre", {}, markup) : document.importNode(parsed.documentElement, true);
  }
  function list(title, ids) {
    if (!ids.length) return [];
    const ul = html("ul");
    for (const [id, said] of ids) ul.append(html("li", {}, link(id), said ? ` ${said}` : ""));
    return [html("h3", {}, title), ul];
  }
  function describe(id) {
    const n = nodes[id], parts = [html("h2", {}, html("bdi", {}, n.title)), html("p", {class: "muted"}, n.says)];
    const dl = html("dl");
    for (const [k, v] of n.facts) dl.append(html("dt", {}, k), html("dd", {}, html("bdi", {}, v)));
    parts.push(dl);
    if (n.formula) parts.push(html("h3", {}, "Rule"), formula(n.formula));
    const laws = data.derivatives[n.op] ?? [];
    if (laws.length) parts.push(html("h3", {}, `Derivative of ${n.op}`), ...laws.map(formula));
    if (data.rules[n.op]) parts.push(html("p", {class: "muted"}, data.rules[n.op]));
    const here = html("p", {}), from = html("button", {type: "button"}, "Paths from here to …"), close = html("button", {type: "button"}, "Close its frame");
    from.addEventListener("click", () => { state.start = id; tell(`Choose where the paths from ${called(id)} are to end.`); });
    close.addEventListener("click", () => toggle(n.frame, false));
    here.append(from);
    if (n.frame !== root) here.append(" ", close);
    parts.push(here);
    if (n.values) parts.push(...summed("Value", n.values[state.moment]));
    if (n.grads) parts.push(...summed(`Gradient of ${data.result}`, n.grads[state.moment]));
    parts.push(...list("Computed from", n.parents.map((p) => [p.id, p.said])), ...list("Used by", [...new Set(children[id] ?? [])].map((c) => [c, ""])));
    $("about").replaceChildren(...parts);
  }
  function overview() {
    const parts = [html("h2", {}, "Overview"), html("p", {class: "muted"}, data.words)];
    const legend = html("p", {class: "legend"});
    for (const [kind, words] of data.legend) legend.append(html("span", {class: kind}, words));
    parts.push(legend);
    if (Object.values(data.sizes[state.moment]).includes(null)) parts.push(html("p", {}, "Arrows in the colour of errors carry a value whose gradient is NaN or infinite."));
    if (largest[state.moment] > 0) parts.push(html("p", {}, `Arrows are the wider and the redder the larger the gradient of ${data.result} with respect to the value they carry; dashed where there is none.`));
    if (data.remark) parts.push(html("p", {}, data.remark));
    const dl = html("dl");
    for (const [k, v] of [["/", "search; Enter: the next one"], ["+ − 0", "zoom, fit"], ["Tab", "next box"], ["↑ ↓", "to what it is computed from, to who uses it"],
      ["Enter", "open or close a frame"], ["p", "paths from here; then choose where to"], ["b", "the backward walk: ← → one step, Space plays"], ["Esc", "back to the whole"]]) dl.append(html("dt", {}, html("kbd", {}, k)), html("dd", {}, v));
    parts.push(html("h3", {}, "Keys"), dl);
    $("about").replaceChildren(...parts);
  }
  function choose(id, bring = false) {
    if (id in frames) return toggle(id);
    if (!(id in nodes)) return;
    reveal(id);
    if (state.start && state.start !== id) {
      const between = (a, b) => { const up = reach(b, parents), down = reach(a, (x) => children[x] ?? []); return new Set([...up].filter((x) => down.has(x))); };
      let path = between(state.start, id);
      if (!path.size) path = between(id, state.start);
      state.path = path.size ? path : null;
      tell(path.size ? `${path.size} boxes lie on the paths between ${called(state.start)} and ${called(id)}. Esc ends.` : "No path leads from one to the other.");
      state.start = null;
    }
    state.chosen = id;
    describe(id);
    dress();
    if (bring) { show(id); drawn.nodes[id]?.focus({preventScroll: true}); }
  }
  function reset() {
    Object.assign(state, {chosen: null, start: null, path: null, found: [], at: -1});
    stopWalk(); tell(""); $("search").value = ""; $("hits").textContent = "";
    overview(); dress();
  }

  // -- events ------------------------------------------------------------------------------------------------
  canvas.addEventListener("click", (e) => {
    if (moved > 6) return;
    const name = e.target.closest("[data-frame]"), node = e.target.closest("[data-id]");
    if (name) toggle(name.dataset.frame);
    else if (node) {
      if (e.shiftKey && state.chosen && state.chosen !== node.dataset.id) state.start = state.chosen;
      choose(node.dataset.id, node.classList.contains("again"));
    }
  });
  canvas.addEventListener("dblclick", (e) => {
    const node = e.target.closest(".node");
    if (node && nodes[node.dataset.id] && nodes[node.dataset.id].frame !== root) toggle(nodes[node.dataset.id].frame, false);
  });
  function search() {
    const words = $("search").value.trim().toLowerCase();
    state.found = words ? ids.filter((id) => nodes[id].words.includes(words)) : [];
    state.at = -1;
    $("hits").textContent = words ? `${state.found.length} found` : "";
    dress();
  }
  $("search").addEventListener("input", search);
  $("search").addEventListener("keydown", (e) => {
    if (e.key === "Enter" && state.found.length) {
      state.at = (state.at + (e.shiftKey ? state.found.length - 1 : 1)) % state.found.length;
      const id = state.found[state.at];
      reveal(id); choose(id); show(id);
      $("hits").textContent = `${state.at + 1} of ${state.found.length}`;
      e.preventDefault();
    }
  });
  document.addEventListener("keydown", (e) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName), on = e.target.closest?.(".node, .name");
    if (e.key === "Escape") { reset(); e.target.blur?.(); return; }
    if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
    const acts = {
      "/": () => $("search").focus(), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit,
      b: () => (state.walk === null ? startWalk() : stopWalk()),
      p: () => state.chosen && ((state.start = state.chosen), tell(`Choose where the paths from ${called(state.chosen)} are to end.`)),
    };
    if (on && (e.key === "Enter" || (e.key === " " && state.walk === null))) acts[e.key] = () => (on.dataset.frame ? toggle(on.dataset.frame) : choose(on.dataset.id));
    else if (state.walk !== null) Object.assign(acts, {" ": play, ArrowRight: () => step(1), ArrowLeft: () => step(-1)});
    if (state.chosen) {
      acts.ArrowUp = () => { const [first] = parents(state.chosen); if (first) choose(first, true); };
      acts.ArrowDown = () => { const [first] = children[state.chosen] ?? []; if (first) choose(first, true); };
    }
    if (acts[e.key]) { acts[e.key](); e.preventDefault(); }
  });
  for (const [id, act] of Object.entries({in: () => zoom(1.25), out: () => zoom(0.8), fit, open: () => toggleAll(true), close: () => toggleAll(false)})) $(id)?.addEventListener("click", act);
  window.addEventListener("resize", fit);

  // -- recorded steps ----------------------------------------------------------------------------------------
  function setMoment(k) {
    state.moment = k;
    $("moment-said").textContent = `${k + 1} of ${moments}`;
    draw();
    if (state.chosen) describe(state.chosen);
  }
  if (moments > 1) {
    $("moment").addEventListener("input", (e) => setMoment(Number(e.target.value)));
    let running = null;
    $("moments-play").addEventListener("click", () => {
      if (running) { clearInterval(running); running = null; $("moments-play").textContent = "▶"; return; }
      $("moments-play").textContent = "❚❚";
      running = setInterval(() => { const k = (state.moment + 1) % moments; $("moment").value = k; setMoment(k); }, 350);
    });
  }

  // -- the backward walk -------------------------------------------------------------------------------------
  let playing = null;
  function step(by) {
    state.walk = Math.min(Math.max((state.walk ?? -1) + by, 0), walkOrder.length - 1);
    const id = walkOrder[state.walk], n = nodes[id], to = parents(id).filter((p) => nodes[p].grads);
    reveal(id);
    const names = [...new Set(to)].map(called).join(" and ");
    tell(`${state.walk + 1} of ${walkOrder.length}: the gradient of ${data.result} with respect to ${called(id)} is ${n.grads[state.moment].text}` + (names ? `; by the rule of ${n.op} it flows on to ${names}.` : ". It ends here, at a leaf."));
    $("walk-said").textContent = `${state.walk + 1} of ${walkOrder.length}`;
    $("walk").value = state.walk;
    dress(); show(id);
    if (state.walk === walkOrder.length - 1) pause();
  }
  function pause() { clearInterval(playing); playing = null; if ($("walk-play")) $("walk-play").textContent = "▶"; }
  function play() {
    if (playing) return pause();
    if (state.walk === walkOrder.length - 1) state.walk = null;
    $("walk-play").textContent = "❚❚";
    playing = setInterval(() => step(1), 900);
    step(1);
  }
  function startWalk() { if (walkOrder.length) { state.walk = null; step(1); } }
  function stopWalk() { if (walkOrder.length) { pause(); state.walk = null; $("walk-said").textContent = ""; $("walk").value = 0; } dress(); }
  if (walkOrder.length) {
    $("walk").max = walkOrder.length - 1;
    $("walk").addEventListener("input", (e) => { pause(); state.walk = Number(e.target.value); step(0); });
    $("walk-play").addEventListener("click", play);
    $("walk-back").addEventListener("click", () => { pause(); step(-1); });
    $("walk-on").addEventListener("click", () => { pause(); step(1); });
  }

  // -- to work -----------------------------------------------------------------------------------------------
  for (const f of Object.values(frames)) {
    f.floats = new Set(f.floats);
    f.rows = f.rows.map((row, rank) => row.map(([kind, key, index]) => ({kind, key, index, rank})));
    const spots = [];
    for (const s of f.rows.flat()) spots[s.index] = s;
    f.paths = f.paths.map(([way, tail, port, position, said]) => ({spots: way.map((k) => spots[k]), tail, port, position, said}));
    const pieces = new Map();
    for (const p of f.paths) p.spots.slice(1).forEach((t, k) => {
      const s = p.spots[k], port = k === p.spots.length - 2 ? p.port : 0;
      pieces.set(`${s.index} ${t.index} ${p.tail} ${port}`, [s, t, p.tail, port]);
    });
    f.pieces = [...pieces.values()];
    f.saidAt = {};
    for (const p of f.paths) for (const words of p.said) if (words) (f.saidAt[p.spots.at(-1).rank] ??= []).push(words);
  }
  draw(); fit(); overview();
  document.documentElement.dataset.ready = "true";
})();
