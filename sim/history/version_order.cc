// SPDX-License-Identifier: Apache-2.0
#include "sim/history/version_order.h"

#include <algorithm>
#include <sstream>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

constexpr uint8_t kGoneBit = 1;
constexpr uint8_t kLiveBit = 2;

uint8_t Bit(bool live) { return live ? kLiveBit : kGoneBit; }
bool IsWrite(const VersionedOp& op) { return op.kind != OpKind::kGet; }

}  // namespace

bool VersionOrder::Build(const VersionedHistory& history) {
  history_ = &history;
  of_group_.assign(history.groups() + 1, kUnnamed);
  operations_.reserve(history.operations());
  reads_.reserve(history.operations());
  keys_.resize(history.keys());
  for (uint32_t key = 0; key < keys_.size(); ++key) {
    if (!Collect(key) || !NameWriters(key)) return false;
  }
  if (!NamePartsOfNamed()) return false;
  for (uint32_t key = 0; key < keys_.size(); ++key) {
    CollectCandidates(key);
    if (!FindStories(key)) return false;
  }
  return true;
}

uint32_t VersionOrder::OperationOf(uint32_t key, OpIndex i) {
  const VersionedOp& part = op(key, i);
  const auto add = [&] {
    operations_.push_back({part.invoke, part.complete, key, i});
    return static_cast<uint32_t>(operations_.size() - 1);
  };
  if (part.group == 0) return add();
  uint32_t& number = of_group_[part.group];
  if (number == kUnnamed) return number = add();
  Operation& whole = operations_[number];
  INVARIANT((whole.complete == kNever) == (part.complete == kNever))
      << "the parts of an operation share its fate: " << sim::Describe(part);
  whole.invoke = std::min(whole.invoke, part.invoke);
  whole.complete = std::max(whole.complete, part.complete);
  return number;
}

// Takes in the answers about `key`.
bool VersionOrder::Collect(uint32_t number) {
  Key& key = keys_[number];
  const std::vector<VersionedOp>& ops = history_->ops(number);
  uint64_t acknowledged = 0;
  uint64_t unknown = 0;
  OpIndex last_op = kNoOp;
  const auto written = [](const VersionedOp& op) {
    return op.kind == OpKind::kCas ? op.version : op.expected + 1;
  };
  for (OpIndex i = 0; i < ops.size(); ++i) {
    const VersionedOp& op = ops[i];
    uint64_t named = 0;
    if (op.outcome == Outcome::kUnknown) {
      if (IsWrite(op)) ++unknown;
    } else if (op.outcome == Outcome::kMismatch) {
      if (op.version == op.expected) {
        return Wrong(number, Tell(number, i) + " was refused for the version that it expected");
      }
      named = op.version;
    } else if (op.outcome == Outcome::kOk) {
      if (IsWrite(op)) ++acknowledged;
      named = IsWrite(op) ? written(op) : op.version;
      const bool possible = op.kind == OpKind::kCas ? op.version >= 1 : op.expected >= 1;
      if (IsWrite(op) && (!possible || (op.expected != 0 && named != op.expected + 1))) {
        return Wrong(number, Tell(number, i) + " was given an answer that no state allows");
      }
    }
    if (named > key.last) {
      key.last = named;
      last_op = i;
    }
  }
  // Versions have no gaps. This also bounds the memory that an answer can ask for.
  if (key.last > acknowledged + unknown) {
    return Wrong(number, Tell(number, last_op) + " tells of a version beyond the number of writes");
  }
  key.first = versions_.size();
  versions_.resize(versions_.size() + key.last + unknown + 2);
  key.end = versions_.size();
  for (OpIndex i = 0; i < ops.size(); ++i) {
    const VersionedOp& op = ops[i];
    if (op.outcome == Outcome::kUnknown && IsWrite(op)) unknown_parts_.emplace_back(number, i);
    if (op.outcome == Outcome::kUnknown || op.outcome == Outcome::kNotApplied) continue;
    const uint32_t operation = OperationOf(number, i);
    if (op.outcome == Outcome::kOk && IsWrite(op)) {
      Version& version = versions_[key.first + written(op)];
      if (version.writer != kUnnamed) {
        return Wrong(number, "version " + std::to_string(written(op)) +
                                 " was acknowledged twice: to " + Tell(number, version.write) +
                                 " and to " + Tell(number, i));
      }
      version.writer = operation;
      version.write = i;
      continue;
    }
    reads_.push_back({operation, number, op.version});
    if (op.version == 0) continue;
    Version& version = versions_[key.first + op.version];
    version.live = i;
    if (IsWrite(op)) continue;
    if (version.read != kNoOp && ops[version.read].value != op.value) {
      return Wrong(number, "version " + std::to_string(op.version) + " was read with two values: " +
                               Tell(number, version.read) + " and " + Tell(number, i));
    }
    version.read = i;
  }
  return true;
}

