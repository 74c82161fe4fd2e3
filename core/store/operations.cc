// SPDX-License-Identifier: Apache-2.0
#include "core/store/operations.h"

#include <type_traits>
#include <variant>

#include "core/kv/key.h"
#include "core/region/region_machine.h"

namespace flaredb::store {
namespace {

std::string RoutingKey(const kv::NamespaceCommand& command) {
  if (const auto* batch = std::get_if<kv::LwwBatch>(&command)) {
    return kv::EncodeKey(batch->ns, batch->rows.front().key);
  }
  const auto* collect = std::get_if<kv::CollectTombstones>(&command);
  return kv::EncodeKey(kv::NamespaceOf(command), collect != nullptr ? collect->begin : "");
}

}  // namespace

std::string RoutingKey(const Operation& operation) {
  return std::visit(
      [](const auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, kv::NamespaceCommand>) {
          return RoutingKey(op);
        } else if constexpr (std::is_same_v<Op, ScanRequest>) {
          return kv::EncodeKey(op.ns, op.begin);
        } else if constexpr (std::is_same_v<Op, ExecuteRequest> ||
                             std::is_same_v<Op, QueryRequest>) {
          return ObjectPrefix(op.object);
        } else {
          return kv::EncodeKey(op.ns, op.key);
        }
      },
      operation);
}

bool Concerns(const Region& region, const Operation& operation) {
  const auto* command = std::get_if<kv::NamespaceCommand>(&operation);
  if (command == nullptr) return region.Contains(RoutingKey(operation));
  if (!std::holds_alternative<kv::ModeFence>(*command)) return Holds(region, *command);
  const kv::KeyRange keys = kv::EncodeRange(kv::NamespaceOf(*command), "", "");
  return region.start_key < keys.end && (region.end_key.empty() || keys.begin < region.end_key);
}

bool IsEventualRead(const Operation& operation) {
  if (const auto* get = std::get_if<GetRequest>(&operation)) {
    return get->mode == kv::Mode::kEventual;
  }
  const auto* scan = std::get_if<ScanRequest>(&operation);
  return scan != nullptr && scan->mode == kv::Mode::kEventual;
}

bool CreatesNamespace(const Operation& operation) {
  return std::holds_alternative<kv::CompareAndSwap>(operation) ||
         std::holds_alternative<kv::CompareAndDelete>(operation);
}

size_t BytesOf(const Operation& operation) {
  struct Visitor {
    size_t operator()(const GetRequest& get) const { return get.key.size(); }
    size_t operator()(const ScanRequest& scan) const { return scan.begin.size() + scan.end.size(); }
    size_t operator()(const kv::CompareAndSwap& cas) const {
      return cas.key.size() + cas.value.size();
    }
    size_t operator()(const kv::CompareAndDelete& cas) const { return cas.key.size(); }
    size_t operator()(const ExecuteRequest& execute) const {
      return execute.object.size() + execute.command.size();
    }
    size_t operator()(const QueryRequest& query) const {
      return query.object.size() + query.query.size();
    }
    size_t operator()(const RawWriteRequest& write) const {
      return write.key.size() + (write.value ? write.value->size() : 0);
    }
    size_t operator()(const kv::NamespaceCommand&) const { return 0; }
  };
  return std::visit(Visitor(), operation);
}

void SetNamespace(kv::NamespaceId ns, Operation* operation) {
  std::visit(
      [ns](auto& op) {
        if constexpr (requires { op.ns; }) op.ns = ns;
      },
      *operation);
}

}  // namespace flaredb::store
