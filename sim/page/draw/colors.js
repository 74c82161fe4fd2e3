// SPDX-License-Identifier: Apache-2.0
// What colour everything has.

const STATUS_COLORS = ["down", "paused", null, "follower", "pre-candidate", "candidate", "leader"];
const STATUS_INKS = ["ink", "ink", "muted", "follower-ink", "role-ink", "role-ink", "leader-ink"];
const KIND_COLORS = ["replication", "heartbeats", "elections", "snapshots", "reads", "clients", "other"];
const OUTCOME_COLORS = ["op-failed", "op-ok", "op-no-effect", "op-failed", "op-unknown"];

// The colours of the style sheet; read anew when the scheme changes.
let colors = {};
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "panel", "stripe", "ink", "muted", "rule", "accent", "bad", "good", "fault",
    "promise", "durable", "commit", "op-ink", ...STATUS_COLORS, ...STATUS_INKS, ...KIND_COLORS, ...OUTCOME_COLORS];
  colors = Object.fromEntries(names.filter(Boolean).map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
}
