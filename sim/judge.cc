// SPDX-License-Identifier: Apache-2.0
#include "sim/judge.h"

#include <utility>
#include <vector>

#include "sim/history/graph_checker.h"
#include "sim/history/versioned_checker.h"
#include "sim/history/versioned_model.h"
#include "sim/history/wgl.h"

namespace flaredb::sim {

void Judge(bool double_check, const VersionedHistory& history, FailureReport* report) {
  Verdict verdict = CheckVersioned(history);
  if (double_check) {
    std::vector<std::vector<TimedOp<VersionedStep>>> parts;
    for (size_t key = 0; key < history.keys(); ++key) parts.push_back(ForWgl(history.ops(key)));
    VersionedModel model;
    if (CheckWgl(&model, parts).linearizable != verdict.linearizable) {
      report->Fail(
          FailureKind::kChecker, "CHECK",
          verdict.linearizable
              ? "checker A finds the history linearizable, and checker C does not."
              : "checker C finds the history linearizable, and checker A says: " + verdict.why);
      return;
    }
  }
  if (!verdict.linearizable) {
    report->Fail(FailureKind::kSafety, "LIN", std::move(verdict.why));
    return;
  }
  Verdict together = CheckGraph(history);
  if (!together.linearizable) {
    report->Fail(FailureKind::kSafety, "SER", std::move(together.why));
  }
}

}  // namespace flaredb::sim
