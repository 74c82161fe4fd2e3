// SPDX-License-Identifier: Apache-2.0
// Who asks which store: clients look around, auditors stay.
#include "sim/clients.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "sim/workload.h"

namespace flaredb::sim {
namespace {

constexpr uint32_t kStores = 5;

// Clients whose network and stores are the test.
class ClientsTest : public testing::Test {
 protected:
  ClientsTest() {
    profile_.stores = kStores;
    profile_.workload.clients = kStores;
    profile_.workload.keys = 1;
    profile_.workload.gets = 1;
    profile_.workload.operations_max = 1000;
    profile_.workload.attempt_timeout = Duration::Milliseconds(10);
    profile_.workload.attempt_timeout_max = Duration::Milliseconds(10);
    profile_.workload.operation_timeout = Duration::Seconds(60);
    network_ = std::make_unique<SimNetwork>(&world_, profile_.network, 2 * kStores);
    workload_ = std::make_unique<Workload>(&world_, profile_, Region(), network_.get(), &model_);
    workload_->Start();
  }

  // Whom the client on `slot` asks in its next `attempts` attempts, each of which is refused with
  // `refusal`; nullopt: nobody answers.
  std::set<uint32_t> Asked(uint32_t slot, int attempts, std::optional<store::ErrorCode> refusal) {
    std::set<uint32_t> asked;
    while (attempts > 0) {
      const Event event = world_.queue.Pop();
      if (event.kind == EventKind::kClient) {
        workload_->OnTimer(event.target, event.arg);
        continue;
      }
      const std::optional<Packet> packet = network_->Take(event.arg);
      const auto* request = packet ? std::get_if<ClientRequest>(&packet->body) : nullptr;
      if (request == nullptr) continue;
      if (packet->from == kStores + slot) {
        asked.insert(packet->to);
        --attempts;
      }
      if (!refusal) continue;
      store::Error error;
      error.code = *refusal;
      error.leader = StoreId(packet->to % kStores + 1);
      workload_->Deliver({packet->to, packet->from,
                          ClientReply{request->attempt, store::Reply{std::move(error), Index()}}});
    }
    return asked;
  }

  Profile profile_;
  World world_{1, nullptr};
  KvModel model_{RegionEpoch{1, 1}, Index()};
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<Workload> workload_;
};

TEST_F(ClientsTest, AClientThatIsNotAnsweredAsksElsewhere) {
  EXPECT_EQ(Asked(0, 200, std::nullopt).size(), kStores);
}

TEST_F(ClientsTest, AnAuditorAsksItsOwnStoreWhateverHappens) {
  workload_->Leave();
  workload_->Audit({2, 4});
  EXPECT_EQ(Asked(0, 50, std::nullopt), std::set<uint32_t>{2});
  EXPECT_EQ(Asked(1, 50, store::ErrorCode::kRegionNotFound), std::set<uint32_t>{4});
  EXPECT_EQ(Asked(0, 50, store::ErrorCode::kNotLeader), std::set<uint32_t>{2});
  EXPECT_FALSE(workload_->done());
}

TEST_F(ClientsTest, AnAuditEndsWithItsStore) {
  workload_->Leave();
  workload_->Audit({2, 4});
  workload_->AuditOnly({1, 2, 4});
  EXPECT_EQ(Asked(1, 5, std::nullopt), std::set<uint32_t>{4});
  workload_->AuditOnly({2});
  EXPECT_EQ(Asked(0, 5, std::nullopt), std::set<uint32_t>{2});
  EXPECT_FALSE(workload_->done());
  workload_->AuditOnly({});
  EXPECT_TRUE(workload_->done());
}

}  // namespace
}  // namespace flaredb::sim
