// SPDX-License-Identifier: Apache-2.0
#include "core/store/namespaces.h"

#include <type_traits>
#include <variant>

#include "core/store/errors.h"

namespace flaredb::store {
namespace {

// The mode that the operation is for; nullopt: it is for any.
template <typename Op>
std::optional<kv::Mode> ModeFor(const Op& operation) {
  if constexpr (std::is_same_v<Op, GetRequest> || std::is_same_v<Op, ScanRequest>) {
    return operation.mode;
  } else if constexpr (std::is_same_v<Op, kv::CompareAndSwap> ||
                       std::is_same_v<Op, kv::CompareAndDelete>) {
    return kv::Mode::kStrong;
  } else if constexpr (std::is_same_v<Op, RawWriteRequest>) {
    return kv::Mode::kEventual;
  } else {
    return std::nullopt;
  }
}

}  // namespace

void Namespaces::Set(kv::NamespaceId ns, const NamespaceMode& mode) {
  const auto [known, is_new] = modes_.try_emplace(ns, mode);
  if (!is_new && known->second.mode_epoch < mode.mode_epoch) known->second = mode;
}

const NamespaceMode& Namespaces::Of(kv::NamespaceId ns) const {
  static const NamespaceMode kNeverSet;
  const auto known = modes_.find(ns);
  return known != modes_.end() ? known->second : kNeverSet;
}

std::optional<Error> Namespaces::Refusal(const Operation& operation) const {
  return std::visit(
      [&](const auto& op) -> std::optional<Error> {
        const std::optional<kv::Mode> wanted = ModeFor(op);
        if (!wanted) return std::nullopt;
        if constexpr (requires { op.ns; }) {
          const NamespaceMode& is = Of(op.ns);
          // While it changes reads go on, as long as the regions let them.
          if (is.mode != *wanted || (is.changing && IsWrite(operation))) {
            return NamespaceModeError(*wanted, is);
          }
        }
        return std::nullopt;
      },
      operation);
}

}  // namespace flaredb::store
