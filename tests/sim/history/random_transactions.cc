// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/history/random_transactions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>

namespace flaredb::sim {
namespace {

constexpr uint32_t kKeysMax = 3;

struct Key {
  uint64_t version = 0;
  bool live = false;
  ValueId value = 0;

  uint64_t live_version() const { return live ? version : 0; }
};
using State = std::array<Key, kKeysMax>;

// A correct service.
void Perform(Transaction* transaction, State* state) {
  bool mismatch = false;
  for (Transaction::Part& part : transaction->parts) {
    const Key& key = (*state)[part.key];
    if (part.op.kind == OpKind::kGet) {
      part.op.outcome = Outcome::kOk;
      part.op.version = key.live_version();
      part.op.value = key.live ? key.value : 0;
    } else if (part.op.expected != key.live_version()) {
      mismatch = true;
    }
  }
  for (Transaction::Part& part : transaction->parts) {
    if (part.op.kind == OpKind::kGet) continue;
    Key& key = (*state)[part.key];
    if (mismatch) {
      const bool here = part.op.expected != key.live_version();
      part.op.outcome = here ? Outcome::kMismatch : Outcome::kNotApplied;
      part.op.version = here ? key.live_version() : 0;
      continue;
    }
    const bool put = part.op.kind == OpKind::kCas;
    key = {key.version + 1, put, put ? part.op.value : 0};
    part.op.outcome = Outcome::kOk;
    part.op.version = put ? key.version : 0;
  }
}

class Generator {
 public:
  Generator(Rng* rng, size_t operations) : rng_(*rng), operations_(operations) {
    clients_.resize(rng_.Between(2, 4));
    keys_ = static_cast<uint32_t>(rng_.Between(2, kKeysMax));
    unknown_ppm_ = 100000 * rng_.Below(6);
    read_ppm_ = 100000 * rng_.Between(2, 7);
    several_ppm_ = 100000 * rng_.Between(2, 9);
    guess_ppm_ = 100000 * rng_.Below(4);
    delete_ppm_ = 100000 * rng_.Between(1, 6);
    torn_ = rng_.Chance(500000);
    if (rng_.Chance(250000)) {
      // Many unknown writes, seen by answers without values: what was written has to be guessed.
      unknown_ppm_ = 600000;
      read_ppm_ = 150000;
      several_ppm_ = 150000;
      guess_ppm_ = 250000;
      delete_ppm_ = 500000;
      probe_ppm_ = 400000;
    }
  }

  std::vector<Transaction> Generate() {
    const auto busy = [](const Client& client) { return client.transaction >= 0; };
    while (all_.size() < operations_ || std::any_of(clients_.begin(), clients_.end(), busy)) {
      Client& client = clients_[rng_.Below(clients_.size())];
      if (client.transaction < 0) {
        if (all_.size() < operations_) Invoke(&client);
      } else if (client.performed < client.answer.parts.size()) {
        Go(&client);
      } else {
        Complete(&client);
      }
      if (!late_.empty() && rng_.Chance(200000)) {
        // What nobody waits for any more takes effect all the same.
        Perform(&late_.back(), &state_);
        late_.pop_back();
      }
    }
    return std::move(all_);
  }

 private:
  struct Client {
    int transaction = -1;
    size_t performed = 0;  // Parts.
    Transaction answer;
  };

  // Performs the operation, or only its next part if it is torn.
  void Go(Client* client) {
    std::vector<Transaction::Part>& parts = client->answer.parts;
    if (parts[0].op.kind != OpKind::kGet || !torn_) {
      Perform(&client->answer, &state_);
      client->performed = parts.size();
      return;
    }
    Transaction part;
    part.parts = {parts[client->performed]};
    Perform(&part, &state_);
    parts[client->performed++] = part.parts[0];
  }

  void Invoke(Client* client) {
    Transaction transaction;
    transaction.invoke = ++event_;
    const bool read = rng_.Chance(read_ppm_);
    const bool several = rng_.Chance(several_ppm_);
    const bool probe = rng_.Chance(probe_ppm_);  // Expects what can't be, to learn the version.
    const auto first = static_cast<uint32_t>(rng_.Below(keys_));
    for (uint32_t i = 0; i < (several ? keys_ : 1); ++i) {
      if (i >= 2 && rng_.Chance(500000)) break;
      Transaction::Part part;
      part.key = (first + i) % keys_;
      part.op.client = static_cast<uint32_t>(client - clients_.data());
      if (!read) MakeWrite(&part);
      if (!read && probe) part.op.expected = 1000;
      transaction.parts.push_back(part);
    }
    client->transaction = static_cast<int>(all_.size());
    client->performed = 0;
    client->answer = transaction;
    all_.push_back(std::move(transaction));
    if (!read && !probe && rng_.Chance(unknown_ppm_)) {
      if (rng_.Chance(700000)) late_.push_back(client->answer);
      client->transaction = -1;
    }
  }

