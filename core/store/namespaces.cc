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

NamespaceMode ModeOf(const pd::Namespace& ns) {
  const bool strong = ns.state == pd::ModeState::kStrong || ns.state == pd::ModeState::kToEventual;
  return {strong ? kv::Mode::kStrong : kv::Mode::kEventual, ns.mode_epoch, !pd::IsStable(ns.state)};
}

}  // namespace

void Namespaces::Set(kv::NamespaceId ns, const NamespaceMode& mode) {
  const auto [known, is_new] = modes_.try_emplace(ns, mode);
  if (!is_new && known->second.mode_epoch < mode.mode_epoch) known->second = mode;
}

void Namespaces::Learn(const pd::Namespace& ns) {
  names_.emplace(ns.name, ns.id);
  Set(ns.id, ModeOf(ns));
}

kv::NamespaceId Namespaces::Find(std::string_view name) const {
  const auto known = names_.find(name);
  return known != names_.end() ? known->second : kv::NamespaceId::kNone;
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