// Whoever wrote the value that was read at a version wrote that version.
bool VersionOrder::NameWriters(uint32_t number) {
  const Key& key = keys_[number];
  const std::vector<VersionedOp>& ops = history_->ops(number);
  std::vector<std::pair<ValueId, OpIndex>> unknown;
  for (size_t i = unknown_parts_.size(); i-- > 0 && unknown_parts_[i].first == number;) {
    const OpIndex write = unknown_parts_[i].second;
    if (ops[write].kind == OpKind::kCas) unknown.emplace_back(ops[write].value, write);
  }
  std::sort(unknown.begin(), unknown.end());
  std::vector<std::pair<OpIndex, uint64_t>> named;
  for (uint64_t v = 1; v <= key.last; ++v) {
    Version& version = versions_[key.first + v];
    if (version.read == kNoOp) continue;
    const ValueId value = ops[version.read].value;
    const auto read = [&] { return Tell(number, version.read); };
    if (version.writer != kUnnamed) {
      const VersionedOp& write = ops[version.write];
      if (write.kind == OpKind::kCas && write.value == value) continue;
      return Wrong(number, read() + " returned what the version's writer did not write: " +
                               Tell(number, version.write));
    }
    const auto it = std::lower_bound(unknown.begin(), unknown.end(), std::pair(value, OpIndex{0}));
    if (it == unknown.end() || it->first != value) {
      for (OpIndex i = 0; i < ops.size(); ++i) {
        if (ops[i].kind != OpKind::kCas || ops[i].value != value) continue;
        return Wrong(number, read() +
                                 (ops[i].outcome == Outcome::kOk
                                      ? " returned the value of another version: "
                                      : " returned the value of a write that had no effect (an "
                                        "aborted read): ") +
                                 Tell(number, i));
      }
      return Wrong(number, read() + " returned a value that nobody wrote");
    }
    INVARIANT(std::next(it) == unknown.end() || std::next(it)->first != value)
        << "values are unique: " << Tell(number, it->second);
    const uint64_t expected = ops[it->second].expected;
    if (expected != 0 && expected + 1 != v) {
      return Wrong(number, read() +
                               " returned the value of a write that can't have produced this "
                               "version: " +
                               Tell(number, it->second));
    }
    version.writer = OperationOf(number, it->second);
    version.write = it->second;
    named.emplace_back(it->second, v);
  }
  std::sort(named.begin(), named.end());
  for (size_t i = 1; i < named.size(); ++i) {
    if (named[i].first != named[i - 1].first) continue;
    return Wrong(number, "one write's value was read at two versions: " +
                             Tell(number, versions_[key.first + named[i - 1].second].read) +
                             " and " + Tell(number, versions_[key.first + named[i].second].read));
  }
  return true;
}

