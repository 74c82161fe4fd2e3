// SPDX-License-Identifier: Apache-2.0
// What is brought out: the violation, what is selected or under the pointer, the time there.

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

function drawCursor(g) {
  if (view.cursor === null) return;
  g.fillStyle = colors.muted;
  g.globalAlpha = 0.5;
  g.fillRect(Math.round(xOf(view.cursor)), AXIS - 4, 1, place.height);
  g.globalAlpha = 1;
}
