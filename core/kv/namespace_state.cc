// SPDX-License-Identifier: Apache-2.0
#include "core/kv/namespace_state.h"

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb::kv {

namespace {

constexpr uint8_t kFormat = 1;

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

std::string EncodeNamespaceState(const NamespaceState& state) {
  ByteWriter out;
  out.U8(kFormat);
  out.U8(state.fence ? static_cast<uint8_t>(state.fence->mode) : 0);
  if (state.fence) {
    INVARIANT(state.fence->mode_epoch != 0);
    out.Varint(state.fence->mode_epoch);
    out.Varint(state.fence->base_hlc.value());
  }
  INVARIANT(static_cast<bool>(state.floors.version) == static_cast<bool>(state.floors.index));
  out.Varint(state.floors.version.value());
  out.Varint(state.floors.index.value());
  out.Varint(state.floors.collected_hlc.value());
  return out.Take();
}

absl::StatusOr<NamespaceState> DecodeNamespaceState(std::string_view bytes) {
  ByteReader in(bytes);
  NamespaceState state;
  in.FormatVersion(kFormat);
  const uint8_t mode = in.U8();
  in.Require(mode <= static_cast<uint8_t>(Mode::kEventual), "a mode is known to this program");
  if (mode != 0) {
    Fence& fence = state.fence.emplace();
    fence.mode = Mode{mode};
    fence.mode_epoch = in.Varint();
    in.Require(fence.mode_epoch != 0, "a mode epoch is at least 1");
    fence.base_hlc = Hlc(in.Varint());
  }
  state.floors.version = Version(in.Varint());
  state.floors.index = Index(in.Varint());
  in.Require(static_cast<bool>(state.floors.version) == static_cast<bool>(state.floors.index),
             "version and index of the floors are both 0 or neither");
  state.floors.collected_hlc = Hlc(in.Varint());
  if (absl::Status status = in.Finish("the state of a namespace"); !status.ok()) return status;
  return state;
}

}  // namespace flaredb::kv
