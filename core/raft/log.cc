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
  CheckState();
}

void Log::CheckState() const {
  INVARIANT(base_.index <= commit_index_ && commit_index_ <= last_index_);
  INVARIANT(durable_index_ <= last_index_);
  INVARIANT(issued_.empty() || issued_[issued_.size() - 1].last_index <= last_index_);
  INVARIANT(terms_.empty() == (base_.index == last_index_));
  INVARIANT(terms_.empty() || terms_.front().first == base_.index.next());
  INVARIANT(terms_.empty() || terms_.back().first <= last_index_);
  INVARIANT(terms_.size() < 2 || terms_[0].first < terms_[1].first) << "the log has two beginnings";
  INVARIANT(window_first_ ==
            (window_.empty() ? last_index_.next() : window_.front().first_index()));
  INVARIANT(window_.empty() || window_.back().last_index() == last_index_);
  INVARIANT(!window_.empty() || window_bytes_ == 0);
}

LogId Log::IdAtOlder(Index index) const {
  return index == base_.index ? base_ : LogId{std::prev(RunAfter(index))->term, index};
}

std::vector<TermRun>::const_iterator Log::RunAfter(Index index) const {
  return std::upper_bound(terms_.begin(), terms_.end(), index,
                          [](Index i, const TermRun& run) { return i < run.first; });
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
  for (size_t i = issued_.size(); i > 0 && issued_[i - 1].last_index > last_index_; --i) {
    issued_[i - 1].last_index = last_index_;
  }
}

void Log::CommitTo(Index index) {
  INVARIANT(commit_index_ <= index);
  INVARIANT(index <= last_index_);
  commit_index_ = index;
}

void Log::CompactTo(Index index) {
  INVARIANT(base_.index < index);
  INVARIANT(index <= commit_index_ && index <= durable_index_);
  base_ = IdAt(index);
  if (index == last_index_) {
    terms_.clear();
  } else {
    // The run that the first remaining entry belongs to, from that entry on.
    terms_.erase(terms_.begin(), std::prev(RunAfter(index.next())));
    terms_.front().first = index.next();
  }
  while (!window_.empty() && window_.front().last_index() <= index) ForgetOldestSlice();
  if (!window_.empty() && window_.front().first_index() <= index) {
    EntrySlice& cut = window_.front();
    window_bytes_ -= cut.bytes();
    cut = cut.Clip(index.next(), cut.last_index());
    window_bytes_ += cut.bytes();
    window_first_ = index.next();
  }
}

void Log::ResetTo(LogId base) {
  INVARIANT(base.index > commit_index_);
  base_ = base;
  terms_.clear();
  last_index_ = base.index;
  commit_index_ = base.index;
  window_.clear();
  window_first_ = last_index_.next();
  window_bytes_ = 0;
  // The disk has another log, and so has every write under way.
  durable_index_ = Index();
  for (size_t i = 0; i < issued_.size(); ++i) issued_[i].last_index = Index();
}

size_t Log::SliceOf(Index index) const {
  // Recent entries are asked for most: steps from the end double until one goes far enough.
  size_t end = window_.size();  // Slices from here on lie after `index`.
  size_t step = 1;
  while (step < end && window_[end - step].first_index() > index) {
    end -= step;
    step *= 2;
  }
  size_t begin = step < end ? end - step : 0;
  while (end - begin > 1) {
    const size_t middle = begin + (end - begin) / 2;
    (window_[middle].first_index() <= index ? begin : end) = middle;
  }
  return begin;
}

EntrySlices Log::Read(Index first, Index last, size_t bytes_max) const {
  INVARIANT(base_.index < first && first <= last && last <= last_index_);
  EntrySlices out;
  if (first < window_first_) return out;
  size_t room = bytes_max;
  for (size_t i = SliceOf(first); i < window_.size(); ++i) {
    const EntrySlice& slice = window_[i];
    if (slice.first_index() > last) break;
    EntrySlice part = slice.Clip(first, last);
    const size_t bytes = part.bytes();
    if (bytes > room) {
      if (out.empty() || part.at(0).payload.size() <= room) out.push_back(part.PrefixOfBytes(room));
      break;
    }
    room -= bytes;
    out.push_back(std::move(part));
  }
  return out;
}

void Log::TrimWindow(size_t bytes_max) {
  while (window_bytes_ > bytes_max && window_.front().last_index() <= durable_index_) {
    ForgetOldestSlice();
  }
}

void Log::ReleaseMemory() {
  while (!window_.empty() && window_.front().last_index() <= durable_index_) ForgetOldestSlice();
  window_.ReleaseIfEmpty();
  issued_.ReleaseIfEmpty();
}

void Log::ForgetOldestSlice() {
  window_bytes_ -= window_.front().bytes();
  window_first_ = window_.front().last_index().next();
  window_.pop_front();
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
  for (const Issued& issued : issued_) {
    hasher->Add(issued.token - issued_.front().token).Add(issued.last_index);
  }
  for (const EntrySlice& slice : window_) {
    for (uint32_t i = 0; i < slice.size(); ++i) {
      const EntryView entry = slice.at(i);
      hasher->Add(static_cast<uint64_t>(entry.kind)).Add(entry.payload);
    }
  }
}

}  // namespace flaredb::raft
