// SPDX-License-Identifier: Apache-2.0
// What everything stands on: a stripe for each node, the axis of time, the faults, names on the left.

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
  for (const chance of run.chances) {
    if (inView(chance.at, chance.at)) g.fillRect(xOf(chance.at) - 0.5, AXIS - 6, 1, 5);
  }
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

// What bound the voters to a leader whose lease was wrong.
function drawPromises(g) {
  g.fillStyle = colors.promise;
  font(g, 10.5, 600);
  for (const promise of run.promises) {
    if (!inView(promise.from, promise.until)) continue;
    const [x, width] = clip(promise.from, promise.until);
    const y = laneTop(promise.node);
    g.globalAlpha = 0.22;
    g.fillRect(x, y, Math.max(width, 2), place.lane);
    g.globalAlpha = 1;
    g.fillRect(Math.max(xOf(promise.from), GUTTER) - 1, y, 2, place.lane);
    g.fillRect(xOf(promise.until) - 1, y, 2, place.lane);
    textThatFits(g, ["promised to its leader", "promised"], x + 5, y + place.lane - 8, width - 8);
  }
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
    g.fillText(state.status <= NO_REPLICA ? STATUS[state.status] : `term ${state.term}`, 65, y);
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
