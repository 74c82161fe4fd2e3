// SPDX-License-Identifier: Apache-2.0
// A node in its lane: role and term as a bar, below it its log, on the bar its events.

function drawReigns(g) {
  for (const reign of run.reigns.flat()) {
    if (!inView(reign.from, reign.until)) continue;
    const [x, width] = clip(reign.from, reign.until);
    const w = Math.max(width, 1);
    const y = barTop(reign.node);
    const color = STATUS_COLORS[reign.status];
    if (color === null) {
      g.fillStyle = colors.rule;
      g.fillRect(x, y + BAR / 2 - 1, w, 2);
    } else {
      g.fillStyle = colors[color];
      g.globalAlpha = reign.status === DOWN ? 0.35 : 1;
      g.fillRect(x, y, w, BAR);
      g.globalAlpha = 1;
      if (reign.status <= PAUSED) hatch(g, x, y, w, BAR, colors.paper);
    }
    if (xOf(reign.from) > GUTTER) {
      g.fillStyle = colors.paper;
      g.fillRect(x - 0.5, y, 1, BAR);
    }
    font(g, 10.5, reign.status === LEADER ? 650 : 400);
    g.fillStyle = colors[STATUS_INKS[reign.status]];
    const name = STATUS[reign.status];
    const texts = reign.status <= NO_REPLICA ? [name] : [`${name} · term ${reign.term}`, `${name} ${reign.term}`, `${reign.term}`];
    if (w > 12) textThatFits(g, texts, x + 5, y + BAR / 2 + 0.5, w - 9);
  }
}

// Below a node's bar: how far its log is on its disk (filled), how far it goes (thin), and how far
// it is committed as the node knows (line). One scale for all nodes: what is in view.
function drawWatermarks(g) {
  const visible = run.states.map((list) => {
    const begin = Math.max(0, lowerBound(list, view.from, (s) => s.at) - 1);
    const end = lowerBound(list, view.until, (s) => s.at);
    return list.slice(begin, end);
  });
  let low = Infinity;
  let high = 0;
  for (const s of visible.flat()) {
    if (s.term === 0) continue;
    low = Math.min(low, s.commit, s.durable);
    high = Math.max(high, s.last, s.commit);
  }
  if (low > high) return;
  if (high - low < 4) low = Math.max(0, high - 4);
  visible.forEach((list, node) => {
    const top = barTop(node) + BAR + 4;
    const bottom = laneTop(node) + place.lane - 3;
    const y = (index) => bottom - ((Math.max(index, low) - low) / (high - low)) * (bottom - top);
    const steps = (key) => {
      let drawing = false;
      list.forEach((s, i) => {
        const x1 = Math.max(xOf(s.at), GUTTER - 2);
        const x2 = Math.min(i + 1 < list.length ? xOf(list[i + 1].at) : xOf(run.end), place.width + 2);
        if (s.term === 0) {
          drawing = false;
          return;
        }
        if (drawing) g.lineTo(x1, y(s[key]));
        else g.moveTo(x1, y(s[key]));
        g.lineTo(x2, y(s[key]));
        drawing = true;
      });
    };
    g.fillStyle = colors.durable;
    g.globalAlpha = 0.38;
    list.forEach((s, i) => {
      if (s.term === 0) return;
      const x1 = Math.max(xOf(s.at), GUTTER);
      const x2 = Math.min(i + 1 < list.length ? xOf(list[i + 1].at) : xOf(run.end), place.width);
      if (x2 > x1) g.fillRect(x1, y(s.durable), x2 - x1, bottom - y(s.durable) + 1);
    });
    g.globalAlpha = 0.55;
    g.lineWidth = 1;
    g.strokeStyle = colors.muted;
    g.beginPath();
    steps("last");
    g.stroke();
    g.globalAlpha = 1;
    g.lineWidth = 1.5;
    g.strokeStyle = colors.commit;
    g.beginPath();
    steps("commit");
    g.stroke();
  });
}

function drawEvents(g) {
  const dense = run.events.filter((e) => inView(e.at, e.at)).length > 250;
  for (const event of run.events) {
    if (event.node === null || !inView(event.at, event.at)) continue;
    const x = xOf(event.at);
    const y = barTop(event.node) - 2;
    const bad = event.kind === "crash";
    g.fillStyle = g.strokeStyle = bad ? colors.bad : colors.ink;
    g.globalAlpha = dense && !bad ? 0.45 : 1;
    g.lineWidth = 2;
    g.beginPath();
    if (bad) {
      cross(g, x, y + BAR / 2 + 2, 4.5);
      g.stroke();
    } else if (event.kind === "elected") {
      g.arc(x, y, 4, 0, 2 * Math.PI);
      g.fillStyle = colors.leader;
      g.fill();
    } else {
      g.moveTo(x - 3.5, y - 3);
      g.lineTo(x + 3.5, y - 3);
      g.lineTo(x, y + 3);
      g.closePath();
      g.fill();
    }
  }
  g.globalAlpha = 1;
}
