// SPDX-License-Identifier: Apache-2.0
// Paints the lanes and the overview.

const lanes = document.getElementById("lanes");
const overview = document.getElementById("overview");

const SANS = 'system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif';
const STATUS_COLORS = ["down", "paused", null, "follower", "pre-candidate", "candidate", "leader"];
const STATUS_INKS = ["ink", "ink", "muted", "follower-ink", "role-ink", "role-ink", "leader-ink"];
const KIND_COLORS = ["replication", "heartbeats", "elections", "snapshots", "reads", "clients", "other"];
const OUTCOME_COLORS = ["op-failed", "op-ok", "op-no-effect", "op-failed", "op-unknown"];
// Beyond this number in view every so manieth message is drawn.
const MESSAGES_DRAWN_MAX = 4000;

// The colours of the style sheet; read anew when the scheme changes.
let colors = {};
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "panel", "stripe", "ink", "muted", "rule", "accent", "bad", "good", "fault",
    "durable", "commit", "op-ink", ...STATUS_COLORS, ...STATUS_INKS, ...KIND_COLORS, ...OUTCOME_COLORS];
  colors = Object.fromEntries(names.filter(Boolean).map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
}

let redrawPlanned = false;
function redraw() {
  if (redrawPlanned) return;
  redrawPlanned = true;
  requestAnimationFrame(() => {
    redrawPlanned = false;
    drawLanes();
    drawOverview();
    showCluster();
  });
}

// The canvas's context, cleared, in CSS pixels.
function begin(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.globalAlpha = 1;
  return g;
}

function font(g, size, weight = 400) {
  g.font = `${weight} ${size}px ${SANS}`;
  g.textBaseline = "middle";
  g.textAlign = "left";
}

// The longest of `texts` that fits into `room`, at x; none when none fits.
function textThatFits(g, texts, x, y, room) {
  const text = texts.find((t) => g.measureText(t).width <= room);
  if (text !== undefined) g.fillText(text, x, y);
}

// Oblique lines in a rectangle: down, paused, uncertain.
function hatch(g, x, y, width, height, color, step = 6) {
  g.save();
  g.beginPath();
  g.rect(x, y, width, height);
  g.clip();
  g.strokeStyle = color;
  g.lineWidth = 1;
  g.beginPath();
  const first = Math.floor(x / step) * step - height;
  for (let at = first; at < x + width; at += step) {
    g.moveTo(at, y + height);
    g.lineTo(at + height, y);
  }
  g.stroke();
  g.restore();
}

// A line along time that begins and ends in view.
function clip(from, until) {
  const x1 = Math.max(xOf(from), GUTTER);
  const x2 = Math.min(xOf(until), place.width);
  return [x1, Math.max(x2 - x1, 0)];
}

const inView = (from, until) => until >= view.from && from <= view.until;

function drawLanes() {
  const plot = document.getElementById("plot");
  layOut(plot.clientWidth, plot.clientHeight);
  lanes.style.height = `${place.height}px`;
  const g = begin(lanes, place.width, place.height);
  drawGround(g);
  g.save();
  g.beginPath();
  g.rect(GUTTER, 0, place.width - GUTTER, place.height);
  g.clip();
  drawAxis(g);
  drawFaults(g);
  drawWatermarks(g);
  const drawn = drawMessages(g);
  drawReigns(g);
  drawOperations(g);
  drawEvents(g);
  drawViolation(g);
  drawMarked(g, view.hovered, 0.7);
  drawMarked(g, view.selected, 1);
  if (drawn.labelled) drawLabels(g, drawn.messages);
  drawCursor(g);
  g.restore();
  drawGutter(g);
  plot.dataset.from = view.from;
  plot.dataset.until = view.until;
  plot.dataset.drawn = drawn.messages.length;
  showShown(drawn);
}

function drawGround(g) {
  g.fillStyle = colors.stripe;
  for (let node = 0; node < run.nodes; node += 2) {
    g.fillRect(0, laneTop(node), place.width, place.lane);
  }
  g.fillStyle = colors.rule;
  g.fillRect(0, place.clients - 4, place.width, 1);
}

function drawAxis(g) {
  const span = view.until - view.from;
  const raw = span / Math.max(2, (place.width - GUTTER) / 110);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  font(g, 11);
  for (let t = Math.max(0, Math.ceil(view.from / step) * step); t <= view.until; t += step) {
    const x = Math.round(xOf(t)) + 0.5;
    g.fillStyle = colors.rule;
    g.fillRect(x - 0.5, AXIS - 5, 1, place.height - AXIS + 5);
    g.fillStyle = colors.muted;
    g.textAlign = "center";
    g.fillText(timeText(t, step), x, 9);
  }
  // Where the phases of the run begin; the first one is the run's beginning.
  for (const phase of run.phases) {
    if (phase.at === 0 || !inView(phase.at, phase.at)) continue;
    g.strokeStyle = colors.muted;
    g.setLineDash([2, 3]);
    g.beginPath();
    g.moveTo(xOf(phase.at), AXIS - 4);
    g.lineTo(xOf(phase.at), place.height);
    g.stroke();
    g.setLineDash([]);
  }
}

