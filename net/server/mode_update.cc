// SPDX-License-Identifier: Apache-2.0
#include "net/server/mode_update.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "core/base/time.h"
#include "net/server/mode_dry_run.h"
#include "net/server/mode_wish.h"
#include "net/server/unary.h"
#include "net/wire/pd_codec.h"
#include "proto/modes.pb.h"

namespace flaredb::net {
namespace {

// Kept alive by the functions that it waits for.
class ModeUpdate : public std::enable_shared_from_this<ModeUpdate> {
 public:
  ModeUpdate(EventLoop* loop, PdCaller* pd, Waiting waiting, ModeWish wish, Instant until,
             UnaryCall call)
      : loop_(loop),
        pd_(pd),
        waiting_(std::move(waiting)),
        wish_(std::move(wish)),
        until_(until),
        call_(std::move(call)) {}

  void Run() {
    // A name that nobody has used becomes a namespace of the right mode at once. Not for somebody
    // who says that he has seen it.
    if (wish_.mode && !wish_.seen) {
      pd_->Tell<pd::Namespace>(pd::EnsureNamespace{wish_.name, wish_.mode}, Budget(),
                               Then(&ModeUpdate::Begin));
    } else {
      pd_->Ask<pd::Namespace>(pd::GetNamespace{wish_.name}, Budget(), Then(&ModeUpdate::Begin));
    }
  }

 private:
  PdDone<pd::Namespace> Then(void (ModeUpdate::*next)(const pd::Namespace&)) {
    return [self = shared_from_this(), next](PdResult<pd::Namespace> result) {
      if (const auto* status = std::get_if<GrpcStatus>(&result)) return self->call_.Fail(*status);
      (self.get()->*next)(std::get<pd::Namespace>(result));
    };
  }

  // The command says which epoch was seen in any case, so that a copy of it that arrives late can't
  // undo what was chosen since.
  void Begin(const pd::Namespace& seen) {
    pd_->Tell<pd::Namespace>(CommandOf(wish_, wish_.seen ? wish_.seen : seen.mode_epoch), Budget(),
                             Then(&ModeUpdate::Wait));
  }

  void Wait(const pd::Namespace& ns) {
    last_ = ns;
    if (!call_.open()) return;
    if (pd::IsStable(ns.state) || loop_->now() >= until_) return Answer();
    loop_->StartTimer(std::min(loop_->now() + kSwitchPoll, until_), [self = shared_from_this()] {
      self->pd_->Ask<pd::Namespace>(pd::GetNamespace{self->wish_.name}, self->Budget(),
                                    [self](PdResult<pd::Namespace> result) {
                                      if (const auto* ns = std::get_if<pd::Namespace>(&result)) {
                                        return self->Wait(*ns);
                                      }
                                      self->WaitInTheDark();
                                    });
    });
  }
  // The switch is under way, whether or not one can look at it.
  void WaitInTheDark() {
    if (loop_->now() >= until_) return Answer();
    Wait(pd::Namespace(last_));
  }

  void Answer() {
    raftpb::UpdateNamespaceModeResponse out;
    EncodeNamespace(last_, out.mutable_mode());
    if (!pd::IsStable(last_.state)) AddWaitingFor(&out);
    call_.Reply(out.SerializeAsString());
  }

  // In the words of the placement driver's leader, who knows which stores and regions it is that
  // lag; before it has told them, what the state means.
  void AddWaitingFor(raftpb::UpdateNamespaceModeResponse* out) const {
    const std::string about = "the switch of '" + last_.name + "' ";
    for (std::string& sentence : waiting_()) {
      if (sentence.starts_with(about)) out->add_waiting_for(std::move(sentence));
    }
    if (out->waiting_for_size() > 0) return;
    out->add_waiting_for("namespace \"" + last_.name + "\" waits for " + WaitsFor(last_.state));
  }

  Duration Budget() const { return TimeFor(call_, loop_->now()); }

  EventLoop* const loop_;
  PdCaller* const pd_;
  const Waiting waiting_;
  const ModeWish wish_;
  const Instant until_;  // When to answer at the latest.
  UnaryCall call_;
  pd::Namespace last_;  // As last heard.
};

}  // namespace

void UpdateMode(EventLoop* loop, PdCaller* pd, const Waiting& waiting,
                const raftpb::UpdateNamespaceModeRequest& request, UnaryCall call) {
  ModeWish wish{NamespaceName(request.namespace_()), std::nullopt,
                pd::ModeEpoch(request.expected_mode_epoch())};
  if (request.cancel() && !request.mode().empty()) {
    return call.Fail(InvalidRequest("cancel goes without a mode: it leads back to the other one"));
  }
  if (!request.cancel()) {
    wish.mode = ParseMode(request.mode());
    if (!wish.mode) return call.Fail(NoSuchMode(request.mode()));
  }
  const Duration budget = TimeFor(call, loop->now());
  if (request.dry_run()) return ForeseeUpdate(pd, wish, budget, std::move(call));

  Duration wait = kSwitchWait;
  if (request.wait_ms() != 0) {
    const auto longest = static_cast<uint64_t>(kMaxBudget.milliseconds());
    wait = Duration::Milliseconds(static_cast<int64_t>(std::min(request.wait_ms(), longest)));
  }
  if (call.deadline() != Instant::Max()) wait = std::min(wait, budget);
  std::make_shared<ModeUpdate>(loop, pd, waiting, std::move(wish), loop->now() + wait,
                               std::move(call))
      ->Run();
}

}  // namespace flaredb::net
