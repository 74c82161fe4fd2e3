// SPDX-License-Identifier: Apache-2.0
#include "sim/log_image.h"

#include <algorithm>
#include <sstream>

namespace flaredb::sim {

std::optional<std::string> LogImage::Apply(const raft::Persist& persist) {
  if (persist.truncate_from && persist.truncate_from <= last_index()) {
    entries_.resize(persist.truncate_from.prev().value());
  }
  for (const raft::EntrySlice& slice : persist.append) {
    if (slice.first_index() != last_index().next()) {
      std::ostringstream out;
      out << "a persist appends index " << slice.first_index() << " to a log that ends at "
          << last_index();
      return out.str();
    }
    const auto begin = static_cast<uint32_t>(slice.first_index() - slice.block()->first_index());
    for (uint32_t i = 0; i < slice.size(); ++i) entries_.push_back({slice.block(), begin + i});
  }
  if (persist.hard_state) hard_state_ = *persist.hard_state;
  return std::nullopt;
}

raft::EntrySlices LogImage::Read(Index first, Index last, size_t bytes_max) const {
  raft::EntrySlices slices;
  last = std::min(last, last_index());
  size_t bytes = 0;
  for (Index i = first; i && i <= last; ++i) {
    const Slot& s = slot(i);
    bytes += s.block->at(s.position).payload.size();
    if (bytes > bytes_max && !slices.empty()) break;
    if (!slices.empty() && slices.back().block().get() == s.block.get()) {
      const raft::EntrySlice& run = slices.back();
      slices.back() = raft::EntrySlice(s.block, s.position - run.size(), s.position + 1);
    } else {
      slices.emplace_back(s.block, s.position, s.position + 1);
    }
  }
  return slices;
}

env::LogState LogImage::State(RegionId region, Incarnation incarnation) const {
  env::LogState state;
  state.region = region;
  state.incarnation = incarnation;
  state.hard_state = hard_state_;
  state.last_index = last_index();
  for (Index i(1); i <= last_index(); ++i) {
    const Term term = TermAt(i);
    if (state.terms.empty() || state.terms.back().term != term) state.terms.push_back({i, term});
  }
  return state;
}

}  // namespace flaredb::sim
