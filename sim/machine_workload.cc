// SPDX-License-Identifier: Apache-2.0
#include "sim/machine_workload.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "sim/history/wgl.h"

namespace flaredb::sim {
namespace {

// One operation on one object, as checker C takes it.
struct ObjectStep {
  std::string bytes;
  std::string answer;
  bool query = false;
  bool answered = false;

  friend bool operator==(const ObjectStep&, const ObjectStep&) = default;
};

// Satisfies SequentialModel.
class ObjectChecker {
 public:
  using Op = ObjectStep;
  using State = ObjectModel;

  explicit ObjectChecker(ObjectModel initial) : initial_(std::move(initial)) {}

  State Initial() const { return initial_; }
  bool Step(const Op& op, State* state) const {
    const std::string answer = op.query ? state->Query(op.bytes) : state->Execute(op.bytes);
    return !op.answered || answer == op.answer;
  }
  bool ReadOnly(const Op& op) const { return op.query; }
  uint64_t Hash(const State& state) const { return Hasher().Add(state.State()).value(); }

 private:
  ObjectModel initial_;
};

// Leaves room between two events for what is known to have happened there.
EventNumber At(EventNumber event) { return event << 32; }

std::string NameOf(const MachineOp& op) {
  return std::string(op.query ? "the query " : "the command ") + Quoted(op.bytes) + " for " +
         Quoted(op.object);
}

}  // namespace

store::Operation MachineWorkload::OperationOf(MachineOp op) {
  if (op.query) return store::QueryRequest{std::move(op.object), std::move(op.bytes)};
  return store::ExecuteRequest{std::move(op.object), std::move(op.bytes)};
}

void MachineWorkload::StartOperation(Client* client) {
  ClientChoices choices(client->number, operations(), &world_->choices, client->slot);
  MachineOp op = spec_->NextOperation(&choices);
  if (!Makes()) return Think(client);
  if (std::find(objects_.begin(), objects_.end(), op.object) == objects_.end()) {
    objects_.push_back(op.object);
  }
  client->op = {};
  client->op.operation = OperationOf(std::move(op));
  Begin(client);
}

void MachineWorkload::StartAudit(Client* client) {
  if (client->audited == objects_.size()) return Finish(client);
  client->op = {};
  client->op.operation = OperationOf({objects_[client->audited], spec_->LastQuery(), true});
  Begin(client);
}

void MachineWorkload::OnAsked(const Client& client, AttemptId id) {
  INVARIANT(id == attempts_.size() + 1);
  Attempt& attempt = attempts_.emplace_back();
  if (const auto* query = std::get_if<store::QueryRequest>(&client.op.operation)) {
    attempt.op = {query->object, query->query, true};
  } else {
    const auto& execute = std::get<store::ExecuteRequest>(client.op.operation);
    attempt.op = {execute.object, execute.command, false};
  }
  attempt.client = client.number;
  attempt.committed = commits_->last();
  attempt.invoke = NextEvent();
}

EventNumber MachineWorkload::NextEvent() {
  committed_.push_back(commits_->last());
  return committed_.size();
}

void MachineWorkload::OnRefused(const Client&, AttemptId id, const store::Error& error, Index) {
  if (error.outcome == store::Outcome::kNotApplied) attempts_[id - 1].fate = Fate::kNotApplied;
}

void MachineWorkload::OnResult(Client* client, AttemptId id, const store::Result& result, Index) {
  Attempt& attempt = attempts_[id - 1];
  const auto& reply = std::get<MachineReply>(result);
  attempt.fate = Fate::kAnswered;
  attempt.complete = NextEvent();
  attempt.answer = reply.bytes;
  if (const std::string wrong = WrongAnswer(attempt, reply); !wrong.empty()) {
    Fail("ANSWER", "client " + std::to_string(attempt.client) + " sent " + NameOf(attempt.op) +
                       " and was answered " + Quoted(reply.bytes) + " at index " +
                       std::to_string(reply.index.value()) + ", but " + wrong + ".");
    return;
  }
  client->store = client->target;
  if (client->auditor) {
    NoteProgress();
    ++client->audited;
    return StartAudit(client);
  }
  spec_->OnAnswer(client->number, attempt.op, reply.bytes);
  Think(client);
}

std::string MachineWorkload::WrongAnswer(const Attempt& attempt, const MachineReply& reply) {
  const MachineHistory& log = commits_->machine();
  std::ostringstream out;
  if (reply.index > commits_->last()) {
    out << "the log is committed only up to index " << commits_->last();
  } else if (attempt.op.query) {
    const std::string expected = log.Query(attempt.op.object, attempt.op.bytes, reply.index);
    if (reply.index < attempt.committed) {
      out << "index " << attempt.committed << " was committed before it asked";
    } else if (expected != reply.bytes) {
      out << "the model answers " << Quoted(expected) << " there";
    }
  } else {
    const Executed* executed = log.At(reply.index);
    if (executed == nullptr || executed->object != attempt.op.object ||
        executed->command != attempt.op.bytes) {
      out << "another entry is committed there";
    } else if (reply.index <= attempt.committed) {
      out << "that index was committed before it asked";
    } else if (!answered_.insert(reply.index).second) {
      out << "another attempt was answered with the same entry";
    } else if (executed->answer != reply.bytes) {
      out << "the machine answers " << Quoted(executed->answer)
          << " when the same log is carried out elsewhere";
    }
  }
  return out.str();
}

void MachineWorkload::JudgeHistory(bool double_check) {
  CheckApplications();
  if (double_check) CheckOrder();
}

void MachineWorkload::CheckApplications() {
  std::map<MachineOp, uint64_t> possible;
  for (const Attempt& attempt : attempts_) {
    if (attempt.fate != Fate::kNotApplied) ++possible[attempt.op];
  }
  for (const Executed& executed : commits_->machine().executed()) {
    const MachineOp op{executed.object, executed.command, false};
    if (possible[op]-- != 0) continue;
    std::ostringstream out;
    out << NameOf(op) << " was carried out at index " << executed.index
        << ", once more than attempts to send it may have succeeded.";
    return Fail("APPLY", out.str());
  }
}

void MachineWorkload::CheckOrder() {
  std::map<std::string, std::vector<TimedOp<ObjectStep>>> by_object;
  for (const Attempt& attempt : attempts_) {
    if (attempt.fate != Fate::kAnswered) continue;
    by_object[attempt.op.object].push_back(
        {{attempt.op.bytes, attempt.answer, attempt.op.query, /*answered=*/true},
         At(attempt.invoke),
         At(attempt.complete)});
  }
  // What is in the log although nobody was answered with it took effect when it was committed: in
  // the order of the log, before the first event that saw it there.
  for (const Executed& executed : commits_->machine().executed()) {
    const auto seen = std::lower_bound(committed_.begin(), committed_.end(), executed.index);
    if (answered_.contains(executed.index) || seen == committed_.end()) continue;
    const EventNumber at =
        At(static_cast<EventNumber>(seen - committed_.begin())) + 2 * executed.index.value();
    by_object[executed.object].push_back(
        {{executed.command, "", /*query=*/false, /*answered=*/false}, at, at + 1});
  }
  std::vector<std::string> names;
  std::vector<std::vector<TimedOp<ObjectStep>>> parts;
  for (auto& [object, ops] : by_object) {
    names.push_back(object);
    parts.push_back(std::move(ops));
  }
  ObjectChecker checker(spec_->NewModel());
  const WglResult verdict = CheckWgl(&checker, parts);
  if (verdict.linearizable) return;
  const ObjectStep& step = parts[verdict.part][verdict.blocked].op;
  Fail("LIN", "no order of the operations explains what clients were told of the object " +
                  Quoted(names[verdict.part]) + "; the furthest attempt to find one ends at " +
                  NameOf(MachineOp{names[verdict.part], step.bytes, step.query}) + ", answered " +
                  Quoted(step.answer) + ".");
}

}  // namespace flaredb::sim
