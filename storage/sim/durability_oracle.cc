// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/durability_oracle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace flaredb::storage {
namespace {

void MustApply(const env::GroupCommit& commit, sim::DiskImage* image) {
  const auto refused = image->Apply(commit);
  INVARIANT(!refused) << *refused;
}

}  // namespace

void DurabilityOracle::Issued(const env::GroupCommit& commit) {
  MustApply(commit, &issued_);
  history_.push_back(commit);
}

void DurabilityOracle::Acknowledged() {
  acknowledged_ = history_.size();
  durable_ = issued_;
}

std::optional<std::string> DurabilityOracle::Recovered(const Content& content) {
  lost_from_ = std::nullopt;
  const std::optional<std::string> first_difference = Difference(content, durable_);
  sim::DiskImage image = durable_;
  size_t there = acknowledged_;
  std::optional<std::string> difference = first_difference;
  while (difference && there < history_.size()) {
    MustApply(history_[there++], &image);
    difference = Difference(content, image);
  }
  if (!difference) {
    history_.resize(there);
    acknowledged_ = there;
    durable_ = issued_ = std::move(image);
    return std::nullopt;
  }
  sim::DiskImage older;
  for (size_t i = 0; i < acknowledged_; ++i) {
    if (!Difference(content, older)) {
      lost_from_ = i;
      return absl::StrCat("the store holds the first ", i, " commits, but ", acknowledged_,
                          " were acknowledged (", *first_difference, ")");
    }
    MustApply(history_[i], &older);
  }
  return absl::StrCat("the store holds no prefix of the ", history_.size(), " commits, of which ",
                      acknowledged_, " were acknowledged (", *first_difference, ")");
}

}  // namespace flaredb::storage
