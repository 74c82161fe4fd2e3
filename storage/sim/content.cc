// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/content.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/store/recovery.h"
#include "storage/log_reader.h"
#include "storage/record_codec.h"
#include "storage/sealed_reader.h"

namespace flaredb::storage {
namespace {

// Small, so that a log is read in several pieces.
constexpr size_t kReadBytesMax = 2000;

absl::Status ReadRegion(const OpenedFolder& folder, const env::LogState& log,
                        raft::EntrySlices* entries) {
  for (Index next = log.base.last.index.next(); next <= log.last_index;) {
    absl::StatusOr<raft::EntrySlices> some =
        ReadEntries(folder, log.region, next, log.last_index, kReadBytesMax);
    if (!some.ok()) return some.status();
    for (raft::EntrySlice& slice : *some) {
      next = slice.last_index().next();
      entries->push_back(std::move(slice));
    }
  }
  return absl::OkStatus();
}

std::optional<std::string> StateDifference(const env::LogState& found,
                                           const env::LogState& wanted) {
  const std::string region = absl::StrCat("region ", wanted.region.value(), ": ");
  const auto differs = [&](const char* what, uint64_t is, uint64_t should) {
    return absl::StrCat(region, what, " is ", is, " and should be ", should);
  };
  const raft::HardState& hard = found.hard_state;
  const raft::HardState& hard_wanted = wanted.hard_state;
  if (found.region != wanted.region) {
    return absl::StrCat(region, "there is region ", found.region.value(), " in its place");
  }
  if (hard.term != hard_wanted.term) {
    return differs("the term", hard.term.value(), hard_wanted.term.value());
  }
  if (hard.vote != hard_wanted.vote) {
    return differs("the vote", hard.vote.value(), hard_wanted.vote.value());
  }
  if (found.base.last.index != wanted.base.last.index) {
    return differs("the base of the log", found.base.last.index.value(),
                   wanted.base.last.index.value());
  }
  if (found.last_index != wanted.last_index) {
    return differs("the end of the log", found.last_index.value(), wanted.last_index.value());
  }
  if (found.incarnation != wanted.incarnation) return region + "another incarnation";
  if (found.base != wanted.base) return region + "another term or configuration at its base";
  if (found.terms != wanted.terms) return region + "other terms in its log";
  if (found.confs != wanted.confs) return region + "other configurations in its log";
  return std::nullopt;
}

std::optional<std::string> EntryDifference(RegionId region, const raft::EntrySlices& found,
                                           const sim::LogImage& log) {
  for (const raft::EntrySlice& slice : found) {
    for (uint32_t i = 0; i < slice.size(); ++i) {
      const raft::EntryView entry = slice.at(i);
      const raft::EntryView wanted = log.At(entry.index);
      if (entry.term != wanted.term || entry.kind != wanted.kind ||
          entry.payload != wanted.payload) {
        return absl::StrCat("region ", region.value(), ": entry ", entry.index.value(),
                            " is another one");
      }
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Content> ReadContent(const OpenedFolder& folder) {
  Content content;
  absl::StatusOr<std::vector<env::LogState>> logs = ReadLogStates(folder);
  if (!logs.ok()) return logs.status();
  content.logs = *std::move(logs);
  for (const env::LogState& log : content.logs) {
    const absl::Status s = ReadRegion(folder, log, &content.entries[log.region]);
    if (!s.ok()) return s;
  }
  const SealedReader data(folder);
  const absl::Status scanned =
      data.Scan("", "", [&content](std::string_view key, std::string_view value) {
        content.rows.emplace(key, value);
        return true;
      });
  if (!scanned.ok()) return scanned;
  const auto recovered = store::Recover(data, content.logs);
  if (!recovered.ok() && !(absl::IsNotFound(recovered.status()) && content.rows.empty())) {
    return recovered.status();
  }
  return content;
}

std::optional<std::string> Difference(const Content& content, const sim::DiskImage& image) {
  const std::vector<env::LogState> wanted = image.LogStates();
  if (content.logs.size() != wanted.size()) {
    return absl::StrCat("there are ", content.logs.size(), " replicas instead of ", wanted.size());
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    const env::LogState& found = content.logs[i];
    if (auto wrong = StateDifference(found, wanted[i])) return wrong;
    if (auto wrong = EntryDifference(found.region, content.entries.at(found.region),
                                     image.log(found.region))) {
      return wrong;
    }
  }
  auto found = content.rows.begin();
  for (const auto& [key, value] : image.rows()) {
    if (found == content.rows.end() || found->first != key) {
      return absl::StrCat("the row ", Hex(key), " is missing, or there is one before it");
    }
    if (found->second != value) return absl::StrCat("the row ", Hex(key), " has another value");
    ++found;
  }
  if (found != content.rows.end()) {
    return absl::StrCat("the row ", Hex(found->first), " should not be there");
  }
  return std::nullopt;
}

}  // namespace flaredb::storage
