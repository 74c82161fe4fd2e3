// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/synthetic_record.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/rng.h"

namespace flaredb::sim {
namespace {

constexpr int64_t kLengthMs = 10000;
constexpr uint32_t kReigns = 10;
constexpr uint32_t kClients = 6;
constexpr uint32_t kOperations = 240;

class Maker {
 public:
  Maker(uint32_t nodes, uint32_t messages) : messages_(messages) {
    record_.name = "seed 18446744073709551615";
    record_.replay = "./bazelw run //:sim -- --seed=18446744073709551615";
    record_.nodes = nodes;
    record_.clients = kClients;
    record_.end = AtMs(kLengthMs);
    record_.phases = {{Instant(), "faults"}, {AtMs(8000), "healed"}};
    record_.counts = {{"events", 20000}, {"crashes", kReigns}, {"committed entries", 200}};
  }

  Record Make() {
    Reigns();
    Messages();
    Operations();
    Faults();
    Violation();
    return std::move(record_);
  }

 private:
  static Instant AtMs(int64_t ms) { return Instant() + Duration::Milliseconds(ms); }
  static uint32_t ReignAt(Instant t) {
    const int64_t ms = (t - Instant()).milliseconds();
    return static_cast<uint32_t>(std::min<int64_t>(ms * kReigns / kLengthMs, kReigns - 1));
  }
  uint32_t LeaderAt(Instant t) const { return ReignAt(t) * 3 % record_.nodes; }
  Instant Random() {
    return Instant::FromNanoseconds(static_cast<int64_t>(rng_.Below(kLengthMs * 1000000)));
  }

  void Reigns() {
    for (uint32_t reign = 0; reign < kReigns; ++reign) {
      const int64_t begin_ms = reign * kLengthMs / kReigns;
      const uint32_t leader = LeaderAt(AtMs(begin_ms));
      for (int64_t step = 0; step < 20; ++step) {
        for (uint32_t node = 0; node < record_.nodes; ++node) {
          const uint64_t index = reign * 20 + static_cast<uint64_t>(step) + 1;
          Record::State state;
          state.node = node;
          state.at = AtMs(begin_ms + step * 50) + Duration::Microseconds(node * 300);
          state.status = node != leader ? Record::Status::kFollower
                         : step == 0    ? Record::Status::kCandidate
                                        : Record::Status::kLeader;
          if (node != leader && (reign + node) % 4 == 0 && step >= 12) {
            state.status = Record::Status::kDown;
          }
          state.term = Term(reign + 1);
          state.commit_index = Index(index);
          state.last_index = Index(index + 3);
          state.durable_index = Index(index + (node == leader ? 3 : 1));
          state.applied_index = Index(index);
          if (state.status == Record::Status::kDown && step == 12) {
            record_.events.push_back(
                {state.at, node, "crash", "0 of 1 unfinished commits survive"});
          }
          record_.Add(state);
        }
        if (step == 1) {
          record_.events.push_back(
              {AtMs(begin_ms + 50), leader, "elected", "term " + std::to_string(reign + 1)});
        }
      }
    }
  }

  void Messages() {
    std::vector<Instant> times;
    for (uint32_t i = 0; i < messages_; ++i) times.push_back(Random());
    std::sort(times.begin(), times.end());
    for (const Instant sent : times) {
      Record::Message message;
      const uint32_t leader = LeaderAt(sent);
      const auto other =
          static_cast<uint32_t>((leader + 1 + rng_.Below(record_.nodes - 1)) % record_.nodes);
      const bool answer = rng_.Below(2) == 1;
      message.from = answer ? other : leader;
      message.to = answer ? leader : other;
      const std::string term = std::to_string(ReignAt(sent) + 1);
      const uint64_t pick = rng_.Below(10);
      if (pick < 6) {
        message.kind = Record::MessageKind::kReplication;
        message.text = (answer ? "append ok term " : "append term ") + term +
                       " (prev 3:17, 2 entries to 19, commit 16, session 2, round 9)";
      } else if (pick < 8) {
        message.kind = Record::MessageKind::kHeartbeat;
        message.text = "heartbeat term " + term + " (session 2, round 9)";
      } else if (pick < 9) {
        message.kind = Record::MessageKind::kElection;
        message.text = "vote? term " + term + " (log 3:17)";
      } else {
        message.kind = Record::MessageKind::kClient;
        message.from = record_.nodes + static_cast<uint32_t>(rng_.Below(kClients));
        message.to = leader;
        message.text = "cas k1 if 3 to 17 (request 4/9, seen 12)";
      }
      message.sent = sent;
      message.end = sent + Duration::Microseconds(500 + static_cast<int64_t>(rng_.Below(12000)));
      message.fate = rng_.Below(20) == 0 ? Record::Fate::kLost : Record::Fate::kArrived;
      if (message.fate == Record::Fate::kLost) {
        message.end = sent;
        record_.chances.push_back({sent, message.from, "lose-message"});
      }
      record_.Add(std::move(message));
    }
  }

  void Operations() {
    for (uint32_t i = 0; i < kOperations; ++i) {
      Record::Operation op;
      op.slot = i % kClients;
      op.client = op.slot + 1;
      op.invoked = AtMs(i / kClients * kLengthMs * kClients / kOperations + op.slot * 7);
      op.completed =
          op.invoked + Duration::Milliseconds(10 + static_cast<int64_t>(rng_.Below(180)));
      op.outcome = static_cast<Record::Outcome>(1 + rng_.Below(4));
      op.attempts = 1 + static_cast<uint32_t>(rng_.Below(3));
      op.what = "cas k1 if " + std::to_string(i) + " to " + std::to_string(i + 1);
      op.answer = "version " + std::to_string(i);
      record_.operations.push_back(std::move(op));
    }
  }

  void Faults() {
    const char* const kinds[] = {"split", "isolate-leader", "hold-link", "stall-disk"};
    for (int64_t i = 0; i < 16; ++i) {
      Record::Fault fault;
      fault.kind = kinds[i % 4];
      fault.from = AtMs(300 + i * 450);
      fault.until = fault.from + Duration::Milliseconds(150 + i * 40);
      if (i % 4 != 0) fault.nodes = {static_cast<uint32_t>(i) % record_.nodes};
      record_.faults.push_back(std::move(fault));
    }
    for (uint32_t i = 0; i < 3; ++i) {
      record_.chances.push_back({AtMs(2000 + 500 * i), record_.nodes + i, "retry"});
    }
  }

  void Violation() {
    Record::Failure failure;
    failure.code = "LIN";
    failure.sentence =
        "key k1: client 3's CAS(expected 200, value 201) -> version 200 [events 401..408] and "
        "client "
        "4's CAS(expected 207, value 208) -> version 200 [events 415..431]: two writes have the "
        "same version. Both were answered by store 2; store 5 applied the first.";
    Record::Operation& write = record_.operations[200];
    Record::Operation& read = record_.operations[207];
    write.outcome = read.outcome = Record::Outcome::kOk;
    write.accused = read.accused = true;
    failure.at = *read.completed;
    failure.nodes = NodesNamedIn(failure.sentence, record_.nodes);
    record_.failure = std::move(failure);
    record_.verdict = "history not linearizable";
  }

  const uint32_t messages_;
  Record record_;
  Rng rng_{7};
};

}  // namespace

Record SyntheticRecord(uint32_t nodes, uint32_t messages) { return Maker(nodes, messages).Make(); }

}  // namespace flaredb::sim
