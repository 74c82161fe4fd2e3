// SPDX-License-Identifier: Apache-2.0
// What one writes to have a state machine of one's own simulated: what clients ask of it, a model
// of one object, and what has to hold. docs/TUTORIAL.md shows how.
#ifndef FLAREDB_SIM_MACHINE_SPEC_H_
#define FLAREDB_SIM_MACHINE_SPEC_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/types.h"
#include "core/region/state_machine.h"
#include "sim/world/choices.h"
#include "sim/world/real_disk.h"

namespace flaredb::sim {

// A sequential object: what the machine does to one object, once more, as simply as it can be said
// and without rows. `State` are bytes that differ for states that differ.
template <typename M>
concept SequentialObject = std::copyable<M> &&
    requires(M model, const M& unchanged, std::string_view bytes) {
  { model.Execute(bytes) } -> std::same_as<std::string>;
  { unchanged.Query(bytes) } -> std::same_as<std::string>;
  { unchanged.State() } -> std::same_as<std::string>;
};

// Any sequential object, as a value.
class ObjectModel {
 public:
  template <SequentialObject M>
  ObjectModel(M model) : model_(std::make_unique<Of<M>>(std::move(model))) {}  // NOLINT: converts.
  ObjectModel() = default;
  ObjectModel(const ObjectModel& other) : model_(other.model_ ? other.model_->Copy() : nullptr) {}
  ObjectModel(ObjectModel&&) = default;
  ObjectModel& operator=(ObjectModel other) {
    model_.swap(other.model_);
    return *this;
  }

  // All of these require that there is an object.
  std::string Execute(std::string_view command) { return model_->Execute(command); }
  std::string Query(std::string_view query) const { return model_->Query(query); }
  std::string State() const { return model_->State(); }

  friend bool operator==(const ObjectModel& a, const ObjectModel& b) {
    return (a.model_ ? a.State() : "") == (b.model_ ? b.State() : "");
  }

 private:
  struct Any {
    virtual ~Any() = default;
    virtual std::unique_ptr<Any> Copy() const = 0;
    virtual std::string Execute(std::string_view command) = 0;
    virtual std::string Query(std::string_view query) const = 0;
    virtual std::string State() const = 0;
  };
  template <typename M>
  struct Of : Any {
    explicit Of(M m) : model(std::move(m)) {}
    std::unique_ptr<Any> Copy() const override { return std::make_unique<Of>(model); }
    std::string Execute(std::string_view command) override { return model.Execute(command); }
    std::string Query(std::string_view query) const override { return model.Query(query); }
    std::string State() const override { return model.State(); }
    M model;
  };

  std::unique_ptr<Any> model_;
};

// One operation of a client.
struct MachineOp {
  std::string object;
  std::string bytes;  // A command, or a query.
  bool query = false;

  friend auto operator<=>(const MachineOp&, const MachineOp&) = default;
};

// Who asks next, and the only randomness of a workload.
class ClientChoices {
 public:
  ClientChoices(uint32_t client, uint32_t operation, Choices* choices, uint32_t slot)
      : client_(client), operation_(operation), choices_(choices), slot_(slot) {}

  // Both are new in a run: a client never asks again after an outcome that it did not learn.
  uint32_t client() const { return client_; }
  uint32_t operation() const { return operation_; }

  // Uniform over [0, alternatives). Requires alternatives > 0.
  uint64_t Pick(uint64_t alternatives) {
    return choices_->Pick(Choice::kOperation, alternatives, slot_);
  }
  bool Chance(uint64_t percent) {
    return choices_->Chance(Choice::kOperation, percent * 10000, slot_);
  }

 private:
  uint32_t client_;
  uint32_t operation_;
  Choices* choices_;
  uint32_t slot_;
};

// A command that is committed, and what the machine answers.
struct Executed {
  Index index;
  std::string object;
  std::string command;
  std::string answer;
};

// One object for each run; it may keep what it likes from call to call. Besides what is asked here,
// everything that holds for FlareDB's own machine is checked: the rows of all replicas after every
// entry, snapshot and restart, one application for each answer, linearizability (see
// docs/SIMULATION.md).
class MachineSpec {
 public:
  virtual ~MachineSpec() = default;

  // The machine under test. Outlives this object.
  virtual const StateMachine& machine() const = 0;

  // What a client does next. An attempt that gets no answer is repeated with the same bytes, at any
  // store, as often as the client has patience.
  virtual MachineOp NextOperation(ClientChoices* client) = 0;
  // `client` was told the outcome of its operation.
  virtual void OnAnswer(uint32_t client, const MachineOp& op, std::string_view answer) {
    static_cast<void>(client), static_cast<void>(op), static_cast<void>(answer);
  }
  // When all is over, every object is asked this at every store.
  virtual std::string LastQuery() const { return std::string(); }

  // An object to which nothing has happened. Every answer has to be the one that the model gives at
  // the same place of the log.
  virtual ObjectModel NewModel() const = 0;

  // Called for each command in the order of the log, with the object's rows after it: for what a
  // model of one object does not say. A sentence when something is wrong.
  virtual std::optional<std::string> Check(const Executed& executed, const ObjectRows& rows) {
    static_cast<void>(executed), static_cast<void>(rows);
    return std::nullopt;
  }
};

// What a campaign is about.
struct Subject {
  std::function<std::unique_ptr<MachineSpec>()> new_spec;  // Null: FlareDB's key-value machine.
  // What one types before the flags to run it; the replay line of a failure begins so.
  std::string command = "./bazelw run //:sim --";
  NewRealDisk new_real_disk = nullptr;  // For each store. Null: none.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_MACHINE_SPEC_H_
