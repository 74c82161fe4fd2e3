// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/log_matching.h"

#include <algorithm>
#include <sstream>

#include "core/base/hash.h"

namespace flaredb::sim {

uint64_t ContentHash(const raft::EntryView& entry) {
  return Hasher().Add(static_cast<uint64_t>(entry.kind)).Add(entry.payload).value();
}

void LogMatching::OnAppend(uint32_t node, Term previous_term, const raft::EntryView& entry) {
  if (by_index_.size() <= entry.index.value()) by_index_.resize(entry.index.value() + 1);
  auto& known = by_index_[entry.index.value()];
  const uint64_t content = ContentHash(entry);
  for (const Known& k : known) {
    if (k.term != entry.term) continue;
    if (k.previous_term == previous_term && k.content == content) return;
    std::ostringstream out;
    out << names_->Store(k.node) << " has at index " << entry.index << " an entry of term "
        << entry.term << " after one of term " << k.previous_term << ", and " << names_->Store(node)
        << " appends " << (k.content == content ? "the same entry" : "another entry")
        << " of that term there after one of term " << previous_term << ".";
    report_->Fail(FailureKind::kSafety, "LM", out.str());
    return;
  }
  known.push_back({entry.term, previous_term, content, node});
}

void LogMatching::Forget(Term term) {
  for (auto& known : by_index_) {
    const auto gone =
        std::remove_if(known.begin(), known.end(), [&](const Known& k) { return k.term >= term; });
    known.erase(gone, known.end());
  }
}

}  // namespace flaredb::sim
