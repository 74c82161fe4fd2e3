// SPDX-License-Identifier: Apache-2.0
// The strip above the lanes.

const overview = document.getElementById("overview");

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
