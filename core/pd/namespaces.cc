// SPDX-License-Identifier: Apache-2.0
#include "core/pd/namespaces.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/pd/rows.h"

namespace flaredb::pd {

namespace {

// Takes the first character off `text`. Nullopt when it is not well-formed (Unicode 15, table 3-7).
std::optional<uint32_t> TakeCharacter(std::string_view* text) {
  const uint8_t first = static_cast<uint8_t>(text->front());
  const size_t size = first < 0x80   ? 1
                      : first < 0xc2 ? 0
                      : first < 0xe0 ? 2
                      : first < 0xf0 ? 3
                      : first < 0xf5 ? 4
                                     : 0;
  if (size == 0 || size > text->size()) return std::nullopt;
  uint32_t character = size == 1 ? first : first & (0x7f >> size);
  for (const char c : text->substr(1, size - 1)) {
    if ((c & 0xc0) != 0x80) return std::nullopt;
    character = character << 6 | (c & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < kSmallest[size] || character > 0x10ffff || surrogate) return std::nullopt;
  text->remove_prefix(size);
  return character;
}

bool IsControl(uint32_t character) {
  return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

Namespace ChangeNamespace(Namespace ns, ClusterInfo* cluster, MutableObjectRows* rows) {
  ns.changed = ++cluster->revision;
  WriteNamespace(ns, rows);
  return ns;
}

// Along an arrow of mode_switch.h.
Namespace Enter(ModeState state, Namespace ns, ClusterInfo* cluster, MutableObjectRows* rows) {
  ns.state = state;
  ++ns.mode_epoch;
  return ChangeNamespace(std::move(ns), cluster, rows);
}

}  // namespace

bool IsNamespaceName(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  while (!name.empty()) {
    const std::optional<uint32_t> character = TakeCharacter(&name);
    if (!character || *character == '/' || IsControl(*character)) return false;
  }
  return true;
}

Namespace CreateNamespace(const EnsureNamespace& ensure, ClusterInfo* cluster,
                          MutableObjectRows* rows) {
  Namespace ns;
  ns.id = kv::NamespaceId{static_cast<uint32_t>(++cluster->namespaces)};
  ns.name = ensure.name;
  ns.state = StableState(ensure.mode.value_or(Mode::kStrong));
  ns.mode_epoch = ModeEpoch(1);
  ns.from_default = !ensure.mode;
  return ChangeNamespace(std::move(ns), cluster, rows);
}

Reply Apply(const EnsureNamespace& ensure, ClusterInfo* cluster, MutableObjectRows* rows) {
  if (!IsNamespaceName(ensure.name)) return Refused{Refusal::kBadName};
  if (std::optional<Namespace> known = ReadNamespace(ensure.name, *rows)) return *std::move(known);
  if (cluster->namespaces == kNamespacesMax) return Refused{Refusal::kTooManyNamespaces};
  return CreateNamespace(ensure, cluster, rows);
}

Reply Apply(const StartModeSwitch& start, ClusterInfo* cluster, MutableObjectRows* rows) {
  std::optional<Namespace> ns = ReadNamespace(start.name, *rows);
  if (!ns) return Refused{Refusal::kNoSuchNamespace};
  if (TargetOf(ns->state) == start.mode) {
    if (!ns->from_default) return *std::move(ns);
    ns->from_default = false;
    return ChangeNamespace(*std::move(ns), cluster, rows);
  }
  if (start.seen && start.seen != ns->mode_epoch) {
    return Refused{Refusal::kModeChanged, ns->mode_epoch.value()};
  }
  const std::optional<ModeState> next = AfterStart(ns->state);
  if (!next) return Refused{Refusal::kOtherSwitch};
  ns->from_default = false;
  return Enter(*next, *std::move(ns), cluster, rows);
}

Reply Apply(const CancelModeSwitch& cancel, ClusterInfo* cluster, MutableObjectRows* rows) {
  std::optional<Namespace> ns = ReadNamespace(cancel.name, *rows);
  if (!ns) return Refused{Refusal::kNoSuchNamespace};
  if (cancel.at != ns->mode_epoch || IsStable(ns->state)) return *std::move(ns);
  const std::optional<ModeState> next = AfterCancel(ns->state);
  if (!next) return Refused{Refusal::kTooLate};
  return Enter(*next, *std::move(ns), cluster, rows);
}

Reply Apply(const AdvanceModeSwitch& advance, ClusterInfo* cluster, MutableObjectRows* rows) {
  std::optional<Namespace> ns = ReadNamespace(advance.name, *rows);
  if (!ns) return Refused{Refusal::kNoSuchNamespace};
  const std::optional<ModeState> next = AfterStep(ns->state);
  if (advance.at != ns->mode_epoch || !next) return *std::move(ns);
  return Enter(*next, *std::move(ns), cluster, rows);
}

Reply Answer(const GetNamespace& get, const ClusterInfo&, const ObjectRows& rows) {
  std::optional<Namespace> ns = ReadNamespace(get.name, rows);
  if (!ns) return Refused{Refusal::kNoSuchNamespace};
  return *std::move(ns);
}

Reply Answer(const ListNamespaces& list, const ClusterInfo&, const ObjectRows& rows) {
  const uint64_t limit = std::min(list.limit, kPageRowsMax);
  NamespacePage page;
  VisitNamespaces(std::max(list.prefix, list.after), rows, [&](const Namespace& ns) {
    if (ns.name.compare(0, list.prefix.size(), list.prefix) != 0) return false;
    if (ns.name <= list.after) return true;
    page.more = page.namespaces.size() == limit;
    if (!page.more) page.namespaces.push_back(ns);
    return !page.more;
  });
  return page;
}

}  // namespace flaredb::pd