function drawFaults(g) {
  g.fillStyle = colors.fault;
  g.globalAlpha = 0.1;
  run.struck.forEach((spans, node) => {
    for (const span of spans) {
      if (!inView(span.from, span.until)) continue;
      const [x, width] = clip(span.from, span.until);
      g.fillRect(x, laneTop(node), Math.max(width, 1), place.lane);
    }
  });
  font(g, 10.5, 600);
  for (const fault of run.faults) {
    if (!inView(fault.from, fault.until)) continue;
    const [x, width] = clip(fault.from, fault.until);
    const w = Math.max(width, 2);
    const y = place.faults + fault.row * FAULT_ROW;
    g.globalAlpha = 0.2;
    g.fillRect(x, y, w, FAULT_ROW - 2);
    g.globalAlpha = 1;
    g.fillRect(Math.max(xOf(fault.from), GUTTER - 2), y, 2, FAULT_ROW - 2);
    textThatFits(g, [fault.kind], x + 5, y + FAULT_ROW / 2 - 0.5, clip(fault.from, fault.nameUntil)[1] - 8);
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

// The end of a message's line: a lost one does not get there.
function lineOf(m) {
  const x1 = xOf(m.sent);
  const y1 = yOf(m.from, m.to);
  const x2 = xOf(m.end);
  const y2 = yOf(m.to, m.from);
  if (m.fate !== CUT && m.fate !== LOST) return { x1, y1, x2, y2 };
  // Its fate was known at once: a stub in the direction of its receiver.
  const length = Math.min(24, Math.abs(y2 - y1) * 0.5);
  return { x1, y1, x2: x1 + length * 0.45, y2: y1 + Math.sign(y2 - y1) * length };
}

function arrowHead(g, { x1, y1, x2, y2 }, size) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  g.moveTo(x2, y2);
  g.lineTo(x2 - size * Math.cos(angle - 0.4), y2 - size * Math.sin(angle - 0.4));
  g.lineTo(x2 - size * Math.cos(angle + 0.4), y2 - size * Math.sin(angle + 0.4));
  g.closePath();
}

function cross(g, x, y, size) {
  g.moveTo(x - size, y - size);
  g.lineTo(x + size, y + size);
  g.moveTo(x - size, y + size);
  g.lineTo(x + size, y - size);
}

function drawMessages(g) {
  const all = messagesInView();
  const every = Math.ceil(all.length / MESSAGES_DRAWN_MAX);
  const messages = every <= 1 ? all : all.filter((_, i) => i % every === 0);
  const n = messages.length;
  const alpha = n < 150 ? 0.9 : n < 600 ? 0.6 : n < 1500 ? 0.38 : 0.24;
  const size = n < 150 ? 7 : 5;
  g.lineWidth = n < 150 ? 1.3 : 1;
  const byKind = KINDS.map(() => []);
  for (const m of messages) byKind[m.kind].push(m);
  const quietFirst = [1, 5, 6, 0, 4, 3, 2];
  for (const kind of quietFirst) {
    const quiet = kind === 1 || kind === 5 ? 0.6 : 1;
    g.strokeStyle = g.fillStyle = colors[KIND_COLORS[kind]];
    const lines = byKind[kind].map((m) => ({ m, ...lineOf(m) }));
    for (let i = 0; i < lines.length; i += 250) {
      const some = lines.slice(i, i + 250);
      g.globalAlpha = alpha * quiet;
      g.beginPath();
      for (const { x1, y1, x2, y2 } of some) {
        g.moveTo(x1, y1);
        g.lineTo(x2, y2);
      }
      g.stroke();
      if (n >= 600) continue;
      g.beginPath();
      for (const line of some) if (line.m.fate === ARRIVED) arrowHead(g, line, size);
      g.fill();
    }
  }
  if (n < 1500) {
    g.globalAlpha = n < 600 ? 0.9 : 0.5;
    g.strokeStyle = colors.bad;
    g.beginPath();
    for (const m of messages) {
      if (m.fate <= ARRIVED) continue;
      const { x2, y2 } = lineOf(m);
      cross(g, x2, y2, n < 150 ? 3.5 : 2.2);
    }
    g.stroke();
  }
  g.globalAlpha = 1;
  return { messages, all: all.length, every, labelled: n <= 90 };
}

// Names beside the lines, as many as do not cover each other.
function drawLabels(g, messages) {
  font(g, 10);
  const taken = [];
  for (const m of messages) {
    const { x1, y1, x2, y2 } = lineOf(m);
    const width = g.measureText(m.label).width;
    for (const share of [0.5, 0.36, 0.64, 0.24]) {
      const x = x1 + (x2 - x1) * share + 5;
      const y = y1 + (y2 - y1) * share;
      const box = { x, y: y - 6, right: x + width, bottom: y + 6 };
      const onBar = run.states.some((_, node) => box.bottom > barTop(node) && box.y < barTop(node) + BAR);
      if (onBar || box.x < GUTTER || box.right > place.width || box.bottom > place.clients - 4 ||
          taken.some((t) => t.x < box.right && box.x < t.right && t.y < box.bottom && box.y < t.bottom)) {
        continue;
      }
      taken.push(box);
      g.globalAlpha = 0.75;
      g.fillStyle = colors.paper;
      g.fillRect(box.x - 1, box.y, width + 2, 12);
      g.globalAlpha = 1;
      g.fillStyle = colors[KIND_COLORS[m.kind]];
      g.fillText(m.label, x, y);
      break;
    }
  }
}

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

function drawOperations(g) {
  font(g, 10);
  for (const op of run.operations) {
    if (!inView(op.from, op.until)) continue;
    const [x, width] = clip(op.from, op.until);
    const w = Math.max(width - 1, 1.5);
    const y = rowTop(op.slot) + 2;
    const height = CLIENT_ROW - 4;
    g.fillStyle = colors[OUTCOME_COLORS[op.outcome]];
    g.fillRect(x, y, w, height);
    if (op.outcome === UNKNOWN || op.outcome === UNDER_WAY) hatch(g, x, y, w, height, colors.paper, 5);
    g.fillStyle = colors["op-ink"];
    const text = op.outcome === OK || op.outcome === NO_EFFECT ? `${op.what} → ${op.answer}` : op.what;
    if (w > 16) textThatFits(g, [text, op.what, op.what.split(" ").slice(0, 2).join(" ")], x + 4, y + height / 2 + 0.5, w - 7);
    if (op.accused) {
      g.strokeStyle = colors.bad;
      g.lineWidth = 2;
      g.strokeRect(x - 1, y - 1, w + 2, height + 2);
    }
  }
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

function drawViolation(g) {
  const flag = document.getElementById("flag");
  const at = run.failure && xOf(run.failure.at);
  const visible = run.failure !== null && at >= GUTTER && at <= place.width;
  flag.hidden = !visible;
  if (!visible) return;
  flag.style.left = `${at}px`;
  g.strokeStyle = colors.bad;
  g.lineWidth = 1.5;
  g.beginPath();
  g.moveTo(at, AXIS - 4);
  g.lineTo(at, place.height);
  g.stroke();
  g.lineWidth = 2.5;
  for (const node of run.failure.nodes) {
    g.beginPath();
    g.arc(at, barTop(node) + BAR / 2, 11, 0, 2 * Math.PI);
    g.stroke();
  }
}

// What is selected or under the pointer, brought out.
function drawMarked(g, thing, alpha) {
  if (thing === null) return;
  g.globalAlpha = alpha;
  g.strokeStyle = g.fillStyle = colors.accent;
  g.lineWidth = 2.4;
  if (thing.type === "message") drawOneMessage(g, thing);
  if (thing.type === "operation") {
    const [x, width] = clip(thing.from, thing.until);
    const around = thing.accused ? 3 : 1.5; // Its red edge stays in sight.
    g.strokeRect(x - around, rowTop(thing.slot) + 2 - around, Math.max(width - 1, 1.5) + 2 * around,
      CLIENT_ROW - 4 + 2 * around);
    g.lineWidth = 1.6;
    const client = run.nodes + thing.slot;
    const first = lowerBound(run.messages, thing.from, (m) => m.sent);
    for (let i = first; i < run.messages.length && run.messages[i].sent <= thing.until; ++i) {
      const m = run.messages[i];
      if (m.from === client || m.to === client) drawOneMessage(g, m);
    }
  }
  if (thing.type === "reign") {
    const [x, width] = clip(thing.from, thing.until);
    g.strokeRect(x, barTop(thing.node) - 1, Math.max(width, 2), BAR + 2);
  }
  if (thing.type === "fault") {
    const [x, width] = clip(thing.from, thing.until);
    g.strokeRect(x, place.faults + thing.row * FAULT_ROW - 1, Math.max(width, 2), FAULT_ROW);
  }
  if (thing.type === "event") {
    const x = xOf(thing.at);
    g.lineWidth = 1.2;
    g.setLineDash([4, 3]);
    g.beginPath();
    g.moveTo(x, AXIS);
    g.lineTo(x, place.height);
    g.stroke();
    g.setLineDash([]);
    g.lineWidth = 2.4;
    if (thing.node !== null) {
      g.beginPath();
      g.arc(x, barTop(thing.node) + BAR / 2, 11, 0, 2 * Math.PI);
      g.stroke();
    }
  }
  g.globalAlpha = 1;
}

function drawOneMessage(g, m) {
  const line = lineOf(m);
  g.beginPath();
  g.moveTo(line.x1, line.y1);
  g.lineTo(line.x2, line.y2);
  g.stroke();
  g.beginPath();
  if (m.fate === ARRIVED) {
    arrowHead(g, line, 9);
    g.fill();
  } else if (m.fate > ARRIVED) {
    cross(g, line.x2, line.y2, 4);
    g.stroke();
  }
}

function drawCursor(g) {
  if (view.cursor === null) return;
  g.fillStyle = colors.muted;
  g.globalAlpha = 0.5;
  g.fillRect(Math.round(xOf(view.cursor)), AXIS - 4, 1, place.height);
  g.globalAlpha = 1;
}

function drawGutter(g) {
  g.fillStyle = colors.rule;
  g.fillRect(GUTTER - 1, AXIS - 4, 1, place.height);
  const t = chosenTime();
  for (let node = 0; node < run.nodes; ++node) {
    const y = barTop(node) + BAR / 2;
    const named = run.failure !== null && run.failure.nodes.includes(node);
    font(g, 13, 650);
    g.fillStyle = named ? colors.bad : colors.ink;
    g.fillText(nameOf(node), 6, y);
    const state = stateAt(node, t);
    if (state === null) continue;
    g.fillStyle = colors.muted;
    font(g, 10.5);
    g.fillText(state.status <= NO_REPLICA ? STATUS[state.status] : `term ${state.term}`, 30, y);
    if (state.term === 0) continue;
    g.fillStyle = colors.commit;
    g.fillText(`commit ${state.commit}`, 6, y + 17);
    if (place.lane >= 52) {
      g.fillStyle = colors.muted;
      g.fillText(`durable ${state.durable}`, 6, y + 30);
    }
  }
  font(g, 11, 600);
  for (let slot = 0; slot < run.clients; ++slot) {
    g.fillStyle = colors.ink;
    g.fillText(nameOf(run.nodes + slot), 6, rowTop(slot) + CLIENT_ROW / 2);
  }
}

// The whole run in a strip: how many messages, who led, what was broken, and the window.
function drawOverview() {
  const width = overview.clientWidth;
  const height = overview.clientHeight;
  const g = begin(overview, width, height);
  const whole = WHOLE.until - WHOLE.from;
  const x = (t) => GUTTER + ((t - WHOLE.from) / whole) * (width - GUTTER);
  g.fillStyle = colors.stripe;
  g.fillRect(GUTTER, 0, width - GUTTER, height);
  g.fillStyle = colors.fault;
  g.globalAlpha = 0.3 / run.nodes;
  for (const span of run.struck.flat()) {
    g.fillRect(x(span.from), 0, Math.max(1, x(span.until) - x(span.from)), height);
  }
  g.globalAlpha = 0.75;
  g.fillStyle = colors.heartbeats;
  const bins = new Array(Math.ceil((width - GUTTER) / 2)).fill(0);
  for (const m of run.messages) ++bins[Math.min(bins.length - 1, Math.max(0, Math.floor((x(m.sent) - GUTTER) / 2)))];
  const most = Math.max(1, ...bins);
  bins.forEach((n, i) => {
    const h = (n / most) * (height - 12);
    g.fillRect(GUTTER + 2 * i, height - 6 - h, 1.5, h);
  });
  g.globalAlpha = 1;
  g.fillStyle = colors.leader;
  for (const reign of run.reigns.flat()) {
    if (reign.status === LEADER) g.fillRect(x(reign.from), height - 5, Math.max(1, x(reign.until) - x(reign.from)), 4);
  }
  g.fillStyle = colors.bad;
  for (const event of run.events) {
    if (event.kind === "crash") g.fillRect(x(event.at) - 0.5, 0, 1, 5);
  }
  if (run.failure) g.fillRect(x(run.failure.at) - 1, 0, 2, height);
  const left = x(view.from);
  const right = x(view.until);
  g.fillStyle = colors.paper;
  g.globalAlpha = 0.62;
  g.fillRect(GUTTER, 0, left - GUTTER, height);
  g.fillRect(right, 0, width - right, height);
  g.globalAlpha = 1;
  g.strokeStyle = colors.accent;
  g.lineWidth = 1.5;
  g.strokeRect(left + 0.75, 0.75, Math.max(3, right - left - 1.5), height - 1.5);
  font(g, 10.5);
  g.fillStyle = colors.muted;
  g.fillText("whole run", 6, height / 2);
}
