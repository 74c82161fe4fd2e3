// SPDX-License-Identifier: Apache-2.0
// A state machine of one's own: what one writes to have it replicated beside, or in place of, the
// key-value commands. docs/TUTORIAL.md leads from an empty folder to one that is tested.
//
// A machine is made of objects (Herlihy and Wing 1990): each has a name, and rows that nobody else
// sees. A command changes one object, a query looks at one, and both are linearizable. What must
// change together is one object; what need not may one day live in different regions.
#ifndef FLAREDB_CORE_REGION_STATE_MACHINE_H_
#define FLAREDB_CORE_REGION_STATE_MACHINE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/base/write_batch.h"
#include "core/region/overlay.h"

namespace flaredb {

// Where the rows of an object lie in a store's key space, and what routes requests for it: they all
// begin so, and those of no other object do (docs/FORMAT.md). Bounds of regions lie between
// objects.
std::string ObjectPrefix(std::string_view object);

// The rows of one object: a sorted map of byte strings. Keys are the object's own; one may be
// empty.
class ObjectRows {
 public:
  // `data` outlives this object.
  ObjectRows(std::string_view object, const DataReader& data)
      : prefix_(ObjectPrefix(object)), data_(data) {}
  ObjectRows(const ObjectRows&) = delete;
  ObjectRows& operator=(const ObjectRows&) = delete;

  // The value of `key`; nullopt when it has none.
  std::optional<std::string> Get(std::string_view key) const;
  // Visits the keys of [begin, end) in ascending order until `visit` returns false. An empty `end`
  // means no upper bound. The views passed to `visit` live for that call.
  void Scan(std::string_view begin, std::string_view end,
            absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const;

  // For the host: the first failure to read. From then on there seem to be no rows, and whatever a
  // machine makes of that is thrown away; hence a machine has no errors of the environment to
  // handle.
  const absl::Status& status() const { return status_; }

 protected:
  std::string RowKey(std::string_view key) const;

 private:
  const std::string prefix_;
  const DataReader& data_;
  mutable absl::Status status_;
};

// Rows with the changes of one command, which it sees itself.
class MutableObjectRows : public ObjectRows {
 public:
  MutableObjectRows(std::string_view object, const DataReader& data)
      : ObjectRows(object, now_), now_(&data) {}

  void Put(std::string_view key, std::string value);
  // Nothing if there is no such row.
  void Delete(std::string_view key);

  // For the host: what becomes of the store's data.
  const WriteBatch& changes() const { return changes_; }

 private:
  void Change(Mutation mutation);

  WriteBatch changes_;
  Overlay now_;
};

// One object for all regions and replicas of a store; see store::Options::machine. No state of its
// own: whatever a command is to find later goes into the rows.
//
// Contract of both members:
//   deterministic  The answer and the changes follow from the arguments alone: no clock,
//   randomness,
//                  global variable, address, or order of a hash table. Replicas apply the same
//                  commands at different times, some of them twice (after a crash, to the rows as
//                  they were), and must end with the same bytes. The simulator finds it out if not.
//   total          Every byte string has an answer. A command that makes no sense changes nothing
//                  and is told so; a replica cannot refuse what is committed.
//   stable         All stores of a cluster carry out a command in the same way. A new command is
//   one
//                  release older in the machine than in what clients send.
//   quick          It runs in the store's only thread.
//
// A request is applied at most once; but a client that was not told the outcome can only ask again,
// and that is another request. So a command must recognize itself (by a version that it expects, an
// id, a token), or be one that may as well happen twice.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  // Carries out a committed command. Returns the answer to whoever sent it.
  virtual std::string Apply(std::string_view command, MutableObjectRows* rows) const = 0;
  // Answers from the rows as they are at one moment between the query's beginning and its end.
  virtual std::string Query(std::string_view query, const ObjectRows& rows) const = 0;
};

// What became of a command or query.
struct MachineReply {
  std::string bytes;
  // The position in the region's log that the command has, or up to which the query looked: of two
  // answers the one with the larger index is the later state.
  Index index;

  friend bool operator==(const MachineReply&, const MachineReply&) = default;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_REGION_STATE_MACHINE_H_
