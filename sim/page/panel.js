// SPDX-License-Identifier: Apache-2.0
// The text beside the lanes: what is selected, the cluster at a point of time, the events.

// An element with attributes and children, which are elements or text. Nothing is parsed as HTML:
// keys and values of a run may hold anything.
function element(name, attributes, ...children) {
  const result = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") result.addEventListener("click", value);
    else result.setAttribute(key, value);
  }
  result.append(...children);
  return result;
}

const details = document.getElementById("details");
const eventList = document.getElementById("event-list");

// The time of which the cluster table and the gutter speak.
function chosenTime() {
  if (view.cursor !== null) return view.cursor;
  const thing = view.selected;
  if (thing === null) return Math.min(view.until, run.end);
  return thing.at ?? thing.sent ?? thing.from;
}

function facts(pairs) {
  const list = element("dl", {});
  for (const [name, value] of pairs) {
    if (value !== "" && value !== null) list.append(element("dt", {}, name), element("dd", {}, String(value)));
  }
  return list;
}

function rowButton(text, thing) {
  return element("li", {}, element("button", { class: "row", type: "button", onclick: () => choose(thing) }, text));
}

function describe(thing) {
  switch (thing.type) {
    case "message":
      return [
        `${nameOf(thing.from)} → ${nameOf(thing.to)}  ${thing.label}`,
        [
          ["kind", KINDS[thing.kind] + (thing.copy ? ", second copy" : "")],
          ["sent", timeText(thing.sent)],
          [FATES[thing.fate], thing.fate === UNDER_WAY ? "when the run ended" : timeText(thing.end)],
          ["after", thing.fate === UNDER_WAY || thing.end === thing.sent ? "" : durationText(thing.end - thing.sent)],
        ],
        thing.text,
      ];
    case "operation":
      return [
        `Client ${thing.client}: ${thing.what}`,
        [
          ["outcome", OUTCOMES[thing.outcome] + (thing.accused ? ", named by the violation" : "")],
          [thing.outcome === OK || thing.outcome === NO_EFFECT ? "answer" : "last answer", thing.answer],
          ["invoked", timeText(thing.from)],
          ["took", durationText(thing.until - thing.from)],
          ["attempts", thing.attempts],
        ],
        "",
      ];
    case "reign":
      return [
        `${nameOf(thing.node)}: ${STATUS[thing.status]}`,
        [["term", thing.status <= NO_REPLICA ? "" : thing.term], ["from", timeText(thing.from)],
          ["until", timeText(thing.until)], ["for", durationText(thing.until - thing.from)]],
        "",
      ];
    case "fault":
      return [
        `Fault: ${thing.kind}`,
        [["from", timeText(thing.from)], ["until", timeText(thing.until)],
          ["for", durationText(thing.until - thing.from)],
          ["nodes", thing.nodes.length === 0 ? "all" : thing.nodes.map(nameOf).join(", ")]],
        "",
      ];
    case "violation":
      return [`Violation: ${thing.kind}`, [["at", timeText(thing.at)],
        ["nodes", run.failure.nodes.map(nameOf).join(", ")]], thing.text];
    default:
      if (thing.fault) return describe(thing.fault);
      return [
        `${thing.node === null ? "" : `${nameOf(thing.node)}: `}${thing.kind}`,
        [["at", timeText(thing.at)]],
        thing.text,
      ];
  }
}

function showDetails() {
  const thing = view.selected;
  details.replaceChildren();
  if (thing === null) {
    details.append(
      element("h3", {}, run.failure ? "A failed run" : "A run that passed"),
      element("p", {}, "Click a message, a bar or a mark for its details. Press ? for the keys."),
      facts(run.counts.map(([name, n]) => [name, n.toLocaleString("en")])));
    return;
  }
  const [title, pairs, text] = describe(thing);
  details.append(element("h3", {}, title), facts(pairs));
  if (text) details.append(element("p", { class: "text" }, text));
  if (thing.type === "violation" && run.accused.length > 0) {
    details.append(element("ul", {}, ...run.accused.map((op) =>
      rowButton(`client ${op.client}: ${op.what} → ${op.answer || OUTCOMES[op.outcome]}`, op))));
  }
}

// A row for each node, made once: the numbers follow the pointer.
const clusterRows = run.states.map((_, node) => {
  const named = run.failure !== null && run.failure.nodes.includes(node);
  const cells = Array.from({ length: 7 }, () => element("td", {}));
  cells[0].textContent = node + 1;
  document.querySelector("#cluster tbody").append(element("tr", named ? { class: "named" } : {}, ...cells));
  return cells;
});

function showCluster() {
  const t = Math.max(0, chosenTime());
  document.getElementById("cursor-time").textContent = timeText(t, (view.until - view.from) / 1000);
  clusterRows.forEach((cells, node) => {
    const s = stateAt(node, t);
    const status = s === null ? DOWN : s.status;
    const dot = element("span", { class: "dot" });
    dot.style.background = colors[STATUS_COLORS[status] ?? "rule"];
    cells[1].replaceChildren(dot, STATUS[status].replace("candidate", "cand."));
    const numbers = s === null || s.term === 0 ? ["", "", "", "", ""] : [s.term, s.commit, s.durable, s.last, s.applied];
    numbers.forEach((n, i) => (cells[i + 2].textContent = n));
  });
}

function showShown({ messages, all, every }) {
  const words = [`${all.toLocaleString("en")} messages in ${durationText(Math.round(view.until - view.from))}`];
  if (every > 1) words.push(`one in ${every} drawn: zoom in for all`);
  if (run.messagesLeftOut > 0) words.push(`the first ${run.messagesLeftOut.toLocaleString("en")} of the run were not kept`);
  const text = words.join("; ");
  const shown = document.getElementById("shown");
  if (shown.textContent !== text) shown.textContent = text;
}

const eventButtons = new Map();
function fillEvents() {
  document.getElementById("event-count").textContent = `(${run.events.length})`;
  for (const event of run.events) {
    const button = element("button", { class: "row", type: "button", onclick: () => choose(event) },
      element("time", {}, (event.at / 1e9).toFixed(6)),
      element("b", {}, `${event.node === null ? "" : `${nameOf(event.node)} `}${event.kind}`),
      element("span", { class: "rest" }, event.text));
    if (event.type === "violation" || event.kind === "crash") button.classList.add("bad");
    if (event.kind === "fault") button.classList.add("fault");
    eventButtons.set(event, button);
    eventList.append(element("li", {}, button));
  }
}

function select(thing) {
  eventButtons.get(view.selected)?.removeAttribute("aria-current");
  view.selected = thing;
  const button = eventButtons.get(thing);
  if (button) {
    button.setAttribute("aria-current", "true");
    button.scrollIntoView({ block: "center" });
  }
  showDetails();
  redraw();
}

// Selects it and brings it into view.
function choose(thing) {
  const subject = thing.fault ?? thing;
  select(thing);
  reveal(subject.at ?? subject.sent ?? subject.from, subject.at ?? subject.end ?? subject.until);
}
