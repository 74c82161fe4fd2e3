// SPDX-License-Identifier: Apache-2.0
#include "net/server/mode_dry_run.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/kv/key.h"
#include "core/pd/explain.h"
#include "net/wire/pd_codec.h"
#include "proto/errorpb.pb.h"
#include "proto/modes.pb.h"

namespace flaredb::net {
namespace {

bool IsUnknownNamespace(const GrpcStatus& status) {
  errorpb::Error error;
  return error.ParseFromString(FindDetail(status, "errorpb.Error").value_or("")) &&
         error.has_namespace_not_found();
}

// Kept alive by the functions that it waits for.
class DryRun : public std::enable_shared_from_this<DryRun> {
 public:
  DryRun(PdCaller* pd, ModeWish wish, Duration budget, UnaryCall call)
      : pd_(pd), wish_(std::move(wish)), budget_(budget), call_(std::move(call)) {}

  void Run() {
    const auto self = shared_from_this();
    pd_->Ask<pd::Namespace>(pd::GetNamespace{wish_.name}, budget_,
                            [self](PdResult<pd::Namespace> result) {
                              if (const auto* ns = std::get_if<pd::Namespace>(&result))
                                return self->Judge(*ns);
                              self->JudgeUnknown(std::get<GrpcStatus>(result));
                            });
  }

 private:
  // A namespace that does not exist would be created, and there is nobody to ask.
  void JudgeUnknown(const GrpcStatus& status) {
    if (!IsUnknownNamespace(status) || !wish_.mode || wish_.seen) return call_.Fail(status);
    out_.mutable_mode()->set_namespace_(wish_.name);
    out_.mutable_mode()->set_mode(std::string(NameOf(*wish_.mode)));
    out_.mutable_mode()->set_state(out_.mode().mode());
    Answer();
  }

  void Judge(const pd::Namespace& ns) {
    const auto next = Foresee(wish_, ns);
    if (const auto* refused = std::get_if<pd::Refused>(&next)) {
      return call_.Fail(
          StatusOf(*refused, pd::Explain(CommandOf(wish_, wish_.seen), *refused), wish_.name));
    }
    EncodeNamespace(ns, out_.mutable_mode());
    for (auto state = std::optional(std::get<pd::ModeState>(next)); state && *state != ns.state;
         state = pd::AfterStep(*state)) {
      if (const std::string what = WaitsFor(*state); !what.empty()) {
        out_.add_waiting_for("namespace \"" + ns.name + "\" would wait for " + what);
      }
      of_stores_ = of_stores_ || *state == pd::ModeState::kToStrongDrain;
      of_regions_ = of_regions_ || *state == pd::ModeState::kToEventual ||
                    *state == pd::ModeState::kToStrongFence;
      if (pd::IsStable(*state)) break;
    }
    range_ = kv::EncodeRange(ns.id, "", "");
    ListStores();
  }

  void ListStores() {
    if (!of_stores_) return ListRegions();
    const auto self = shared_from_this();
    pd_->Ask<pd::ClusterView>(pd::GetCluster{}, budget_, [self](PdResult<pd::ClusterView> result) {
      if (const auto* status = std::get_if<GrpcStatus>(&result)) {
        return self->call_.Fail(*status);
      }
      for (const pd::StoreInfo& store : std::get<pd::ClusterView>(result).stores) {
        if (pd::IsMember(store)) self->out_.add_store_ids(store.id.value());
      }
      self->ListRegions();
    });
  }

  void ListRegions() {
    if (!of_regions_) return Answer();
    const auto self = shared_from_this();
    pd_->Ask<pd::RegionPage>(pd::ScanRegions{range_.begin, range_.end}, budget_,
                             [self](PdResult<pd::RegionPage> result) {
                               if (const auto* status = std::get_if<GrpcStatus>(&result)) {
                                 return self->call_.Fail(*status);
                               }
                               const auto& page = std::get<pd::RegionPage>(result);
                               for (const pd::RegionInfo& info : page.regions) {
                                 self->out_.add_region_ids(info.region.id.value());
                               }
                               if (page.next_key.empty()) return self->Answer();
                               self->range_.begin = page.next_key;
                               self->ListRegions();
                             });
  }

  void Answer() { call_.Reply(out_.SerializeAsString()); }

  PdCaller* const pd_;
  const ModeWish wish_;
  const Duration budget_;  // Of each request.
  UnaryCall call_;
  raftpb::UpdateNamespaceModeResponse out_;
  bool of_stores_ = false;
  bool of_regions_ = false;
  kv::KeyRange range_;  // Whose regions are still to be listed.
};

}  // namespace

void ForeseeUpdate(PdCaller* pd, const ModeWish& wish, Duration budget, UnaryCall call) {
  std::make_shared<DryRun>(pd, wish, budget, std::move(call))->Run();
}

}  // namespace flaredb::net
