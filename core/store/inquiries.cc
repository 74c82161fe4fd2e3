// SPDX-License-Identifier: Apache-2.0
#include "core/store/inquiries.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "core/base/check.h"
#include "core/pd/command.h"
#include "core/pd/explain.h"
#include "core/pd/query.h"
#include "core/store/errors.h"

namespace flaredb::store {
namespace {

constexpr size_t kKeysMax = 64;
constexpr size_t kNamesAskedMax = 64;

QueryRequest Ask(const pd::Query& query) {
  return {std::string(pd::kObject), pd::EncodeQuery(query)};
}

pd::EnsureNamespace Ensure(const std::string& name) { return {name, std::nullopt}; }

// What the placement driver says; nullopt when the request did not get to it, or not back.
std::optional<pd::Reply> ReplyOf(const Reply& reply) {
  const auto* answer = std::get_if<MachineReply>(&reply.result);
  if (answer == nullptr) return std::nullopt;
  absl::StatusOr<pd::Reply> decoded = pd::DecodeReply(answer->bytes);
  if (!decoded.ok()) return std::nullopt;
  return *std::move(decoded);
}

}  // namespace

void Inquiries::WantRegion(std::string key) {
  if (keys_.size() < kKeysMax) keys_.insert(std::move(key));
}

void Inquiries::WantNamespace(const std::string& name, bool create, CallKey call) {
  const Name wanted{name, create};
  std::vector<CallKey>& calls = names_[wanted];
  if (calls.empty()) unasked_.insert(wanted);
  calls.push_back(call);
}

std::optional<Operation> Inquiries::Next(OwnId as) {
  if (!keys_.empty() && !region_asked_) {
    auto key = keys_.upper_bound(last_key_);
    if (key == keys_.end()) key = keys_.begin();
    region_asked_ = as;
    last_key_ = *key;
    keys_.clear();
    return Ask(pd::GetRegion{last_key_});
  }
  if (unasked_.empty() || names_asked_.size() >= kNamesAskedMax) return std::nullopt;
  const Name name = std::move(unasked_.extract(unasked_.begin()).value());
  names_asked_.emplace(as, name);
  if (!name.create) return Ask(pd::GetNamespace{name.name});
  return ExecuteRequest{std::string(pd::kObject), pd::EncodeCommand(Ensure(name.name))};
}

Inquiries::Answer Inquiries::OnReply(OwnId id, const Reply& reply) {
  std::optional<pd::Reply> told = ReplyOf(reply);
  Answer answer;
  if (id == region_asked_) {
    region_asked_ = OwnId();
    auto* region = told ? std::get_if<pd::RegionInfo>(&*told) : nullptr;
    if (region != nullptr) answer.what = std::move(*region);
    return answer;
  }
  const auto asked = names_asked_.extract(id);
  INVARIANT(!asked.empty()) << "question " << id;
  const Name& name = asked.mapped();
  answer.calls = std::move(names_.extract(name).mapped());
  if (!told) return answer;
  if (auto* ns = std::get_if<pd::Namespace>(&*told)) {
    answer.what = std::move(*ns);
  } else if (const auto* refused = std::get_if<pd::Refused>(&*told)) {
    if (refused->reason == pd::Refusal::kNoSuchNamespace) {
      answer.what = NamespaceNotFoundError(name.name);
    } else if (refused->reason != pd::Refusal::kNotBootstrapped) {
      answer.what = NamespaceRefusedError(pd::Explain(pd::Command(Ensure(name.name)), *refused));
    }
  }
  return answer;
}

bool Inquiries::Holds(CallKey call) const {
  return std::any_of(names_.begin(), names_.end(), [&](const auto& each) {
    return std::find(each.second.begin(), each.second.end(), call) != each.second.end();
  });
}

}  // namespace flaredb::store