  void MakeWrite(Transaction::Part* part) {
    part->op.expected = state_[part->key].live_version();
    if (rng_.Chance(guess_ppm_)) part->op.expected = rng_.Below(part->op.expected + 2);
    const bool deletes = part->op.expected != 0 && rng_.Chance(delete_ppm_);
    part->op.kind = deletes ? OpKind::kCasDelete : OpKind::kCas;
    if (!deletes) part->op.value = ++last_value_;
  }

  void Complete(Client* client) {
    client->answer.complete = ++event_;
    all_[static_cast<size_t>(client->transaction)] = client->answer;
    client->transaction = -1;
  }

  Rng& rng_;
  size_t operations_;
  uint32_t keys_ = 0;
  uint64_t unknown_ppm_ = 0;
  uint64_t read_ppm_ = 0;
  uint64_t several_ppm_ = 0;
  uint64_t guess_ppm_ = 0;
  uint64_t delete_ppm_ = 0;
  uint64_t probe_ppm_ = 0;
  bool torn_ = false;  // Reads of several keys read one after another.
  std::vector<Client> clients_;
  State state_ = {};
  std::vector<Transaction> late_;
  std::vector<Transaction> all_;
  EventNumber event_ = 0;
  ValueId last_value_ = 0;
};

// Makes one thing wrong, or at least different.
void Damage(Rng* rng, std::vector<Transaction>* all) {
  Transaction& victim = (*all)[rng->Below(all->size())];
  Transaction::Part& part = victim.parts[rng->Below(victim.parts.size())];
  const Transaction& other = (*all)[rng->Below(all->size())];
  switch (rng->Below(5)) {
    case 0: {  // Another answer to a read of the same key.
      for (const Transaction::Part& theirs : other.parts) {
        if (theirs.key != part.key || part.op.kind != OpKind::kGet) continue;
        if (theirs.op.outcome != Outcome::kOk) continue;
        if (theirs.op.kind == OpKind::kCasDelete) continue;
        part.op.version = theirs.op.version;
        part.op.value = theirs.op.version == 0 ? 0 : theirs.op.value;
      }
      break;
    }
    case 1:  // A write whose effect may have been seen is said to have had none.
      if (part.op.kind == OpKind::kGet || victim.unknown() || !rng->Chance(500000)) break;
      for (Transaction::Part& each : victim.parts) each.op.outcome = Outcome::kNotApplied;
      break;
    case 2:  // The client does not learn the outcome.
      if (part.op.kind == OpKind::kGet) break;
      victim.complete = kNever;
      for (Transaction::Part& each : victim.parts) each.op.outcome = Outcome::kUnknown;
      break;
    case 3:  // An answer arrives sooner.
      if (!victim.unknown()) victim.complete = victim.invoke;
      break;
    case 4:  // A key is found absent.
      if (part.op.kind == OpKind::kGet && part.op.outcome == Outcome::kOk) {
        part.op.version = 0;
        part.op.value = 0;
      }
      break;
  }
  // Times stay unique: completions that were moved come right after their invocations.
  std::vector<std::pair<std::pair<EventNumber, int>, EventNumber*>> times;
  for (Transaction& each : *all) {
    if (!each.unknown()) {
      times.push_back({{each.complete, each.complete == each.invoke ? 1 : 0}, &each.complete});
    }
    times.push_back({{each.invoke, 0}, &each.invoke});
  }
  std::sort(times.begin(), times.end());
  EventNumber event = 0;
  for (auto& [at, time] : times) *time = ++event;
}

class Search {
 public:
  explicit Search(const std::vector<Transaction>& all) : all_(all), done_(all.size()) {}

  bool Run(const State& state) {
    EventNumber wall = kNever;
    for (size_t i = 0; i < all_.size(); ++i) {
      if (!done_[i]) wall = std::min(wall, all_[i].complete);
    }
    if (wall == kNever) return true;
    for (size_t i = 0; i < all_.size(); ++i) {
      if (done_[i] || all_[i].invoke > wall) continue;
      State next = state;
      if (!Apply(all_[i], &next)) continue;
      done_[i] = true;
      if (Run(next)) return true;
      done_[i] = false;
    }
    return false;
  }

