// SPDX-License-Identifier: Apache-2.0
#include "core/pd/fields.h"

#include <limits>
#include <utility>

#include "core/base/check.h"

namespace flaredb::pd {

namespace {

// Of an enum whose values are 1 to `last`.
template <typename Enum>
Enum TakeEnum(Enum last, const char* rule, ByteReader* in) {
  const uint8_t value = in->U8();
  in->Require(value >= 1 && value <= static_cast<uint8_t>(last), rule);
  return Enum{value};
}

bool LeaderIsSound(const RegionInfo& info) {
  if (!info.term || !info.leader) return !info.term && !info.leader;
  return info.region.PeerOf(info.leader) != nullptr;
}

}  // namespace

void PutFlag(bool flag, ByteWriter* out) { out->U8(flag ? 1 : 0); }

bool TakeFlag(ByteReader* in) {
  const uint8_t flag = in->U8();
  in->Require(flag <= 1, "a flag is 0 or 1");
  return flag == 1;
}

void PutMode(Mode mode, ByteWriter* out) { out->U8(static_cast<uint8_t>(mode)); }

Mode TakeMode(ByteReader* in) {
  return TakeEnum(Mode::kEventual, "the mode is known to this program", in);
}

void PutStoreState(StoreState state, ByteWriter* out) { out->U8(static_cast<uint8_t>(state)); }

StoreState TakeStoreState(ByteReader* in) {
  return TakeEnum(StoreState::kDrained, "the state of a store is known to this program", in);
}

void PutStoreDescriptor(const StoreDescriptor& store, ByteWriter* out) {
  INVARIANT(store.id) << "a store has an id";
  INVARIANT(store.instance) << "store " << store.id << " has drawn its instance";
  out->Varint(store.id.value());
  out->U64(store.instance.hi);
  out->U64(store.instance.lo);
  out->Bytes(store.address);
  out->Varint(store.feature_level);
}

StoreDescriptor TakeStoreDescriptor(ByteReader* in) {
  StoreDescriptor store;
  store.id = StoreId(in->Varint());
  in->Require(static_cast<bool>(store.id), "a store id is not 0");
  store.instance.hi = in->U64();
  store.instance.lo = in->U64();
  in->Require(static_cast<bool>(store.instance), "an instance is not all zero");
  store.address = in->Bytes();
  store.feature_level = in->Varint();
  return store;
}

void PutStoreInfo(const StoreInfo& store, ByteWriter* out) {
  INVARIANT(store.changed) << "store " << store.id;
  PutStoreDescriptor(store, out);
  PutStoreState(store.state, out);
  out->Varint(store.changed.value());
}

StoreInfo TakeStoreInfo(ByteReader* in) {
  StoreInfo store{TakeStoreDescriptor(in), TakeStoreState(in), Revision(in->Varint())};
  in->Require(static_cast<bool>(store.changed), "a row has the revision of a change");
  return store;
}

void PutNamespace(const Namespace& ns, ByteWriter* out) {
  INVARIANT(ns.id != kv::NamespaceId::kNone) << "a namespace has an id";
  INVARIANT(ns.mode_epoch) << ns.name;
  INVARIANT(ns.changed) << ns.name;
  out->Varint(static_cast<uint32_t>(ns.id));
  out->Bytes(ns.name);
  out->U8(static_cast<uint8_t>(ns.state));
  out->Varint(ns.mode_epoch.value());
  PutFlag(ns.from_default, out);
  out->Varint(ns.changed.value());
}

Namespace TakeNamespace(ByteReader* in) {
  Namespace ns;
  const uint64_t id = in->Varint();
  in->Require(id != 0 && id <= std::numeric_limits<uint32_t>::max(),
              "a namespace id has 32 bits and is not 0");
  ns.id = kv::NamespaceId{static_cast<uint32_t>(id)};
  ns.name = in->Bytes();
  ns.state =
      TakeEnum(ModeState::kToStrongFence, "the state of a mode is known to this program", in);
  ns.mode_epoch = ModeEpoch(in->Varint());
  in->Require(static_cast<bool>(ns.mode_epoch), "a mode epoch is at least 1");
  ns.from_default = TakeFlag(in);
  ns.changed = Revision(in->Varint());
  in->Require(static_cast<bool>(ns.changed), "a row has the revision of a change");
  return ns;
}

void PutRegionField(const Region& region, ByteWriter* out) { out->Bytes(EncodeRegion(region)); }

Region TakeRegionField(ByteReader* in) {
  absl::StatusOr<Region> region = DecodeRegion(in->Bytes());
  in->Require(region.ok(), "it contains a region");
  return region.ok() ? *std::move(region) : Region();
}

void PutRegionInfo(const RegionInfo& info, ByteWriter* out) {
  INVARIANT(LeaderIsSound(info)) << "region " << info.region.id << " leader " << info.leader;
  PutRegionField(info.region, out);
  out->Varint(info.term.value());
  out->Varint(info.leader.value());
}

RegionInfo TakeRegionInfo(ByteReader* in) {
  RegionInfo info{TakeRegionField(in), Term(in->Varint()), PeerId(in->Varint())};
  in->Require(LeaderIsSound(info), "a leader is one of the peers and has a term");
  return info;
}

}  // namespace flaredb::pd
