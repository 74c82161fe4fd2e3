// SPDX-License-Identifier: Apache-2.0
// What is under the pointer.

function distanceToLine(px, py, { x1, y1, x2, y2 }) {
  const dx = x2 - x1;
  const dy = y2 - y1;
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((px - x1) * dx + (py - y1) * dy) / length));
  return Math.hypot(px - x1 - share * dx, py - y1 - share * dy);
}

// The thing that a click at (x, y) means; null when there is none.
function thingAt(x, y) {
  if (x < GUTTER) return null;
  const t = timeAt(x);
  const slack = timeAt(x + 3) - t;
  const during = (thing) => thing.from - slack <= t && t <= thing.until + slack;

  if (run.failure && Math.abs(xOf(run.failure.at) - x) < 4) return run.events.find((e) => e.type === "violation");
  if (y < place.nodes) {
    const row = Math.floor((y - place.faults) / FAULT_ROW);
    return run.faults.findLast((f) => f.row === row && during(f)) ?? null;
  }
  const node = Math.floor((y - place.nodes) / place.lane);
  const onBar = node < run.nodes && y >= barTop(node) - 4 && y <= barTop(node) + BAR + 2;
  if (onBar) {
    const event = run.events.findLast((e) => e.node === node && Math.abs(xOf(e.at) - x) < 5);
    if (event) return event;
  }
  if (y >= place.clients) {
    const slot = Math.floor((y - place.clients) / CLIENT_ROW);
    const op = run.operations.findLast((o) => o.slot === slot && during(o));
    if (op) return op;
  }
  if (onBar) return run.reigns[node].find(during) ?? null;
  let best = null;
  let nearest = 5;
  for (const m of messagesInView()) {
    const distance = distanceToLine(x, y, lineOf(m));
    if (distance < nearest) {
      nearest = distance;
      best = m;
    }
  }
  return best;
}
