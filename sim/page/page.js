// SPDX-License-Identifier: Apache-2.0
// Buttons, keys, pointer; and the start.

const byId = (id) => document.getElementById(id);

// --- The violation ---------------------------------------------------------------------------------

// What v shows in turn: the violation as a whole, then each operation that it names.
let violationStep = 0;

function violationWindow() {
  const { at } = run.failure;
  let from;
  let until = at;
  if (run.promises.length > 0) {
    from = Math.min(at, ...run.promises.map((p) => p.from));
    until = Math.max(at, ...run.promises.map((p) => p.until));
  } else if (run.accused.length > 0) {
    from = Math.min(...run.accused.map((op) => op.from));
  } else {
    // As much of the past as some sixty messages.
    const last = lowerBound(run.messages, at, (m) => m.sent);
    from = last === 0 ? 0 : run.messages[Math.max(0, last - 60)].sent;
  }
  const margin = Math.max((until - from) * 0.12, 1e6);
  return [from - margin, until + margin];
}

function showViolation() {
  if (!run.failure) {
    byId("shown").textContent = "This run passed: there is no violation to show.";
    return;
  }
  const step = violationStep;
  violationStep = (violationStep + 1) % (run.accused.length + 1);
  if (step === 0) {
    setWindow(...violationWindow());
    select(run.events.find((e) => e.type === "violation"));
  } else {
    const op = run.accused[step - 1];
    const margin = Math.max((op.until - op.from) * 0.3, 1e6);
    setWindow(op.from - margin, op.until + margin);
    select(op);
  }
}

// --- The events ------------------------------------------------------------------------------------

function step(direction) {
  const here = run.events.indexOf(view.selected);
  let next;
  if (here >= 0) {
    next = here + direction;
  } else {
    const t = view.selected ? chosenTime() : view.from;
    next = lowerBound(run.events, t, (e) => e.at) - (direction < 0 ? 1 : 0);
  }
  if (next < 0 || next >= run.events.length) return;
  // From far away an event is a point in a crowd.
  const close = run.end / 12;
  const event = run.events[next];
  if (view.until - view.from > close) setWindow(event.at - close / 2, event.at + close / 2);
  choose(event);
}

// --- Keys and buttons ------------------------------------------------------------------------------

function toggleMessages() {
  const on = !view.kinds.some(Boolean);
  view.kinds.fill(on);
  for (const button of byId("kinds").children) button.setAttribute("aria-pressed", String(on));
  redraw();
}

const KEYS = {
  v: showViolation,
  n: () => step(1),
  p: () => step(-1),
  f: fit,
  m: toggleMessages,
  "+": () => zoom(0.6),
  "=": () => zoom(0.6),
  "-": () => zoom(1 / 0.6),
  "?": () => byId("help").showModal(),
  ArrowLeft: () => pan(-0.15),
  ArrowRight: () => pan(0.15),
  Home: () => setWindow(0, view.until - view.from),
  End: () => setWindow(run.end - (view.until - view.from), run.end),
  Escape: () => select(null),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

byId("violation").addEventListener("click", showViolation);
byId("next").addEventListener("click", KEYS.n);
byId("previous").addEventListener("click", KEYS.p);
byId("fit").addEventListener("click", fit);
byId("zoom-in").addEventListener("click", KEYS["+"]);
byId("zoom-out").addEventListener("click", KEYS["-"]);
byId("help-button").addEventListener("click", KEYS["?"]);
byId("copy").addEventListener("click", async () => {
  const done = await navigator.clipboard.writeText(run.replay).then(() => true, () => false);
  if (!done) getSelection().selectAllChildren(byId("replay-line"));
  byId("copy").textContent = done ? "Copied" : "Selected";
});

// --- Pointer ---------------------------------------------------------------------------------------

lanes.addEventListener("wheel", (event) => {
  // Along the lanes only where they do not fit on the screen, and with Shift.
  if (event.shiftKey) return;
  event.preventDefault();
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / place.width);
  else zoom(1.0015 ** event.deltaY, timeAt(event.offsetX));
}, { passive: false });

