// SPDX-License-Identifier: Apache-2.0
// How to draw on a canvas: text, hatching, crosses, lines along time.

const SANS = 'system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif';

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

function cross(g, x, y, size) {
  g.moveTo(x - size, y - size);
  g.lineTo(x + size, y + size);
  g.moveTo(x - size, y + size);
  g.lineTo(x + size, y - size);
}

// A line along time that begins and ends in view.
function clip(from, until) {
  const x1 = Math.max(xOf(from), GUTTER);
  const x2 = Math.min(xOf(until), place.width);
  return [x1, Math.max(x2 - x1, 0)];
}

const inView = (from, until) => until >= view.from && from <= view.until;
