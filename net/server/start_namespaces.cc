// SPDX-License-Identifier: Apache-2.0
#include "net/server/start_namespaces.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "core/base/time.h"
#include "core/pd/command.h"
#include "core/pd/namespaces.h"
#include "net/server/budget.h"
#include "net/server/log.h"
#include "net/wire/pd_codec.h"

namespace flaredb::net {
namespace {

constexpr Duration kTryAgain = Duration::Milliseconds(100);
// A cluster that was just founded takes no longer.
constexpr Duration kWorthALine = Duration::Seconds(3);

absl::Status Bad(std::string_view part, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("--namespace-mode: \"", ToAbsl(part), "\" ",
                                                 ToAbsl(why),
                                                 "; write NAME=strong or NAME=eventual"));
}

absl::Status Add(std::string_view part, std::vector<StartNamespace>* namespaces) {
  const size_t equals = part.rfind('=');
  if (equals == std::string_view::npos) return Bad(part, "has no \"=\"");
  const std::string_view name = part.substr(0, equals);
  if (!pd::IsNamespaceName(name)) {
    return Bad(part,
               "has no name that a namespace can have: 1 to 255 bytes of UTF-8, without "
               "control characters and '/'");
  }
  const std::optional<pd::Mode> mode = ParseMode(part.substr(equals + 1));
  if (!mode) return Bad(part, "has no mode that there is");
  const StartNamespace added{std::string(name), *mode};
  for (const StartNamespace& other : *namespaces) {
    if (other.name == added.name && other.mode != added.mode) {
      return Bad(part, "contradicts the mode that is given before");
    }
  }
  namespaces->push_back(added);
  return absl::OkStatus();
}

// Whether it makes no sense to try again.
bool IsFinal(const GrpcStatus& status) {
  return status.code == absl::StatusCode::kInvalidArgument ||
         status.code == absl::StatusCode::kFailedPrecondition;
}

}  // namespace

absl::StatusOr<std::vector<StartNamespace>> ParseStartNamespaces(std::string_view text) {
  std::vector<StartNamespace> namespaces;
  for (bool more = !text.empty(); more;) {
    const size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    if (absl::Status s = Add(text.substr(0, comma), &namespaces); !s.ok()) return s;
    if (more) text.remove_prefix(comma + 1);
  }
  return namespaces;
}

void StartNamespaces::Begin() {
  begun_ = loop_->now();
  for (size_t which = 0; which < namespaces_.size(); ++which) Ensure(which);
}

void StartNamespaces::Ensure(size_t which) {
  const StartNamespace& ns = namespaces_[which];
  pd_->Tell<pd::Namespace>(
      pd::EnsureNamespace{ns.name, ns.mode}, kDefaultBudget,
      [this, which](const PdResult<pd::Namespace>& result) { OnAnswer(which, result); });
}

void StartNamespaces::OnAnswer(size_t which, const PdResult<pd::Namespace>& result) {
  const StartNamespace& wanted = namespaces_[which];
  if (const auto* ns = std::get_if<pd::Namespace>(&result)) {
    --left_;
    const bool as_wanted = pd::TargetOf(ns->state) == wanted.mode;
    Log(as_wanted ? LogLevel::kInfo : LogLevel::kWarn,
        as_wanted ? "namespace is there" : "namespace has another mode than --namespace-mode says",
        {{"namespace", ns->name},
         {"mode", std::string(NameOf(PresentMode(ns->state)))},
         {"epoch", ns->mode_epoch}});
    return;
  }
  const auto& status = std::get<GrpcStatus>(result);
  if (IsFinal(status)) {
    --left_;
    Log(LogLevel::kError, "cannot create a namespace",
        {{"namespace", wanted.name}, {"reason", status.message}});
    return;
  }
  if (!told_ && loop_->now() - begun_ >= kWorthALine) {
    told_ = true;
    Log(LogLevel::kInfo, "waits to create namespaces", {{"reason", status.message}});
  }
  loop_->StartTimer(loop_->now() + kTryAgain, [this, which] { Ensure(which); });
}

}  // namespace flaredb::net