// An operation of which one part took effect did all of it.
bool VersionOrder::NamePartsOfNamed() {
  for (const auto& [number, i] : unknown_parts_) {
    const VersionedOp& part = op(number, i);
    if (part.group == 0 || of_group_[part.group] == kUnnamed || part.expected == 0) continue;
    Key& key = keys_[number];
    const uint64_t v = part.expected + 1;
    Version* version = v < key.end - key.first - 1 ? &versions_[key.first + v] : nullptr;
    if (version != nullptr && version->write == i) continue;
    if (version == nullptr || version->writer != kUnnamed || version->read != kNoOp) {
      return Wrong(number,
                   "a value of " + Describe(operations_[of_group_[part.group]]) +
                       " was read, but its " + Tell(number, i) +
                       " can't have had its effect: that version is another's, or never was");
    }
    version->writer = OperationOf(number, i);
    version->write = i;
    key.last = std::max(key.last, v);
  }
  return true;
}

void VersionOrder::CollectCandidates(uint32_t number) {
  Key& key = keys_[number];
  const auto begin =
      std::lower_bound(unknown_parts_.begin(), unknown_parts_.end(), std::pair(number, OpIndex{0}));
  for (auto it = begin; it != unknown_parts_.end() && it->first == number; ++it) {
    const OpIndex i = it->second;
    const VersionedOp& write = op(number, i);
    const bool put = write.kind == OpKind::kCas;
    if (write.expected == 0) {
      if (put) key.creations.push_back(i);
      continue;
    }
    // More versions than the history can have: the operation finds no such state.
    if (write.expected + 1 >= key.end - key.first) continue;
    Version& version = versions_[key.first + write.expected + 1];
    if (version.write == i) continue;
    OpIndex& first = put ? version.put : version.del;
    if (first == kNoOp || write.invoke < op(number, first).invoke) first = i;
  }
  if (key.creations.empty()) return;
  std::vector<OpIndex> named;
  for (uint64_t v = 1; v <= key.last; ++v) {
    const OpIndex write = versions_[key.first + v].write;
    if (write != kNoOp && op(number, write).outcome == Outcome::kUnknown) named.push_back(write);
  }
  std::sort(named.begin(), named.end());
  std::erase_if(key.creations,
                [&](OpIndex i) { return std::binary_search(named.begin(), named.end(), i); });
  std::sort(key.creations.begin(), key.creations.end(),
            [&](OpIndex x, OpIndex y) { return op(number, x).invoke < op(number, y).invoke; });
}

// Whether version v can have been what `live` says after one that was what `before` says.
bool VersionOrder::Allowed(const Key& key, uint32_t number, uint64_t v, bool before,
                           bool live) const {
  const Version& version = versions_[key.first + v];
  if (version.live != kNoOp && !live) return false;
  if (version.writer != kUnnamed) {
    const VersionedOp& write = op(number, version.write);
    return (write.kind == OpKind::kCas) == live && (write.expected != 0) == before;
  }
  if (!before) return live && !key.creations.empty();
  return (live ? version.put : version.del) != kNoOp;
}

bool VersionOrder::FindStories(uint32_t number) {
  Key& key = keys_[number];
  versions_[key.first].can = kGoneBit;
  const auto extend = [&](uint64_t v, uint8_t* from, uint8_t* to) {
    uint8_t from_can = 0;
    uint8_t to_can = 0;
    for (const bool before : {false, true}) {
      for (const bool live : {false, true}) {
        if ((*from & Bit(before)) == 0 || (*to & Bit(live)) == 0) continue;
        if (!Allowed(key, number, v, before, live)) continue;
        from_can |= Bit(before);
        to_can |= Bit(live);
      }
    }
    *from = from_can;
    *to = to_can;
    return to_can != 0;
  };
  for (uint64_t v = 1; v <= key.last; ++v) {
    versions_[key.first + v].can = kGoneBit | kLiveBit;
    uint8_t before = versions_[key.first + v - 1].can;
    if (extend(v, &before, &versions_[key.first + v].can)) continue;
    OpIndex witness = kNoOp;
    for (uint64_t u = v; witness == kNoOp && u <= key.last; ++u) {
      const Version& version = versions_[key.first + u];
      witness = version.write != kNoOp ? version.write : version.live;
    }
    return Wrong(number, Tell(number, witness) + " shows that version " + std::to_string(v) +
                             " was written, but nobody can have written it as what is known of it");
  }
  bool open = false;
  for (uint64_t v = key.last; v >= 1; --v) {
    extend(v, &versions_[key.first + v - 1].can, &versions_[key.first + v].can);
    open = open || versions_[key.first + v].can == (kGoneBit | kLiveBit);
  }
  if (open) open_keys_.push_back(number);
  TellFrom(&key, 1);
  return true;
}

