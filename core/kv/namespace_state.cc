// SPDX-License-Identifier: Apache-2.0
#include "core/kv/namespace_state.h"

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb::kv {

namespace {

constexpr uint8_t kFormat = 1;

void Put(const NamespaceState& state, ByteWriter* out) {
  out->U8(state.fence ? static_cast<uint8_t>(state.fence->mode) : 0);
  if (state.fence) {
    INVARIANT(state.fence->mode_epoch);
    out->Varint(state.fence->mode_epoch.value());
    out->U64(state.fence->base_hlc.value());
  }
  INVARIANT(static_cast<bool>(state.floors.version) == static_cast<bool>(state.floors.index));
  out->Varint(state.floors.version.value());
  out->Varint(state.floors.index.value());
  out->U64(state.floors.collected_hlc.value());
}

NamespaceState Take(ByteReader* in) {
  NamespaceState state;
  const uint8_t mode = in->U8();
  in->Require(mode <= static_cast<uint8_t>(Mode::kEventual), "a mode is known to this program");
  if (mode != 0) {
    Fence& fence = state.fence.emplace();
    fence.mode = Mode{mode};
    fence.mode_epoch = ModeEpoch(in->Varint());
    in->Require(static_cast<bool>(fence.mode_epoch), "a mode epoch is at least 1");
    fence.base_hlc = Hlc(in->U64());
  }
  state.floors.version = Version(in->Varint());
  state.floors.index = Index(in->Varint());
  in->Require(static_cast<bool>(state.floors.version) == static_cast<bool>(state.floors.index),
              "version and index of the floors are both 0 or neither");
  state.floors.collected_hlc = Hlc(in->U64());
  in->Require(state != NamespaceState(), "a namespace is listed for a reason");
  return state;
}

}  // namespace

std::optional<Record> NamespaceState::Ghost() const {
  if (!floors.version) return std::nullopt;
  Record ghost;
  ghost.tombstone = true;
  ghost.version = floors.version;
  ghost.changed_index = floors.index;
  ghost.forgotten_index = floors.index;
  return ghost;
}

std::string EncodeNamespaceStates(const NamespaceStates& states) {
  ByteWriter out;
  out.U8(kFormat);
  out.Varint(states.size());
  for (const auto& [ns, state] : states) {
    INVARIANT(ns != NamespaceId::kNone);
    INVARIANT(state != NamespaceState());
    out.Varint(static_cast<uint32_t>(ns));
    Put(state, &out);
  }
  return out.Take();
}

absl::StatusOr<NamespaceStates> DecodeNamespaceStates(std::string_view bytes) {
  ByteReader in(bytes);
  NamespaceStates states;
  in.FormatVersion(kFormat);
  for (uint64_t left = in.Varint(), last = 0; in.ok() && left > 0; --left) {
    const uint64_t ns = in.Varint();
    in.Require(ns > last && ns <= UINT32_MAX, "namespaces ascend and have 32 bits");
    states.emplace(NamespaceId{static_cast<uint32_t>(ns)}, Take(&in));
    last = ns;
  }
  if (absl::Status status = in.Finish("the states of namespaces"); !status.ok()) return status;
  return states;
}

}  // namespace flaredb::kv
