// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/history/random_history.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace flaredb::sim {
namespace {

// A correct key.
struct Key {
  uint64_t version = 0;
  bool live = false;
  ValueId value = 0;

  uint64_t live_version() const { return live ? version : 0; }

  // Performs `op` and fills its answer in.
  void Perform(VersionedOp* op) {
    op->outcome = Outcome::kOk;
    if (op->kind == OpKind::kGet) {
      op->version = live_version();
      op->value = live ? value : 0;
    } else if (op->expected != live_version()) {
      op->outcome = Outcome::kMismatch;
      op->version = live_version();
    } else if (op->kind == OpKind::kCasDelete && !live) {
      op->outcome = Outcome::kNotApplied;  // Nothing to delete can't be asked for.
    } else {
      ++version;
      live = op->kind == OpKind::kCas;
      value = live ? op->value : 0;
      op->version = live ? version : 0;
    }
  }
};

class Generator {
 public:
  Generator(Rng* rng, size_t operations) : rng_(*rng), operations_(operations) {
    clients_.resize(rng_.Between(1, 5));
    unknown_ppm_ = 100000 * rng_.Below(9);
    get_ppm_ = 100000 * rng_.Between(1, 6);
    guess_ppm_ = 100000 * rng_.Below(5);
    delete_ppm_ = 100000 * rng_.Between(1, 5);
    if (rng_.Chance(400000)) {
      // Many unknown writes, seen by answers without values: what was written has to be guessed.
      unknown_ppm_ = 800000;
      get_ppm_ = 100000;
      probe_ppm_ = 250000;
    }
  }

  std::vector<VersionedOp> Generate() {
    while (ops_.size() < operations_ || Busy()) {
      Client& client = clients_[rng_.Below(clients_.size())];
      if (client.op < 0) {
        if (ops_.size() < operations_) Invoke(&client);
      } else if (!client.performed) {
        Perform(&client);
      } else {
        Complete(&client);
      }
      // Operations whose client has gone may take effect late.
      if (!lost_.empty() && rng_.Chance(150000)) PerformLost();
    }
    return std::move(ops_);
  }

 private:
  static constexpr uint64_t kNoVersion = 99;  // Expected by a write that asks for the version.

  struct Client {
    int op = -1;
    bool performed = false;
  };

  bool Busy() const {
    return std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.op >= 0; });
  }

  void Invoke(Client* client) {
    VersionedOp op;
    op.client = static_cast<uint32_t>(client - clients_.data());
    op.invoke = ++event_;
    if (rng_.Chance(probe_ppm_)) {
      op.kind = OpKind::kCas;
      op.expected = kNoVersion;
      op.value = ops_.size() + 1;
    } else if (!rng_.Chance(get_ppm_)) {
      op.kind = rng_.Chance(delete_ppm_) ? OpKind::kCasDelete : OpKind::kCas;
      op.expected = rng_.Chance(guess_ppm_) ? rng_.Below(5) : key_.live_version();
      if (op.kind == OpKind::kCasDelete && op.expected == 0) op.kind = OpKind::kCas;
      if (op.kind == OpKind::kCas) op.value = ops_.size() + 1;
    }
    client->op = static_cast<int>(ops_.size());
    client->performed = false;
    ops_.push_back(op);
  }

  void Perform(Client* client) {
    VersionedOp* op = &ops_[static_cast<size_t>(client->op)];
    client->performed = true;
    const bool probe = op->kind == OpKind::kGet || op->expected == kNoVersion;
    if ((probe_ppm_ != 0 && probe) || !rng_.Chance(unknown_ppm_)) {
      key_.Perform(op);
      return;
    }
    lost_.push_back(client->op);
    client->op = -1;
    if (rng_.Chance(600000)) PerformLost();
  }

  void PerformLost() {
    const size_t i = rng_.Below(lost_.size());
    VersionedOp ignored_answer = ops_[static_cast<size_t>(lost_[i])];
    key_.Perform(&ignored_answer);
    lost_.erase(lost_.begin() + static_cast<ptrdiff_t>(i));
  }

  void Complete(Client* client) {
    ops_[static_cast<size_t>(client->op)].complete = ++event_;
    client->op = -1;
  }

  Rng& rng_;
  size_t operations_;
  uint64_t unknown_ppm_, get_ppm_, guess_ppm_, delete_ppm_;
  uint64_t probe_ppm_ = 0;
  Key key_;
  EventNumber event_ = 0;
  std::vector<VersionedOp> ops_;
  std::vector<Client> clients_;
  std::vector<int> lost_;
};