// `can` holds only what can be continued to the end, but not from every version before it.
void VersionOrder::TellFrom(Key* key, uint64_t v) {
  const auto number = static_cast<uint32_t>(key - keys_.data());
  for (; v <= key->last; ++v) {
    Version& version = versions_[key->first + v];
    const bool before = versions_[key->first + v - 1].is_live;
    version.is_live = (version.can & kGoneBit) == 0 || !Allowed(*key, number, v, before, false);
  }
}

bool VersionOrder::NextStory() {
  for (const uint32_t number : open_keys_) {
    Key& key = keys_[number];
    for (uint64_t v = key.last; v >= 1; --v) {
      Version& version = versions_[key.first + v];
      const bool before = versions_[key.first + v - 1].is_live;
      if (version.is_live || (version.can & kLiveBit) == 0) continue;
      if (!Allowed(key, number, v, before, true)) continue;
      version.is_live = true;
      TellFrom(&key, v + 1);
      return true;
    }
    TellFrom(&key, 1);
  }
  return false;
}

bool VersionOrder::Tell(uint32_t number, std::vector<Write>* writes) const {
  const Key& key = keys_[number];
  writes->clear();
  size_t creations = 0;
  bool before = false;
  for (uint64_t v = 1; v <= key.last; ++v) {
    const Version& version = versions_[key.first + v];
    Write write{version.writer, kNoOp, version.is_live};
    if (write.operation == kUnnamed) {
      if (before) {
        write.candidate = write.live ? version.put : version.del;
      } else if (creations < key.creations.size()) {
        write.candidate = key.creations[creations++];
      } else {
        return false;
      }
    }
    writes->push_back(write);
    before = write.live;
  }
  if (!before) return true;
  // The last life's end, at its earliest: a deletion after any number of puts. They only add
  // invocations, so the latest of these says all.
  OpIndex latest_put = kNoOp;
  OpIndex best = kNoOp;
  for (uint64_t v = key.last + 1; v < key.end - key.first; ++v) {
    const Version& version = versions_[key.first + v];
    const auto later = [&](OpIndex x, OpIndex y) {
      return x == kNoOp || op(number, y).invoke > op(number, x).invoke ? y : x;
    };
    if (version.del != kNoOp) {
      const OpIndex end = later(latest_put, version.del);
      if (best == kNoOp || op(number, end).invoke < op(number, best).invoke) best = end;
    }
    if (version.put == kNoOp) break;
    latest_put = later(latest_put, version.put);
  }
  if (best != kNoOp) writes->push_back({kUnnamed, best, false});
  return true;
}

std::string VersionOrder::Describe(const Operation& operation) const {
  const VersionedOp& part = op(operation.key, operation.op);
  std::ostringstream out;
  if (part.group == 0) {
    out << sim::Describe(part) << " on key \"" << history_->key(operation.key) << "\"";
    return out.str();
  }
  out << "client " << part.client << "'s " << history_->group(part.group) << " [events "
      << operation.invoke << "..";
  if (operation.complete != kNever) out << operation.complete;
  out << "]";
  return out.str();
}

bool VersionOrder::Wrong(uint32_t key, std::string what) {
  why_ = "key \"" + history_->key(key) + "\": " + std::move(what);
  return false;
}

}  // namespace flaredb::sim
