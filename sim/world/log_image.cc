// SPDX-License-Identifier: Apache-2.0
#include "sim/world/log_image.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/raft/membership.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {

std::optional<std::string> LogImage::Apply(const raft::Persist& persist) {
  const bool first = !std::exchange(written_, true);
  if (auto refused = MoveBase(persist, first)) return refused;
  if (persist.truncate_from) {
    if (auto refused = Truncate(persist.truncate_from)) return refused;
  }
  for (const raft::EntrySlice& slice : persist.append) {
    if (auto refused = Append(slice)) return refused;
  }
  if (persist.hard_state) hard_state_ = *persist.hard_state;
  return std::nullopt;
}

std::optional<std::string> LogImage::MoveBase(const raft::Persist& persist, bool first) {
  if (persist.base == nullptr) {
    if (persist.install) return "a persist installs a snapshot and does not say which";
    return std::nullopt;
  }
  const raft::LogBase& to = *persist.base;
  const raft::LogId from = base_.last;
  const char* const verb = persist.install ? "installs a snapshot of " : "moves the base to ";
  if (to.last.index <= from.index || to.last.term < from.term) {
    return Sentence("a persist ", verb, to.last.term, ":", to.last.index,
                    ", but the base of the log is ", from.term, ":", from.index);
  }
  if (persist.install || first) {
    entries_.clear();
    confs_.clear();
    base_ = to;
    return std::nullopt;
  }
  if (to.last.index > last_index()) {
    return Sentence("a persist ", verb, to.last.term, ":", to.last.index, ", but the log ends at ",
                    last_index());
  }
  if (to.last.term != TermAt(to.last.index)) {
    return Sentence("a persist ", verb, to.last.term, ":", to.last.index,
                    ", but the entry there is of term ", TermAt(to.last.index));
  }
  if (to.conf != ConfAt(to.last.index)) {
    return Sentence("a persist ", verb, to.last.term, ":", to.last.index,
                    " with a configuration that is not the one in force there");
  }
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<ptrdiff_t>(to.last.index - from.index));
  std::erase_if(confs_, [&](const raft::ConfAt& at) { return at.index <= to.last.index; });
  base_ = to;
  return std::nullopt;
}

std::optional<std::string> LogImage::Truncate(Index from) {
  if (from <= base_.last.index || from > last_index().next()) {
    return Sentence("a persist truncates from index ", from, " on a log of the indexes ",
                    base_.last.index.next(), " to ", last_index());
  }
  entries_.resize(from - base_.last.index - 1);
  std::erase_if(confs_, [&](const raft::ConfAt& at) { return at.index >= from; });
  return std::nullopt;
}

std::optional<std::string> LogImage::Append(const raft::EntrySlice& slice) {
  if (slice.first_index() != last_index().next()) {
    return Sentence("a persist appends index ", slice.first_index(), " to a log that ends at ",
                    last_index());
  }
  if (slice.term() < TermAt(last_index())) {
    return Sentence("a persist appends index ", slice.first_index(), " of term ", slice.term(),
                    " after an entry of term ", TermAt(last_index()));
  }
  const auto begin = static_cast<uint32_t>(slice.first_index() - slice.block()->first_index());
  for (uint32_t i = 0; i < slice.size(); ++i) {
    const raft::EntryView entry = slice.at(i);
    if (entry.kind == raft::EntryKind::kConf) {
      absl::StatusOr<raft::ConfState> conf = raft::DecodeConfState(entry.payload);
      if (!conf.ok()) {
        return Sentence("a persist appends a configuration at index ", entry.index,
                        " that cannot be read: ", std::string(conf.status().message()));
      }
      confs_.push_back({entry.index, *std::move(conf)});
    }
    entries_.push_back({slice.block(), begin + i});
  }
  return std::nullopt;
}

Term LogImage::TermAt(Index index) const {
  if (Has(index)) return slot(index).block->term();
  return index == base_.last.index ? base_.last.term : Term();
}

const raft::ConfState& LogImage::ConfAt(Index index) const {
  const raft::ConfState* found = &base_.conf;
  for (const raft::ConfAt& at : confs_) {
    if (at.index <= index) found = &at.conf;
  }
  return *found;
}

// As from a real disk: in blocks of their own, one for each term, however the entries were written.
raft::EntrySlices LogImage::Read(Index first, Index last, size_t bytes_max) const {
  raft::EntrySlices slices;
  if (!Has(first)) return slices;
  std::vector<raft::NewEntry> block;
  Index begin = first;
  const auto close_at = [&](Index end) {
    if (!block.empty()) {
      slices.push_back(raft::EntrySlice(raft::EntryBlock::Create(TermAt(begin), begin, block)));
    }
    block.clear();
    begin = end;
  };
  last = std::min(last, last_index());
  size_t bytes = 0;
  Index next = first;
  for (; next <= last; ++next) {
    const raft::EntryView entry = slot(next).block->at(slot(next).position);
    bytes += entry.payload.size();
    if (bytes > bytes_max && next > first) break;
    if (entry.term != TermAt(begin)) close_at(next);
    block.push_back({entry.kind, entry.payload});
  }
  close_at(next);
  return slices;
}

env::LogState LogImage::State(RegionId region, Incarnation incarnation) const {
  env::LogState state;
  state.region = region;
  state.incarnation = incarnation;
  state.hard_state = hard_state_;
  state.base = base_;
  state.last_index = last_index();
  for (Index i = base_.last.index.next(); i <= last_index(); ++i) {
    const Term term = TermAt(i);
    if (state.terms.empty() || state.terms.back().term != term) state.terms.push_back({i, term});
  }
  state.confs = confs_;
  return state;
}

}  // namespace flaredb::sim
