// SPDX-License-Identifier: Apache-2.0
// Checker E on correct executions of a tiny model, and on each way to make them wrong.
#include "sim/history/eventual_checker.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/rng.h"

namespace flaredb::sim {
namespace {

using Kind = EventualOp::Kind;
using Rule = EventualRule;

// A few stores that accept writes, exchange rows in any order, and collect deletions.
class Model {
 public:
  explicit Model(uint64_t seed) : rng_(seed), stores_(rng_.Between(2, 4)), clients_(4) {
    keys_ = rng_.Between(1, 3);
    unknown_ppm_ = 100000 * rng_.Below(4);
  }

  EventualHistory Run() {
    const uint64_t steps = rng_.Between(20, 120);
    for (uint64_t i = 0; i < steps; ++i) Step();
    for (Client& client : clients_) {
      while (client.op) Advance(&client);
    }
    for (const size_t i : late_) Accept(i);
    Heal();
    return std::move(history_);
  }

 private:
  struct Store {
    std::map<std::string, LwwRecord> rows;
    uint64_t wall = 0;  // What its clock says; clocks differ.
    uint64_t last_wall = 0;
    uint32_t last_logical = 0;
  };
  struct Client {
    std::optional<size_t> op;
    bool performed = false;
    std::optional<LwwRecord> answer;
  };

  void Step() {
    for (Store& store : stores_) store.wall += rng_.Below(3);
    const uint64_t what = rng_.Below(10);
    if (what < 6) return Advance(&clients_[rng_.Below(clients_.size())]);
    if (what < 9) return Exchange(rng_.Below(stores_.size()), rng_.Below(stores_.size()));
    if (!late_.empty() && rng_.Chance(500000)) {
      Accept(late_.back());
      late_.pop_back();
    } else {
      Collect("k" + std::to_string(rng_.Below(keys_)));
    }
  }

  void Advance(Client* client) {
    if (!client->op) {
      Invoke(client);
    } else if (!client->performed) {
      client->performed = true;
      EventualOp& op = history_.ops[*client->op];
      if (op.kind != Kind::kGet) {
        client->answer = Accept(*client->op);
        return;
      }
      const auto& rows = stores_[op.store].rows;
      const auto row = rows.find(op.key);
      client->answer.reset();
      if (row != rows.end() && !row->second.deleted) client->answer = row->second;
    } else {
      EventualOp& op = history_.ops[*client->op];
      op.complete = ++event_;
      op.record = client->answer;
      client->op.reset();
    }
  }

  void Invoke(Client* client) {
    EventualOp op;
    const uint64_t percent = rng_.Below(100);
    op.kind = percent < 40 ? Kind::kPut : percent < 60 ? Kind::kDelete : Kind::kGet;
    op.client = static_cast<uint32_t>(client - clients_.data());
    op.store = static_cast<uint32_t>(rng_.Below(stores_.size()));
    op.key = "k" + std::to_string(rng_.Below(keys_));
    op.invoke = ++event_;
    if (op.kind == Kind::kPut) op.value = ++last_value_;
    history_.ops.push_back(op);
    if (op.kind != Kind::kGet && rng_.Chance(unknown_ppm_)) {
      if (rng_.Chance(700000)) late_.push_back(history_.ops.size() - 1);
      return;
    }
    client->op = history_.ops.size() - 1;
    client->performed = false;
  }

  LwwRecord Accept(size_t i) {
    const EventualOp& op = history_.ops[i];
    Store& store = stores_[op.store];
    if (store.wall > store.last_wall) {
      store.last_wall = store.wall;
      store.last_logical = 0;
    } else {
      ++store.last_logical;
    }
    const LwwRecord record{store.last_wall, store.last_logical, op.kind == Kind::kDelete, op.store,
                           op.value};
    Merge(&store, op.key, record);
    return record;
  }

  void Merge(Store* store, const std::string& key, const LwwRecord& record) {
    // A clock that meets a later time follows it.
    if (std::pair(record.wall, record.logical) > std::pair(store->last_wall, store->last_logical)) {
      store->last_wall = record.wall;
      store->last_logical = record.logical;
    }
    const auto [row, added] = store->rows.emplace(key, record);
    if (!added) row->second = std::max(row->second, record);
  }

  void Exchange(size_t from, size_t to) {
    for (const auto& [key, record] : stores_[from].rows) Merge(&stores_[to], key, record);
  }

