// SPDX-License-Identifier: Apache-2.0
// The operations of the clients.

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
