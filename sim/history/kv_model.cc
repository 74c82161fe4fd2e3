// SPDX-License-Identifier: Apache-2.0
#include "sim/history/kv_model.h"

#include "core/base/rng.h"

namespace flaredb::sim {
namespace {

// `state` is the value of the operation's key.
bool StepKv(const KvOp& op, StringTable* strings, StringTable::Id* state) {
  switch (op.kind) {
    case KvOp::Kind::kGet:
      return *state == op.value;
    case KvOp::Kind::kPut:
      *state = op.value;
      return true;
    case KvOp::Kind::kAppend:
      *state = strings->Concatenate(*state, op.value);
      return true;
  }
  return false;
}

}  // namespace

StringTable::StringTable() { Intern(""); }

StringTable::Id StringTable::Intern(std::string_view text) {
  const auto it = ids_.find(text);
  if (it != ids_.end()) return it->second;
  const Id id = static_cast<Id>(texts_.size());
  texts_.push_back(&ids_.emplace(text, id).first->first);
  return id;
}

StringTable::Id StringTable::Concatenate(Id a, Id b) {
  const auto [it, added] = concatenations_.try_emplace({a, b}, kEmpty);
  if (added) it->second = Intern(text(a) + text(b));
  return it->second;
}

KvKeyModel::KvKeyModel(size_t keys, std::span<const TimedOp<KvOp>> all, StringTable* strings)
    : strings_(strings), plain_(keys, true) {
  std::vector<Texts> texts(keys);
  for (const TimedOp<KvOp>& timed : all) {
    if (ReadOnly(timed.op)) continue;
    Texts& mine = texts[timed.op.key];
    const std::string& text = strings_->text(timed.op.value);
    if (mine.kinds.empty() && !text.empty()) mine.end = text.back();
    const bool only_at_end = !text.empty() && text.find(mine.end) == text.size() - 1;
    if (!only_at_end || !mine.kinds.emplace(text, timed.op.kind).second) {
      plain_[timed.op.key] = false;
    }
  }
  for (const TimedOp<KvOp>& timed : all) {
    const KvOp& op = timed.op;
    if (!ReadOnly(op) || timed.complete == kNever || !plain_[op.key]) continue;
    const auto [way, added] = ways_.try_emplace({op.key, op.value});
    if (added) way->second = FindWay(texts[op.key], strings_->text(op.value));
  }
}

// The values from the last put, or from the start, to `value`. A value that no writes make has to
// be there from the start: its read has no place.
std::vector<KvKeyModel::State> KvKeyModel::FindWay(const Texts& texts, std::string_view value) {
  const std::vector<State> never = {StringTable::kEmpty, strings_->Intern(value)};
  std::vector<State> way;
  for (size_t at = 0; at < value.size();) {
    const size_t end = value.find(texts.end, at);
    if (end == std::string_view::npos) return never;
    const auto text = texts.kinds.find(value.substr(at, end + 1 - at));
    if (text == texts.kinds.end()) return never;
    const bool put = text->second == KvOp::Kind::kPut;
    if (put && at > 0) return never;
    if (!put && at == 0) way.push_back(StringTable::kEmpty);
    at = end + 1;
    way.push_back(strings_->Intern(value.substr(0, at)));
  }
  if (value.empty()) way.push_back(StringTable::kEmpty);
  return way;
}

std::span<const KvKeyModel::State> KvKeyModel::Way(const Op& get) const {
  const auto way = ways_.find({get.key, get.value});
  if (way == ways_.end()) return {};
  return way->second;
}

bool KvKeyModel::Step(const Op& op, State* state) { return StepKv(op, strings_, state); }

uint64_t KvKeyModel::Hash(const State& state) const { return Mix64(state); }

bool KvModel::Step(const Op& op, State* state) { return StepKv(op, strings_, &(*state)[op.key]); }

uint64_t KvModel::Hash(const State& state) const {
  uint64_t hash = 0;
  for (const StringTable::Id value : state) hash = Mix64(hash ^ value);
  return hash;
}

}  // namespace flaredb::sim