  // Once every store holds the deletion, nothing older is under way.
  void Collect(const std::string& key) {
    const auto first = stores_[0].rows.find(key);
    if (first == stores_[0].rows.end() || !first->second.deleted) return;
    const LwwRecord tombstone = first->second;
    for (Store& store : stores_) {
      const auto row = store.rows.find(key);
      if (row == store.rows.end() || row->second != tombstone) return;
    }
    for (uint32_t i = 0; i < stores_.size(); ++i) {
      stores_[i].rows.erase(key);
      history_.collected.push_back({i, key, tombstone, ++event_});
    }
  }

  void Heal() {
    for (size_t round = 0; round < 2; ++round) {
      for (size_t from = 0; from < stores_.size(); ++from) {
        for (size_t to = 0; to < stores_.size(); ++to) Exchange(from, to);
      }
    }
    for (uint32_t i = 0; i < stores_.size(); ++i) {
      history_.replicas.push_back({i, stores_[i].rows});
    }
  }

  Rng rng_;
  std::vector<Store> stores_;
  std::vector<Client> clients_;
  uint64_t keys_ = 0;
  uint64_t unknown_ppm_ = 0;
  std::vector<size_t> late_;  // Unknown writes that will take effect.
  EventNumber event_ = 0;
  ValueId last_value_ = 0;
  EventualHistory history_;
};

std::string Sentences(const std::vector<EventualViolation>& violations) {
  std::string all;
  for (const EventualViolation& each : violations) all += "  " + each.sentence + "\n";
  return all;
}

TEST(EventualChecker, AcceptsCorrectExecutions) {
  uint64_t unknown = 0;
  uint64_t collected = 0;
  uint64_t absent = 0;
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    const EventualHistory history = Model(seed).Run();
    const auto violations = CheckEventual(history);
    ASSERT_TRUE(violations.empty()) << "seed " << seed << "\n" << Sentences(violations);
    for (const EventualOp& op : history.ops) {
      if (op.complete == kNever) ++unknown;
      if (op.kind == Kind::kGet && !op.record) ++absent;
    }
    collected += history.collected.size();
  }
  // Or else the model says little.
  EXPECT_GE(unknown, 20000u);
  EXPECT_GE(absent, 20000u);
  EXPECT_GE(collected, 5000u);
}

// Applies `mutate` to correct histories. Wherever it finds something to change (returns true), the
// violation has to be among those found, in one sentence that begins with its name.
template <typename Mutate>
void ExpectCaught(Rule rule, const Mutate& mutate) {
  uint64_t mutated = 0;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    EventualHistory history = Model(seed).Run();
    Rng rng(seed);
    if (!mutate(&history, &rng)) continue;
    ++mutated;
    const auto violations = CheckEventual(history);
    const auto caught = std::find_if(violations.begin(), violations.end(),
                                     [&](const auto& each) { return each.rule == rule; });
    ASSERT_NE(caught, violations.end()) << "seed " << seed << "\n" << Sentences(violations);
    EXPECT_EQ(caught->sentence.rfind(Name(rule) + ": ", 0), 0u) << caught->sentence;
    EXPECT_EQ(caught->sentence.find('\n'), std::string::npos) << caught->sentence;
    EXPECT_EQ(caught->sentence.back(), '.') << caught->sentence;
  }
  EXPECT_GE(mutated, 100u);
}

// The first operation that suits `want`, or none.
template <typename Want>
EventualOp* Find(EventualHistory* history, const Want& want) {
  const auto it = std::find_if(history->ops.begin(), history->ops.end(), want);
  return it == history->ops.end() ? nullptr : &*it;
}

EventNumber After(const EventualHistory& history) {
  EventNumber last = 0;
  for (const EventualOp& op : history.ops) {
    last = std::max(last, op.complete == kNever ? op.invoke : op.complete);
  }
  for (const TombstoneCollected& each : history.collected) last = std::max(last, each.at);
  return last + 1;
}

EventualOp Get(const EventualHistory& history, uint32_t store, const std::string& key,
               const std::optional<LwwRecord>& record) {
  EventualOp get;
  get.client = 9;
  get.store = store;
  get.key = key;
  get.invoke = After(history);
  get.complete = get.invoke + 1;
  get.record = record;
  return get;
}

TEST(EventualChecker, NamesAReplicaThatLacksAKey) {
  ExpectCaught(Rule::kDivergence, [](EventualHistory* history, Rng* rng) {
    auto& rows = history->replicas[rng->Below(history->replicas.size())].rows;
    return std::erase_if(rows, [](const auto& row) { return !row.second.deleted; }) > 0;
  });
}

TEST(EventualChecker, NamesAReplicaWithAnotherValue) {
  ExpectCaught(Rule::kDivergence, [](EventualHistory* history, Rng*) {
    auto& rows = history->replicas.back().rows;
    for (auto& [key, record] : rows) {
      for (const EventualOp& op : history->ops) {
        if (op.key != key || op.kind != Kind::kPut || !op.record || *op.record == record) continue;
        record = *op.record;
        return true;
      }
    }
    return false;
  });
}

