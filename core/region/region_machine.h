// SPDX-License-Identifier: Apache-2.0
// The state machine of a region: committed entries in, a write batch and answers out.
#ifndef FLAREDB_CORE_REGION_REGION_MACHINE_H_
#define FLAREDB_CORE_REGION_REGION_MACHINE_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/base/write_batch.h"
#include "core/kv/command.h"
#include "core/kv/namespace_command.h"
#include "core/kv/namespace_state.h"
#include "core/raft/entry.h"
#include "core/raft/types.h"
#include "core/region/region.h"
#include "core/region/state_machine.h"

namespace flaredb {

// For the store's own StateMachine, about one of its objects.
struct MachineCommand {
  std::string object;
  std::string bytes;

  friend bool operator==(const MachineCommand&, const MachineCommand&) = default;
};
struct Command : std::variant<kv::Command, MachineCommand, kv::NamespaceCommand> {
  FLAREDB_DECLARE_VARIANT(Command)
};

// A command as a log entry carries it: with the epoch that its proposer checked. The range may have
// changed between proposal and apply, so apply compares epoch.version again; a change of replicas
// (epoch.conf_version) moves no key and refuses nothing.
struct RegionCommand {
  RegionEpoch epoch;
  Command command;
};
std::string EncodeRegionCommand(const RegionCommand& command);
absl::StatusOr<RegionCommand> DecodeRegionCommand(std::string_view bytes);

// Whether all the keys that the command may look at lie in the region. One that is applied while
// they do not is damage, so whoever proposes one asks here first.
bool Holds(const Region& region, const kv::NamespaceCommand& command);

// The region changed between proposal and apply; the command had no effect.
struct EpochChanged {
  friend bool operator==(const EpochChanged&, const EpochChanged&) = default;
};
// The configuration that is committed now. A replica that is no member of it has no part in the
// region any more.
struct ConfChanged {
  raft::ConfState conf;

  friend bool operator==(const ConfChanged&, const ConfChanged&) = default;
};
// What an entry answers to whoever proposed it here. Monostate: nothing to answer (a no-op). A
// kv::NamespaceReply that was not admitted answers commands of the other mode, too.
struct ApplyReply : std::variant<std::monostate, kv::WriteReply, MachineReply, EpochChanged,
                                 ConfChanged, kv::NamespaceReply> {
  FLAREDB_DECLARE_VARIANT(ApplyReply)
};

class RegionMachine {
 public:
  // `machine` carries out MachineCommands and outlives this object; null: there can't be any.
  RegionMachine(Region region, raft::LogId applied, const StateMachine* machine = nullptr,
                kv::NamespaceStates namespaces = {})
      : region_(std::move(region)),
        applied_(applied),
        namespaces_(std::move(namespaces)),
        machine_(machine) {}

  // Applies the next entry: adds its changes and the new applied position to `batch`, which becomes
  // visible and durable as a whole. A configuration makes everybody in it the region's peers and
  // raises conf_version if those differ from before. A pure function of region, data and entry: no
  // clock, no randomness. Fails when the data cannot be read or the entry cannot be understood; the
  // region must then stop, and neither this object nor `batch` has changed.
  // Requires entry.index == applied().index + 1, an initialized region, and that `data` shows all
  // earlier changes.
  absl::StatusOr<ApplyReply> Apply(const raft::EntryView& entry, const DataReader& data,
                                   WriteBatch* batch);

  const Region& region() const { return region_; }
  raft::LogId applied() const { return applied_; }
  const kv::NamespaceStates& namespaces() const { return namespaces_; }
  kv::NamespaceState StateOf(kv::NamespaceId ns) const;

 private:
  absl::StatusOr<ApplyReply> ApplyEntry(const raft::EntryView& entry, const DataReader& data,
                                        WriteBatch* batch);
  absl::StatusOr<ApplyReply> ApplyCommand(const raft::EntryView& entry, const DataReader& data,
                                          WriteBatch* batch);
  absl::StatusOr<ApplyReply> ApplyOn(const kv::Command& command, Index index,
                                     const DataReader& data, WriteBatch* batch) const;
  absl::StatusOr<ApplyReply> ApplyOn(const MachineCommand& command, Index index,
                                     const DataReader& data, WriteBatch* batch) const;
  absl::StatusOr<ApplyReply> ApplyOn(const kv::NamespaceCommand& command, Index index,
                                     const DataReader& data, WriteBatch* batch);
  absl::StatusOr<ApplyReply> ApplyConf(const raft::EntryView& entry, WriteBatch* batch);

  Region region_;
  raft::LogId applied_;
  kv::NamespaceStates namespaces_;
  const StateMachine* machine_;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_REGION_REGION_MACHINE_H_
