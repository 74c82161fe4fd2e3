// SPDX-License-Identifier: Apache-2.0
// A state machine of the user's own, run once more over the one committed log: what every replica's
// rows and answers must equal.
#ifndef FLAREDB_SIM_INVARIANTS_MACHINE_HISTORY_H_
#define FLAREDB_SIM_INVARIANTS_MACHINE_HISTORY_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/raft/entry.h"
#include "core/region/region.h"
#include "sim/machine_spec.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// Bytes as a person reads them in a sentence.
std::string Quoted(std::string_view bytes);

// Keeps everything from the beginning, because replicas apply the same entries at different times.
class MachineHistory : private DataReader {
 public:
  // A row after the change at `index`; nullopt: deleted.
  struct Change {
    Index index;
    std::optional<std::string> value;
  };
  using Changes = std::vector<Change>;  // Ascending.

  // `spec` outlives this object; null: there are no commands of a machine.
  MachineHistory(RegionEpoch epoch, MachineSpec* spec) : epoch_(epoch), spec_(spec) {}

  // Takes in the next committed entry.
  //   MODEL  the machine answers otherwise than the model
  //   RULE   what MachineSpec::Check says
  void Apply(const raft::EntryView& entry, FailureReport* report);

  // The command at `index`; null when there is none. Borrowed until the next Apply.
  const Executed* At(Index index) const;
  // In the order of the log.
  const std::vector<Executed>& executed() const { return executed_; }
  // What the model answers after everything up to `index`.
  std::string Query(const std::string& object, std::string_view query, Index index) const;

  // Every row that there ever was, in order.
  const std::map<std::string, Changes, std::less<>>& rows() const { return rows_; }
  // The value of `row` at `index`; null when there was none. Borrowed until the next Apply.
  const std::string* RowAt(std::string_view row, Index index) const;
  // The rows that the entries after `before` changed, up to `upto`. Borrowed.
  std::set<std::string_view> ChangedIn(Index before, Index upto) const;

 private:
  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;
  ObjectModel ModelAt(const std::string& object, Index index) const;

  RegionEpoch epoch_;
  MachineSpec* spec_;
  std::vector<Executed> executed_;
  std::map<std::string, Changes, std::less<>> rows_;
  std::vector<std::pair<Index, const std::string*>> changed_;  // Index and row, ascending.
  // Each object's states, ascending.
  std::map<std::string, std::vector<std::pair<Index, ObjectModel>>> models_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_MACHINE_HISTORY_H_
