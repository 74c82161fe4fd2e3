// SPDX-License-Identifier: Apache-2.0
#include "core/store/call_table.h"

#include <algorithm>
#include <functional>
#include <type_traits>
#include <utility>

#include "core/base/check.h"

namespace flaredb::store {

bool Call::IsWrite() const { return store::IsWrite(request.operation); }

bool Call::IsOfAStore() const {
  if (std::holds_alternative<CallId>(origin)) return false;
  return !std::holds_alternative<ForwardOrigin>(origin) ||
         std::holds_alternative<kv::NamespaceCommand>(request.operation);
}

bool Call::IsRoutedHere() const {
  return !std::holds_alternative<ForwardOrigin>(origin) && !request.context.has_value();
}

bool Call::MayBeForwarded() const {
  return IsRoutedHere() || std::holds_alternative<OwnId>(origin);
}

bool Call::MayRetry() const {
  if (!IsRoutedHere()) return false;
  return std::visit(
      [](const auto& operation) {
        using Op = std::decay_t<decltype(operation)>;
        if constexpr (std::is_same_v<Op, kv::CompareAndSwap> ||
                      std::is_same_v<Op, kv::CompareAndDelete>) {
          return static_cast<bool>(operation.retry.id);
        } else if constexpr (std::is_same_v<Op, ExecuteRequest>) {
          return false;  // Only its client knows whether it may happen twice.
        } else if constexpr (std::is_same_v<Op, RawWriteRequest>) {
          return false;  // Nothing that it waits for can be interrupted.
        } else {
          return true;
        }
      },
      request.operation);
}

bool Call::MayTryAgain() const {
  const bool untried = attempts == 0 || !IsWrite();
  return IsRoutedHere() && (untried || MayRetry());
}

CallKey CallTable::Add(Call call) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  const CallKey key{slot, ++slots_[slot].generation};
  if (deadlines_.size() > 2 * size_ + 64) {
    std::erase_if(deadlines_, [&](const Deadline& d) { return Find(d.second) == nullptr; });
    std::make_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
  }
  deadlines_.emplace_back(call.deadline, key);
  std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
  bytes_ += call.bytes;
  slots_[slot].call = std::move(call);
  ++size_;
  return key;
}

void CallTable::ForEach(absl::FunctionRef<void(CallKey, const Call&)> show) const {
  for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].call) show({slot, slots_[slot].generation}, *slots_[slot].call);
  }
}

Call* CallTable::Find(CallKey key) {
  INVARIANT(key.slot < slots_.size());
  Slot& slot = slots_[key.slot];
  return slot.generation == key.generation && slot.call.has_value() ? &*slot.call : nullptr;
}

void CallTable::Remove(CallKey key) {
  INVARIANT(Find(key) != nullptr);
  bytes_ -= slots_[key.slot].call->bytes;
  slots_[key.slot].call.reset();
  free_.push_back(key.slot);
  --size_;
}

void CallTable::DropAnswered() {
  while (!deadlines_.empty() && Find(deadlines_.front().second) == nullptr) {
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    deadlines_.pop_back();
  }
}

Instant CallTable::next_deadline() {
  DropAnswered();
  return deadlines_.empty() ? Instant::Max() : deadlines_.front().first;
}

std::optional<CallKey> CallTable::NextExpired(Instant now) {
  DropAnswered();
  if (deadlines_.empty() || deadlines_.front().first > now) return std::nullopt;
  return deadlines_.front().second;
}

}  // namespace flaredb::store
