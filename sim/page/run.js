// SPDX-License-Identifier: Apache-2.0
// The run itself, out of the rows that record_json.cc wrote.
"use strict";

const STATUS = ["down", "paused", "no replica", "follower", "pre-candidate", "candidate", "leader"];
const KINDS = ["replication", "heartbeats", "elections", "snapshots", "read index", "clients", "other"];
const FATES = ["under way", "arrived", "cut", "lost", "reset", "nobody there"];
const OUTCOMES = ["under way", "ok", "no effect", "failed", "unknown"];
const [DOWN, PAUSED, NO_REPLICA, , , , LEADER] = STATUS.keys();
const [UNDER_WAY, ARRIVED, CUT, LOST] = FATES.keys();
const [, OK, NO_EFFECT, , UNKNOWN] = OUTCOMES.keys();
// Faults of a moment and of one kind beyond this number are one line of the list.
const CHANCES_LISTED_MAX = 40;

// Clients come and go, with numbers of their own, and sit one after the other in one seat.
const nameIn = (nodes, endpoint) =>
  (endpoint < nodes ? `store ${endpoint + 1}` : `seat ${endpoint - nodes + 1}`);

const run = (() => {
  const data = JSON.parse(document.getElementById("run").textContent);
  const orEnd = (t) => (t < 0 ? data.end : t);

  const states = Array.from({ length: data.nodes }, () => []);
  for (const [node, at, status, term, commit, last, durable, applied] of data.states) {
    states[node].push({ at, status, term, commit, last, durable, applied });
  }

  // What a node was, from change to change of its status or term: the bars of its lane.
  const reigns = states.map((list, node) => {
    const result = [];
    for (const state of list) {
      const before = result.at(-1);
      if (before && before.status === state.status && before.term === state.term) continue;
      if (before) before.until = state.at;
      result.push({ type: "reign", node, from: state.at, until: data.end, status: state.status, term: state.term });
    }
    return result;
  });

  const messages = data.messages.map(([from, to, sent, end, fate, copy, kind, text]) => ({
    type: "message", from, to, sent, end: orEnd(end), fate, copy: copy === 1, kind, text,
    label: text.replace(/ #\d+/g, "").split(" (")[0].split(" peer ")[0],
  }));
  // Copies were noted when they arrived.
  messages.sort((a, b) => a.sent - b.sent);
  // How far back in time a message in view can have been sent.
  const longest = messages.reduce((most, m) => Math.max(most, m.end - m.sent), 0);

  const faults = data.faults.map(([from, until, kind, nodes]) => ({
    type: "fault", from, until: orEnd(until), kind, nodes,
  }));
  // When each node is struck by some fault: faults at the same time shade it once.
  const struck = states.map((_, node) => {
    const spans = [];
    for (const fault of faults) {
      if (fault.nodes.length > 0 && !fault.nodes.includes(node)) continue;
      const last = spans.at(-1);
      if (last && fault.from <= last.until) last.until = Math.max(last.until, fault.until);
      else spans.push({ from: fault.from, until: fault.until });
    }
    return spans;
  });
  const operations = data.operations.map(
    ([slot, client, invoked, completed, outcome, attempts, accused, what, answer]) => ({
      type: "operation", slot, client, from: invoked, until: orEnd(completed), outcome, attempts,
      accused: accused === 1, what, answer,
    }));
  const accused = operations.filter((op) => op.accused);

  // The stops of n and p, in the order of time.
  const events = data.events.map(([at, node, kind, text]) => ({
    type: "event", at, node: node < 0 ? null : node, kind, text,
  }));
  // Those of a moment; of a kind that is too frequent to be read, only how often.
  const chances = data.chances.map(([at, endpoint, kind]) => ({ at, endpoint, kind }));
  for (const kind of new Set(chances.map((c) => c.kind))) {
    const all = chances.filter((c) => c.kind === kind);
    const listed = all.length <= CHANCES_LISTED_MAX ? all : all.slice(0, 1);
    for (const { at, endpoint } of listed) {
      const where = endpoint < 0 ? "" : ` at ${nameIn(data.nodes, endpoint)}`;
      const rest = listed.length < all.length ? `, and ${(all.length - 1).toLocaleString("en")} more` : "";
      events.push({ type: "event", at, node: null, kind: "fault", text: kind + where + rest });
    }
  }
  const promises = data.promises.map(([node, from, until]) => ({ type: "promise", node, from, until }));
  for (const fault of faults) {
    events.push({ type: "event", at: fault.from, node: null, kind: "fault", text: fault.kind, fault });
  }
  for (const [at, name] of data.phases) {
    events.push({ type: "event", at, node: null, kind: "phase", text: name });
  }
  if (data.failure) {
    events.push({ type: "violation", at: data.failure.at, node: null, kind: data.failure.code,
      text: data.failure.sentence });
  }
  events.sort((a, b) => a.at - b.at);

  return { ...data, states, reigns, messages, longest, faults, struck, chances, promises, operations,
    accused, events,
    phases: data.phases.map(([at, name]) => ({ at, name })) };
})();

// The first position of the sorted `list` whose key is not below `t`.
function lowerBound(list, t, key) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

// A node's state at `t`; null before its first.
function stateAt(node, t) {
  const i = lowerBound(run.states[node], t + 1, (s) => s.at) - 1;
  return i < 0 ? null : run.states[node][i];
}

const nameOf = (endpoint) => nameIn(run.nodes, endpoint);

// "1.234 567 s": digits as far as a step of `resolution` nanoseconds needs them.
function timeText(ns, resolution = 1000) {
  const digits = Math.max(0, Math.min(9, Math.ceil(9 - Math.log10(Math.max(1, resolution)))));
  return `${(ns / 1e9).toFixed(digits)} s`;
}

function durationText(ns) {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${+(ns / 1e3).toFixed(1)} µs`;
  if (ns < 1e9) return `${+(ns / 1e6).toFixed(2)} ms`;
  return `${+(ns / 1e9).toFixed(3)} s`;
}