let drag = null;
lanes.addEventListener("pointerdown", (event) => {
  lanes.setPointerCapture(event.pointerId);
  drag = { x: event.offsetX, from: view.from, until: view.until, moved: false };
});
lanes.addEventListener("pointermove", (event) => {
  const { offsetX: x, offsetY: y } = event;
  view.cursor = x < GUTTER ? null : timeAt(x);
  if (drag) {
    drag.moved ||= Math.abs(x - drag.x) > 3;
    const step = ((drag.x - x) / (place.width - GUTTER)) * (drag.until - drag.from);
    if (drag.moved) setWindow(drag.from + step, drag.until + step);
    return;
  }
  view.hovered = thingAt(x, y);
  showTip(x, y);
  redraw();
});
lanes.addEventListener("pointerup", (event) => {
  if (drag && !drag.moved) select(thingAt(event.offsetX, event.offsetY));
  drag = null;
});
lanes.addEventListener("pointerleave", () => {
  view.cursor = null;
  view.hovered = null;
  byId("tip").hidden = true;
  redraw();
});

function showTip(x, y) {
  const tip = byId("tip");
  tip.hidden = view.hovered === null;
  if (tip.hidden) return;
  const [title, , text] = describe(view.hovered);
  tip.textContent = text || title;
  const left = Math.min(x + 14, place.width - tip.offsetWidth - 4);
  const below = y + 18 + tip.offsetHeight < place.height;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${below ? y + 18 : y - tip.offsetHeight - 8}px`;
}

function overviewMove(event) {
  if (event.buttons === 0) return;
  const share = (event.offsetX - GUTTER) / (overview.clientWidth - GUTTER);
  const middle = WHOLE.from + share * (WHOLE.until - WHOLE.from);
  let span = view.until - view.from;
  if (span >= WHOLE.until - WHOLE.from) span /= 8;
  setWindow(middle - span / 2, middle + span / 2);
}
overview.addEventListener("pointerdown", (event) => {
  overview.setPointerCapture(event.pointerId);
  overviewMove(event);
});
overview.addEventListener("pointermove", overviewMove);

// --- Start -----------------------------------------------------------------------------------------

function fillHeader() {
  document.body.classList.toggle("failed", run.failure !== null);
  document.title = `${run.failure ? run.failure.code : "passed"} · ${run.name}`;
  byId("badge").textContent = run.failure ? run.failure.code : "passed";
  byId("sentence").textContent = run.failure ? run.failure.sentence : "The run passed every check.";
  const words = [run.name, `${run.nodes} nodes`, durationText(run.end),
    `${(run.messages.length + run.messagesLeftOut).toLocaleString("en")} messages`,
    `${run.operations.length.toLocaleString("en")} operations`, run.verdict];
  byId("facts").textContent = words.filter(Boolean).join(" · ");
  byId("replay-line").textContent = run.replay;
  byId("flag").textContent = run.failure ? run.failure.code : "";
  byId("violation").disabled = run.failure === null;
}

function fillLegend() {
  const used = KINDS.map((_, kind) => run.messages.some((m) => m.kind === kind));
  KINDS.forEach((name, kind) => {
    const button = element("button", { type: "button", "aria-pressed": "true", title: `Show or hide: ${name}` }, name);
    button.hidden = !used[kind];
    button.style.setProperty("--kind", `var(--${KIND_COLORS[kind]})`);
    button.addEventListener("click", () => {
      view.kinds[kind] = !view.kinds[kind];
      button.setAttribute("aria-pressed", String(view.kinds[kind]));
      redraw();
    });
    byId("kinds").append(button);
  });
  const entry = (text, swatch, edge) => {
    const span = element("span", {}, text);
    span.style.setProperty("--swatch", swatch);
    if (edge) span.style.setProperty("--edge", edge);
    byId("legend").append(span);
  };
  STATUS_COLORS.forEach((color, status) => {
    const occurs = color && run.reigns.flat().some((reign) => reign.status === status);
    if (occurs) entry(STATUS[status], `var(--${color})`);
  });
  if (run.faults.length > 0) entry("fault", "color-mix(in srgb, var(--fault) 30%, transparent)");
  if (run.promises.length > 0) entry("promise", "color-mix(in srgb, var(--promise) 40%, transparent)");
  entry("log on disk", "color-mix(in srgb, var(--durable) 45%, transparent)");
  entry("committed", "linear-gradient(var(--commit), var(--commit)) center / 100% 2px no-repeat");
  OUTCOME_COLORS.forEach((color, outcome) => {
    const occurs = outcome !== UNDER_WAY && run.operations.some((op) => op.outcome === outcome);
    if (occurs) entry(OUTCOMES[outcome], `var(--${color})`);
  });
  if (run.accused.length > 0) entry("accused", "transparent", "2px solid var(--bad)");
}

readColors();
fillHeader();
fillLegend();
fillEvents();
showDetails();
fit();
new ResizeObserver(redraw).observe(byId("plot"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readColors();
  redraw();
});