TEST(EventualChecker, NamesAnAcknowledgedPutThatIsGone) {
  ExpectCaught(Rule::kLostWrite, [](EventualHistory* history, Rng*) {
    // Nothing may explain the loss: a deletion of unknown outcome would.
    for (const auto& [key, record] : history->replicas[0].rows) {
      const EventualOp* put = Find(history, [&, row = record](const EventualOp& op) {
        return op.kind == Kind::kPut && op.record == row;
      });
      if (put == nullptr) continue;
      const EventualOp* explains = Find(history, [&, k = key](const EventualOp& op) {
        return op.key == k && op.kind == Kind::kDelete && !op.record;
      });
      if (explains != nullptr) continue;
      const std::string lost = key;
      for (EventualReplica& replica : history->replicas) replica.rows.erase(lost);
      return true;
    }
    return false;
  });
}

TEST(EventualChecker, NamesAnOlderWriteThatWon) {
  ExpectCaught(Rule::kLostWrite, [](EventualHistory* history, Rng*) {
    for (const auto& [key, record] : history->replicas[0].rows) {
      for (const EventualOp& op : history->ops) {
        const bool collected =
            std::any_of(history->collected.begin(), history->collected.end(),
                        [&, k = key](const TombstoneCollected& each) { return each.key == k; });
        if (collected || op.key != key || op.kind == Kind::kGet || !op.record) continue;
        const EventualOp* larger = Find(history, [&](const EventualOp& other) {
          return other.key == op.key && other.kind != Kind::kGet && other.record > op.record;
        });
        if (larger == nullptr) continue;
        const std::string lost = key;
        const LwwRecord winner = *op.record;
        for (EventualReplica& replica : history->replicas) replica.rows[lost] = winner;
        return true;
      }
    }
    return false;
  });
}

TEST(EventualChecker, NamesAValueThatNobodyWrote) {
  ExpectCaught(Rule::kNotWritten, [](EventualHistory* history, Rng*) {
    EventualOp* get = Find(history, [](const EventualOp& op) {
      return op.kind == Kind::kGet && op.record.has_value();
    });
    if (get == nullptr) return false;
    get->record->value += 1000000;
    return true;
  });
}

TEST(EventualChecker, NamesAValueFoundAtAnotherTime) {
  ExpectCaught(Rule::kNotWritten, [](EventualHistory* history, Rng*) {
    const EventualOp* put = Find(history, [](const EventualOp& op) {
      return op.kind == Kind::kPut && op.record.has_value();
    });
    if (put == nullptr) return false;
    LwwRecord other = *put->record;
    other.wall += 1000;
    history->ops.push_back(Get(*history, put->store, put->key, other));
    return true;
  });
}

TEST(EventualChecker, NamesAValueFoundBeforeItWasWritten) {
  ExpectCaught(Rule::kNotWritten, [](EventualHistory* history, Rng*) {
    const EventualOp* put = Find(history, [](const EventualOp& op) {
      return op.kind == Kind::kPut && op.record.has_value();
    });
    EventualOp* get = Find(history, [&](const EventualOp& op) {
      return put != nullptr && op.kind == Kind::kGet && op.key == put->key &&
             op.complete < put->invoke;
    });
    if (get == nullptr) return false;
    get->record = put->record;
    return true;
  });
}

TEST(EventualChecker, NamesADeletionThatNobodyMade) {
  ExpectCaught(Rule::kNotWritten, [](EventualHistory* history, Rng*) {
    const EventualOp* put = Find(history, [](const EventualOp& op) {
      return op.kind == Kind::kPut && op.record.has_value();
    });
    if (put == nullptr) return false;
    const EventualOp* unknown = Find(history, [&](const EventualOp& op) {
      return op.kind == Kind::kDelete && !op.record && op.key == put->key;
    });
    if (unknown != nullptr) return false;
    for (EventualReplica& replica : history->replicas) {
      replica.rows[put->key] = {1000000, 0, true, 0, 0};
    }
    return true;
  });
}

TEST(EventualChecker, NamesAnOldValueAfterItsDeletionWasCollected) {
  ExpectCaught(Rule::kResurrection, [](EventualHistory* history, Rng* rng) {
    for (const TombstoneCollected& each : history->collected) {
      const EventualOp* put = Find(history, [&](const EventualOp& op) {
        return op.kind == Kind::kPut && op.key == each.key && op.record &&
               *op.record < each.tombstone;
      });
      if (put == nullptr) continue;
      if (rng->Chance(500000)) {
        history->ops.push_back(Get(*history, each.store, each.key, put->record));
      } else {
        for (EventualReplica& replica : history->replicas) replica.rows[each.key] = *put->record;
      }
      return true;
    }
    return false;
  });
}

