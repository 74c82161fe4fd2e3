// SPDX-License-Identifier: Apache-2.0
// The placement driver under the simulator, and proof that the simulator would see if it were
// wrong.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/pd/pd_machine.h"
#include "core/pd/rows.h"
#include "sim/campaign/campaign.h"
#include "sim/pd/pd_spec.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(PdSim, HoldsUnderFaults) {
  const pd::PdMachine machine;
  EXPECT_EQ(FirstFailure(AboutPd(&machine), 1, 200), "");
}

// What every replica counts for itself is not replicated.
class CountsInMemory : public pd::PdMachine {
 public:
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override {
    if (++commands_ % 16 == 0) return pd::EncodeReply(pd::Done{});
    return PdMachine::Apply(command, rows);
  }

 private:
  mutable uint64_t commands_ = 0;
};
TEST(PdSim, FindsStateOutsideOfTheRows) {
  const CountsInMemory machine;
  EXPECT_NE(FirstFailure(AboutPd(&machine), 1, 200), "");
}

// Does one thing more before a command, or after it.
class Meddler : public pd::PdMachine {
 public:
  std::string Apply(std::string_view bytes, MutableObjectRows* rows) const override {
    const auto command = pd::DecodeCommand(bytes);
    std::optional<pd::ClusterInfo> cluster = pd::ReadCluster(*rows);
    if (cluster) Before(*command, *cluster, rows);
    const std::string answer = PdMachine::Apply(bytes, rows);
    cluster = pd::ReadCluster(*rows);
    if (cluster) After(*command, *cluster, rows);
    return answer;
  }

 private:
  virtual void Before(const pd::Command&, pd::ClusterInfo, MutableObjectRows*) const {}
  virtual void After(const pd::Command&, pd::ClusterInfo, MutableObjectRows*) const {}
};

class GivesAnIdTwice : public Meddler {
  void After(const pd::Command& command, pd::ClusterInfo cluster,
             MutableObjectRows* rows) const override {
    if (!std::holds_alternative<pd::AllocateIds>(command)) return;
    --cluster.next_id;
    pd::WriteCluster(cluster, rows);
  }
};

class LetsLostStoresReturn : public Meddler {
  void Before(const pd::Command& command, pd::ClusterInfo cluster,
              MutableObjectRows* rows) const override {
    const auto* put = std::get_if<pd::PutStore>(&command);
    if (put == nullptr) return;
    std::optional<pd::StoreInfo> store = pd::ReadStore(put->store.id, *rows);
    if (!store || IsMember(*store) || store->instance != put->store.instance) return;
    store->state = pd::StoreState::kUp;
    store->address = "back:" + std::to_string(store->id.value());
    store->changed = ++cluster.revision;
    pd::WriteStore(*store, rows);
    pd::WriteCluster(cluster, rows);
  }
};

class SkipsTheFence : public Meddler {
  void After(const pd::Command& command, pd::ClusterInfo, MutableObjectRows* rows) const override {
    const auto* advance = std::get_if<pd::AdvanceModeSwitch>(&command);
    if (advance == nullptr) return;
    std::optional<pd::Namespace> ns = pd::ReadNamespace(advance->name, *rows);
    if (!ns || ns->state != pd::ModeState::kToStrongFence) return;
    ns->state = pd::ModeState::kStrong;
    pd::WriteNamespace(*ns, rows);
  }
};

class BelievesWhatIsOver : public Meddler {
  void Before(const pd::Command& command, pd::ClusterInfo, MutableObjectRows* rows) const override {
    const auto* put = std::get_if<pd::PutRegion>(&command);
    if (put == nullptr) return;
    const auto known = pd::ReadRegion(put->info.region.id, *rows);
    if (known) pd::DeleteRegion(known->region, rows);
  }
};

TEST(PdSim, FindsWhatTheModelDoesOtherwise) {
  const BelievesWhatIsOver machine;
  const std::string failure = FirstFailure(AboutPd(&machine), 1, 200);
  EXPECT_THAT(failure, StartsWith("MODEL: the command"));
  EXPECT_THAT(failure, HasSubstr("replay: ./bazelw run //sim/pd:sim -- --seed="));
}

// A model that makes the same mistakes leaves it to the rules.
struct Itself {
  std::string Execute(std::string_view command) {
    MutableObjectRows rows(pd::kObject, data);
    const std::string answer = machine->Apply(command, &rows);
    data.Write(rows.changes());
    return answer;
  }
  std::string Query(std::string_view query) const {
    return machine->Query(query, ObjectRows(pd::kObject, data));
  }
  std::string State() const {
    std::string state;
    for (const auto& [key, value] : data.rows) state.append(key).append(value);
    return state;
  }

  const StateMachine* machine;
  MapReader data;
};

class RulesAlone : public PdSpec {
 public:
  using PdSpec::PdSpec;
  ObjectModel NewModel() const override { return Itself{&machine(), {}}; }
};

std::string BrokenBy(const StateMachine& machine) {
  Subject subject = AboutPd(&machine);
  subject.new_spec = [&machine] { return std::make_unique<RulesAlone>(&machine); };
  return FirstFailure(subject, 1, 200);
}

TEST(PdSim, FindsWhatIsAgainstTheRules) {
  EXPECT_THAT(BrokenBy(GivesAnIdTwice()), HasSubstr(" is in use."));
  EXPECT_THAT(BrokenBy(LetsLostStoresReturn()), HasSubstr(" returns."));
  EXPECT_THAT(BrokenBy(SkipsTheFence()), HasSubstr(" jumps."));
  EXPECT_THAT(BrokenBy(BelievesWhatIsOver()), HasSubstr(" was over."));
}

}  // namespace
}  // namespace flaredb::sim
