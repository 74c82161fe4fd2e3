// SPDX-License-Identifier: Apache-2.0
#include "core/raft/log.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace flaredb::raft {

Log::Log(LogId base, std::vector<TermRun> terms, Index last_index, Index commit_index)
    : base_(base),
      terms_(std::move(terms)),
      last_index_(last_index),
      commit_index_(commit_index),
      window_first_(last_index.next()),
      durable_index_(last_index) {
  INVARIANT(base_.index <= commit_index_ && commit_index_ <= last_index_);
  INVARIANT(terms_.empty() == (base_.index == last_index_));
  INVARIANT(terms_.empty() || terms_.front().first == base_.index.next());
}

std::optional<Term> Log::TermAt(Index index) const {
  if (index == base_.index) return base_.term;
  if (index < base_.index || index > last_index_) return std::nullopt;
  // Nearly every question is about the newest run.
  if (index >= terms_.back().first) return terms_.back().term;
  auto run = std::upper_bound(terms_.begin(), terms_.end(), index,
                              [](Index i, const TermRun& r) { return i < r.first; });
  return std::prev(run)->term;
}

LogId Log::LastWithTermAtMost(Index index, Term term) const {
  INVARIANT(index <= last_index_);
  for (auto run = terms_.rbegin(); run != terms_.rend(); ++run) {
    if (run->first > index) continue;
    if (run->term <= term) return {run->term, index};
    index = run->first.prev();
  }
  return base_;
}

void Log::Append(EntrySlice entries) {
  INVARIANT(entries.first_index() == last_index_.next());
  const Term last_term = terms_.empty() ? base_.term : terms_.back().term;
  INVARIANT(entries.term() >= last_term);
  if (terms_.empty() || entries.term() != last_term) {
    terms_.push_back({entries.first_index(), entries.term()});
  }
  last_index_ = entries.last_index();
  window_bytes_ += entries.bytes();
  window_.push_back(std::move(entries));
}

void Log::TruncateFrom(Index from) {
  INVARIANT(from > commit_index_) << "a committed entry would be deleted";
  INVARIANT(from <= last_index_);
  last_index_ = from.prev();
  while (!terms_.empty() && terms_.back().first >= from) terms_.pop_back();
  while (!window_.empty() && window_.back().last_index() >= from) {
    const EntrySlice cut = std::move(window_.back());
    window_.pop_back();
    window_bytes_ -= cut.bytes();
    if (cut.first_index() < from) {
      window_.push_back(cut.Clip(cut.first_index(), from.prev()));
      window_bytes_ += window_.back().bytes();
    }
  }
  if (window_.empty()) window_first_ = last_index_.next();
  // What is on its way to the disk no longer vouches for what comes at these indexes next.
  durable_index_ = std::min(durable_index_, last_index_);
  for (Issued& issued : issued_) issued.last_index = std::min(issued.last_index, last_index_);
}

void Log::CommitTo(Index index) {
  INVARIANT(commit_index_ <= index);
  INVARIANT(index <= last_index_);
  commit_index_ = index;
}

EntrySlices Log::Read(Index first, Index last, size_t bytes_max) const {
  INVARIANT(base_.index < first && first <= last && last <= last_index_);
  EntrySlices out;
  if (first < window_first_) return out;
  auto slice = std::partition_point(window_.begin(), window_.end(),
                                    [&](const EntrySlice& s) { return s.last_index() < first; });
  size_t bytes = 0;
  for (; slice != window_.end() && slice->first_index() <= last; ++slice) {
    EntrySlice part = slice->Clip(first, last);
    const size_t room = bytes_max - bytes;
    if (part.bytes() > room) {
      if (!out.empty() && part.at(0).payload.size() > room) break;
      out.push_back(part.PrefixOfBytes(room));
      break;
    }
    bytes += part.bytes();
    out.push_back(std::move(part));
  }
  return out;
}

void Log::TrimWindow(size_t bytes_max) {
  while (window_bytes_ > bytes_max && window_.front().last_index() <= durable_index_) {
    window_bytes_ -= window_.front().bytes();
    window_first_ = window_.front().last_index().next();
    window_.pop_front();
  }
}

void Log::OnPersistIssued(IoToken token) { issued_.push_back({token, last_index_}); }

void Log::OnPersisted(IoToken token) {
  while (!issued_.empty() && issued_.front().token <= token) {
    durable_index_ = issued_.front().last_index;
    issued_.pop_front();
  }
}

void Log::HashInto(Hasher* hasher) const {
  hasher->Add(base_.term).Add(base_.index).Add(last_index_).Add(commit_index_);
  hasher->Add(durable_index_).Add(window_first_).Add(terms_.size());
  for (const TermRun& run : terms_) hasher->Add(run.first).Add(run.term);
  hasher->Add(issued_.size());
  for (const Issued& issued : issued_) hasher->Add(issued.token).Add(issued.last_index);
  for (const EntrySlice& slice : window_) {
    for (uint32_t i = 0; i < slice.size(); ++i) hasher->Add(slice.at(i).payload);
  }
}

}  // namespace flaredb::raft
