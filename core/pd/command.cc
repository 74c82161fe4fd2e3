// SPDX-License-Identifier: Apache-2.0
#include "core/pd/command.h"

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/pd/fields.h"

namespace flaredb::pd {

namespace {

constexpr uint8_t kFormat = 1;
enum Kind : uint8_t {
  kBootstrap = 1,
  kPutStore = 2,
  kSetStoreState = 3,
  kAllocateIds = 4,
  kEnsureNamespace = 5,
  kStartModeSwitch = 6,
  kCancelModeSwitch = 7,
  kAdvanceModeSwitch = 8,
  kPutRegion = 9,
};

void Put(const Bootstrap& bootstrap, ByteWriter* out) {
  INVARIANT(bootstrap.cluster) << "a cluster has an id";
  out->U8(kBootstrap);
  out->Varint(bootstrap.cluster.value());
  PutStoreDescriptor(bootstrap.store, out);
  out->Varint(bootstrap.regions.size());
  for (const Region& region : bootstrap.regions) PutRegionField(region, out);
}

Bootstrap TakeBootstrap(ByteReader* in) {
  Bootstrap bootstrap;
  bootstrap.cluster = ClusterId(in->Varint());
  in->Require(static_cast<bool>(bootstrap.cluster), "a cluster id is not 0");
  bootstrap.store = TakeStoreDescriptor(in);
  // Ends at the first defect, so a wrong count costs no more than the bytes that are there.
  for (uint64_t left = in->Varint(); in->ok() && left > 0; --left) {
    bootstrap.regions.push_back(TakeRegionField(in));
  }
  return bootstrap;
}

void Put(const PutStore& put, ByteWriter* out) {
  out->U8(kPutStore);
  PutStoreDescriptor(put.store, out);
  out->Varint(put.seen.value());
}

PutStore TakePutStore(ByteReader* in) { return {TakeStoreDescriptor(in), Revision(in->Varint())}; }

void Put(const SetStoreState& set, ByteWriter* out) {
  INVARIANT(set.store) << "a store has an id";
  out->U8(kSetStoreState);
  out->Varint(set.store.value());
  PutStoreState(set.state, out);
  out->Varint(set.seen.value());
}

SetStoreState TakeSetStoreState(ByteReader* in) {
  const SetStoreState set{StoreId(in->Varint()), TakeStoreState(in), Revision(in->Varint())};
  in->Require(static_cast<bool>(set.store), "a store id is not 0");
  return set;
}

void Put(const AllocateIds& allocate, ByteWriter* out) {
  out->U8(kAllocateIds);
  out->Varint(allocate.count);
}

void Put(const EnsureNamespace& ensure, ByteWriter* out) {
  out->U8(kEnsureNamespace);
  out->Bytes(ensure.name);
  PutFlag(ensure.mode.has_value(), out);
  if (ensure.mode) PutMode(*ensure.mode, out);
}

EnsureNamespace TakeEnsureNamespace(ByteReader* in) {
  EnsureNamespace ensure;
  ensure.name = in->Bytes();
  if (TakeFlag(in)) ensure.mode = TakeMode(in);
  return ensure;
}

void Put(const StartModeSwitch& start, ByteWriter* out) {
  out->U8(kStartModeSwitch);
  out->Bytes(start.name);
  PutMode(start.mode, out);
  out->Varint(start.seen.value());
}

StartModeSwitch TakeStartModeSwitch(ByteReader* in) {
  return {std::string(in->Bytes()), TakeMode(in), ModeEpoch(in->Varint())};
}

void Put(const CancelModeSwitch& cancel, ByteWriter* out) {
  out->U8(kCancelModeSwitch);
  out->Bytes(cancel.name);
  out->Varint(cancel.at.value());
}

void Put(const AdvanceModeSwitch& advance, ByteWriter* out) {
  out->U8(kAdvanceModeSwitch);
  out->Bytes(advance.name);
  out->Varint(advance.at.value());
}

void Put(const PutRegion& put, ByteWriter* out) {
  INVARIANT(put.info.leader) << "region " << put.info.region.id << " is reported by its leader";
  out->U8(kPutRegion);
  PutRegionInfo(put.info, out);
}

PutRegion TakePutRegion(ByteReader* in) {
  PutRegion put{TakeRegionInfo(in)};
  in->Require(static_cast<bool>(put.info.leader), "a region is reported by its leader");
  return put;
}

Command TakeCommand(ByteReader* in) {
  in->FormatVersion(kFormat);
  switch (in->U8()) {
    case kBootstrap:
      return TakeBootstrap(in);
    case kPutStore:
      return TakePutStore(in);
    case kSetStoreState:
      return TakeSetStoreState(in);
    case kAllocateIds:
      return AllocateIds{in->Varint()};
    case kEnsureNamespace:
      return TakeEnsureNamespace(in);
    case kStartModeSwitch:
      return TakeStartModeSwitch(in);
    case kCancelModeSwitch:
      return CancelModeSwitch{std::string(in->Bytes()), ModeEpoch(in->Varint())};
    case kAdvanceModeSwitch:
      return AdvanceModeSwitch{std::string(in->Bytes()), ModeEpoch(in->Varint())};
    case kPutRegion:
      return TakePutRegion(in);
  }
  in->Require(false, "the kind of command is known to this program");
  return {};
}

}  // namespace

FLAREDB_DEFINE_VARIANT(Command)

std::string EncodeCommand(const Command& command) {
  ByteWriter out;
  out.U8(kFormat);
  std::visit([&](const auto& c) { Put(c, &out); }, command);
  return out.Take();
}

absl::StatusOr<Command> DecodeCommand(std::string_view bytes) {
  ByteReader in(bytes);
  Command command = TakeCommand(&in);
  if (absl::Status status = in.Finish("a command"); !status.ok()) return status;
  return command;
}

}  // namespace flaredb::pd
