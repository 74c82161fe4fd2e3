// SPDX-License-Identifier: Apache-2.0
// Paints the lanes, from the ground up.

const lanes = document.getElementById("lanes");

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
  drawPromises(g);
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
