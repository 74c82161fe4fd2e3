// SPDX-License-Identifier: Apache-2.0
// Messages: arrows, and crosses where one was lost.

// Beyond this number in view every so manieth message is drawn.
const MESSAGES_DRAWN_MAX = 4000;

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