 private:
  static bool Apply(const Transaction& transaction, State* state) {
    const State before = *state;
    for (const auto& [number, op] : transaction.parts) {
      const Key& key = before[number];
      if (op.outcome == Outcome::kNotApplied) continue;
      if (op.outcome == Outcome::kMismatch) {
        if (op.version != key.live_version() || op.version == op.expected) return false;
        continue;
      }
      if (op.kind == OpKind::kGet) {
        if (op.outcome == Outcome::kUnknown) continue;
        if (op.version != key.live_version() || (key.live && op.value != key.value)) return false;
        continue;
      }
      const bool put = op.kind == OpKind::kCas;
      if (op.expected != key.live_version() || (!put && op.expected == 0)) return false;
      (*state)[number] = {key.version + 1, put, put ? op.value : 0};
      if (put && op.outcome == Outcome::kOk && op.version != key.version + 1) return false;
    }
    return true;
  }

  const std::vector<Transaction>& all_;
  std::vector<bool> done_;
};

}  // namespace

std::vector<Transaction> RandomTransactions(Rng* rng, size_t operations_max) {
  std::vector<Transaction> all = Generator(rng, rng->Between(3, operations_max)).Generate();
  const uint64_t damages = rng->Chance(350000) ? 0 : rng->Between(4, 14);
  for (uint64_t i = 0; i < damages; ++i) Damage(rng, &all);
  return all;
}

VersionedHistory Record(const std::vector<Transaction>& transactions) {
  struct Event {
    EventNumber at;
    size_t transaction;
    bool invocation;
  };
  std::vector<Event> events;
  for (size_t i = 0; i < transactions.size(); ++i) {
    events.push_back({transactions[i].invoke, i, true});
    if (!transactions[i].unknown()) events.push_back({transactions[i].complete, i, false});
  }
  std::sort(events.begin(), events.end(),
            [](const Event& x, const Event& y) { return x.at < y.at; });
  VersionedHistory history;
  std::vector<std::vector<VersionedHistory::OpRef>> refs(transactions.size());
  for (const Event& event : events) {
    const std::vector<Transaction::Part>& parts = transactions[event.transaction].parts;
    std::vector<VersionedHistory::OpRef>& mine = refs[event.transaction];
    if (event.invocation) {
      const bool read = parts[0].op.kind == OpKind::kGet;
      const uint32_t group = parts.size() == 1 ? 0 : history.StartGroup(read ? "Scan" : "Batch");
      for (const auto& [number, op] : parts) {
        const std::string key(1, static_cast<char>('a' + number));
        if (op.kind == OpKind::kGet) {
          mine.push_back(history.InvokeGet(op.client, key, group));
        } else if (op.kind == OpKind::kCas) {
          mine.push_back(history.InvokeCas(op.client, key, op.expected, op.value, group));
        } else {
          mine.push_back(history.InvokeCasDelete(op.client, key, op.expected, group));
        }
      }
      continue;
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      const VersionedOp& op = parts[i].op;
      if (op.outcome == Outcome::kNotApplied) {
        history.Fail(mine[i]);
      } else if (op.outcome == Outcome::kMismatch) {
        history.Mismatch(mine[i], op.version);
      } else if (op.kind == OpKind::kCasDelete) {
        history.OkCasDelete(mine[i]);
      } else if (op.kind == OpKind::kCas) {
        history.OkCas(mine[i], op.version);
      } else if (op.version == 0) {
        history.OkNotFound(mine[i]);
      } else {
        history.OkFound(mine[i], op.version, op.value);
      }
    }
  }
  return history;
}

bool SerializableByDefinition(const std::vector<Transaction>& transactions) {
  return Search(transactions).Run(State{});
}

std::string Print(const std::vector<Transaction>& transactions) {
  std::ostringstream out;
  for (const Transaction& transaction : transactions) {
    out << "  [" << transaction.invoke << "..";
    if (!transaction.unknown()) out << transaction.complete;
    out << "]";
    for (const auto& [key, op] : transaction.parts) {
      out << "  " << static_cast<char>('a' + key) << ": " << Describe(op);
    }
    out << "\n";
  }
  return out.str();
}

}  // namespace flaredb::sim