// The newest acknowledged put at some store, if the store never showed more, and the put before it.
bool FindTwoPuts(EventualHistory* history, const EventualOp** older, const EventualOp** newer) {
  for (const EventualOp& op : history->ops) {
    if (op.kind != Kind::kPut || !op.record) continue;
    *newer = &op;
    *older = Find(history, [&](const EventualOp& other) {
      return other.kind == Kind::kPut && other.key == op.key && other.record &&
             *other.record < *op.record;
    });
    const EventualOp* more = Find(history, [&](const EventualOp& other) {
      return &other != &op && other.store == op.store && other.key == op.key &&
             (other.kind == Kind::kGet || !other.record || *other.record > *op.record);
    });
    const bool collected =
        std::any_of(history->collected.begin(), history->collected.end(),
                    [&](const TombstoneCollected& each) { return each.key == op.key; });
    if (*older != nullptr && more == nullptr && !collected) return true;
  }
  return false;
}

TEST(EventualChecker, NamesAGetThatMissesAWriteOfItsStore) {
  ExpectCaught(Rule::kReadYourWrites, [](EventualHistory* history, Rng*) {
    const EventualOp* older = nullptr;
    const EventualOp* newer = nullptr;
    if (!FindTwoPuts(history, &older, &newer)) return false;
    history->ops.push_back(Get(*history, newer->store, newer->key, older->record));
    return true;
  });
}

TEST(EventualChecker, NamesAGetThatFindsNothingThoughNobodyDeleted) {
  ExpectCaught(Rule::kReadYourWrites, [](EventualHistory* history, Rng*) {
    const EventualOp* older = nullptr;
    const EventualOp* newer = nullptr;
    if (!FindTwoPuts(history, &older, &newer)) return false;
    const EventualOp* deletion = Find(history, [&](const EventualOp& op) {
      return op.kind == Kind::kDelete && op.key == newer->key &&
             (!op.record || *op.record > *newer->record);
    });
    if (deletion != nullptr) return false;
    history->ops.push_back(Get(*history, newer->store, newer->key, std::nullopt));
    return true;
  });
}

TEST(EventualChecker, NamesAGetThatGoesBack) {
  ExpectCaught(Rule::kMonotonicReads, [](EventualHistory* history, Rng*) {
    const EventualOp* older = nullptr;
    const EventualOp* newer = nullptr;
    if (!FindTwoPuts(history, &older, &newer)) return false;
    // At a store without a write of its own to the key, which showed nothing larger so far.
    for (const EventualReplica& replica : history->replicas) {
      const EventualOp* own = Find(history, [&](const EventualOp& op) {
        return op.store == replica.store && op.key == newer->key;
      });
      if (own != nullptr) continue;
      const LwwRecord first = *newer->record;
      const LwwRecord second = *older->record;
      const std::string key = newer->key;
      history->ops.push_back(Get(*history, replica.store, key, first));
      history->ops.push_back(Get(*history, replica.store, key, second));
      return true;
    }
    return false;
  });
}

TEST(EventualChecker, NamesAStoreWhoseClockWentBack) {
  ExpectCaught(Rule::kStamps, [](EventualHistory* history, Rng*) {
    for (EventualOp& first : history->ops) {
      if (first.kind == Kind::kGet || !first.record) continue;
      EventualOp* second = Find(history, [&](const EventualOp& op) {
        return op.kind != Kind::kGet && op.record && op.store == first.store &&
               op.invoke > first.complete;
      });
      if (second == nullptr) continue;
      std::swap(first.record->wall, second->record->wall);
      std::swap(first.record->logical, second->record->logical);
      return true;
    }
    return false;
  });
}

TEST(EventualChecker, NamesTwoWritesWithOneTime) {
  ExpectCaught(Rule::kStamps, [](EventualHistory* history, Rng*) {
    EventualOp* first = Find(history, [](const EventualOp& op) {
      return op.kind != Kind::kGet && op.record.has_value();
    });
    if (first == nullptr) return false;
    EventualOp* second = Find(history, [&](const EventualOp& op) {
      return &op != first && op.kind != Kind::kGet && op.record && op.store == first->store;
    });
    if (second == nullptr) return false;
    second->record->wall = first->record->wall;
    second->record->logical = first->record->logical;
    return true;
  });
}

}  // namespace
}  // namespace flaredb::sim