// Exchanges two event numbers somewhere in the history, if every interval stays one.
void SwapEvents(Rng* rng, std::vector<VersionedOp>* ops) {
  std::vector<VersionedOp> changed = *ops;
  const auto pick = [&]() -> EventNumber& {
    VersionedOp& op = changed[rng->Below(changed.size())];
    return op.complete == kNever || rng->Chance(500000) ? op.invoke : op.complete;
  };
  std::swap(pick(), pick());
  if (std::all_of(changed.begin(), changed.end(),
                  [](const VersionedOp& op) { return op.invoke < op.complete; })) {
    *ops = std::move(changed);
  }
}

void Damage(Rng* rng, std::vector<VersionedOp>* ops) {
  VersionedOp& op = (*ops)[rng->Below(ops->size())];
  const bool answered = op.outcome == Outcome::kOk || op.outcome == Outcome::kMismatch;
  switch (rng->Below(8)) {
    case 0:
      if (answered) op.version = rng->Below(5);
      break;
    case 1:
      if (op.kind == OpKind::kGet && answered) op.value = rng->Between(1, ops->size());
      break;
    case 2:
      if (op.kind != OpKind::kGet) op.expected = rng->Below(4);
      break;
    case 3:
      if (answered) {
        op.outcome = op.outcome == Outcome::kOk && op.kind != OpKind::kGet ? Outcome::kMismatch
                                                                           : Outcome::kNotApplied;
      }
      break;
    default:
      SwapEvents(rng, ops);
  }
}

// The next operation to try in an order; see LinearizableByDefinition.
bool Extend(const std::vector<VersionedOp>& ops, std::vector<bool>* placed, Key key) {
  EventNumber first_completion = kNever;
  for (size_t i = 0; i < ops.size(); ++i) {
    if (!(*placed)[i]) first_completion = std::min(first_completion, ops[i].complete);
  }
  if (first_completion == kNever) return true;
  for (size_t i = 0; i < ops.size(); ++i) {
    const VersionedOp& op = ops[i];
    if ((*placed)[i] || op.invoke > first_completion) continue;
    Key after = key;
    VersionedOp answer = op;
    after.Perform(&answer);
    const bool agrees = op.outcome == Outcome::kUnknown ||
                        (answer.outcome == op.outcome &&
                         (op.kind == OpKind::kCasDelete && op.outcome == Outcome::kOk
                              ? true
                              : answer.version == op.version) &&
                         (op.kind != OpKind::kGet || op.version == 0 || answer.value == op.value));
    if (!agrees) continue;
    (*placed)[i] = true;
    const bool found = Extend(ops, placed, after);
    (*placed)[i] = false;
    if (found) return true;
  }
  return false;
}

}  // namespace

std::vector<VersionedOp> RandomHistory(Rng* rng, size_t operations_max) {
  std::vector<VersionedOp> ops = Generator(rng, rng->Between(3, operations_max)).Generate();
  if (rng->Chance(900000)) {
    for (uint64_t n = rng->Between(1, 8); n > 0; --n) Damage(rng, &ops);
  }
  return ops;
}

bool LinearizableByDefinition(const std::vector<VersionedOp>& ops) {
  std::vector<VersionedOp> effective;
  std::copy_if(ops.begin(), ops.end(), std::back_inserter(effective),
               [](const VersionedOp& op) { return op.outcome != Outcome::kNotApplied; });
  std::vector<bool> placed(effective.size(), false);
  return Extend(effective, &placed, Key{});
}

}  // namespace flaredb::sim
