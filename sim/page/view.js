// SPDX-License-Identifier: Apache-2.0
// What is shown: the window of time, what is selected, and where things are on the canvas.

const view = {
  from: 0,
  until: 1,
  selected: null,
  hovered: null,
  cursor: null, // Under the pointer, in nanoseconds; null elsewhere.
  kinds: KINDS.map(() => true), // Kinds of message that are drawn.
};

const SPAN_MIN = 20e3;
const WHOLE = { from: -0.01 * run.end, until: 1.025 * run.end + SPAN_MIN };

function setWindow(from, until) {
  const span = Math.min(Math.max(until - from, SPAN_MIN), WHOLE.until - WHOLE.from);
  const middle = (from + until) / 2;
  view.from = Math.min(Math.max(middle - span / 2, WHOLE.from), WHOLE.until - span);
  view.until = view.from + span;
  redraw();
}

const fit = () => setWindow(WHOLE.from, WHOLE.until);

// `factor` below 1 shows less; the point of time `around` stays where it is.
function zoom(factor, around = (view.from + view.until) / 2) {
  const span = Math.min(Math.max((view.until - view.from) * factor, SPAN_MIN), WHOLE.until - WHOLE.from);
  const share = (around - view.from) / (view.until - view.from);
  setWindow(around - share * span, around + (1 - share) * span);
}

function pan(share) {
  const step = (view.until - view.from) * share;
  setWindow(view.from + step, view.until + step);
}

// Moves, without zooming, until `from` to `until` is well inside.
function reveal(from, until = from) {
  const span = view.until - view.from;
  if (from >= view.from + 0.08 * span && until <= view.until - 0.08 * span) return;
  const middle = until - from > span ? from + 0.4 * span : (from + until) / 2;
  setWindow(middle - span / 2, middle + span / 2);
}

// Rows of the strip above the lanes, so that faults at the same time do not hide each other.
const FAULT_ROWS_MAX = 5;
const faultRows = (() => {
  const free = []; // When each row is free again.
  for (const fault of run.faults) {
    let row = free.findIndex((t) => t <= fault.from);
    if (row < 0) row = free.length < FAULT_ROWS_MAX ? free.length : free.indexOf(Math.min(...free));
    free[row] = Math.max(free[row] ?? 0, fault.until);
    fault.row = row;
  }
  // Where rows ran out, a name ends before the next one begins.
  const next = new Array(free.length).fill(Infinity);
  for (const fault of run.faults.toReversed()) {
    fault.nameUntil = Math.min(fault.until, next[fault.row]);
    next[fault.row] = fault.from;
  }
  return free.length;
})();

const GUTTER = 120;
const AXIS = 22;
const FAULT_ROW = 15;
const CLIENT_ROW = 17;
const LANE_MIN = 44;
const LANE_MAX = 150;
const BAR = 16;

// Positions in CSS pixels; computed anew when the size changes.
const place = { width: 0, height: 0, faults: AXIS, nodes: 0, lane: LANE_MIN, clients: 0 };

function layOut(width, height) {
  place.width = width;
  place.nodes = AXIS + faultRows * FAULT_ROW + 6;
  const clients = run.clients * CLIENT_ROW + 12;
  const room = (height - place.nodes - clients) / Math.max(1, run.nodes);
  place.lane = Math.min(LANE_MAX, Math.max(LANE_MIN, Math.floor(room)));
  place.clients = place.nodes + run.nodes * place.lane + 6;
  place.height = Math.max(height, place.clients + clients - 6);
}

const xOf = (t) => GUTTER + ((t - view.from) / (view.until - view.from)) * (place.width - GUTTER);
const timeAt = (x) => view.from + ((x - GUTTER) / (place.width - GUTTER)) * (view.until - view.from);
const laneTop = (node) => place.nodes + node * place.lane;
const barTop = (node) => laneTop(node) + 7;
const rowTop = (slot) => place.clients + slot * CLIENT_ROW;

// Where messages touch a node's bar or a client's row: at the edge that faces the other end.
function yOf(endpoint, other) {
  const [top, height] = endpoint < run.nodes ? [barTop(endpoint), BAR]
    : [rowTop(endpoint - run.nodes) + 2, CLIENT_ROW - 4];
  return other > endpoint ? top + height : top;
}

// The messages whose line is in view and of a kind that is shown, in the order of sending.
function messagesInView() {
  const { messages } = run;
  const begin = lowerBound(messages, view.from - run.longest, (m) => m.sent);
  const result = [];
  for (let i = begin; i < messages.length && messages[i].sent <= view.until; ++i) {
    const m = messages[i];
    if (m.end >= view.from && view.kinds[m.kind]) result.push(m);
  }
  return result;
}
