// SPDX-License-Identifier: Apache-2.0
#include "sim/history/kv_model.h"

#include "core/base/rng.h"

namespace flaredb::sim {

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

bool KvKeyModel::Step(const Op& op, State* state) {
  switch (op.kind) {
    case Op::Kind::kGet:
      return *state == op.value;
    case Op::Kind::kPut:
      *state = op.value;
      return true;
    case Op::Kind::kAppend:
      *state = strings_->Concatenate(*state, op.value);
      return true;
  }
  return false;
}

uint64_t KvKeyModel::Hash(const State& state) const { return Mix64(state); }

bool KvModel::Step(const Op& op, State* state) {
  return KvKeyModel(strings_).Step(op, &(*state)[op.key]);
}

uint64_t KvModel::Hash(const State& state) const {
  uint64_t hash = 0;
  for (const StringTable::Id value : state) hash = Mix64(hash ^ value);
  return hash;
}

}  // namespace flaredb::sim
