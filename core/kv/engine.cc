// SPDX-License-Identifier: Apache-2.0
#include "core/kv/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/kv/key.h"

namespace flaredb::kv {

namespace {

// Remembers `id` as what produced the record's version, and forgets the oldest when full.
void Remember(const RequestId& id, Record* record) {
  if (record->requests.size() == Record::kRequestsMax) {
    record->requests.erase(record->requests.begin());
    record->forgotten_index = record->changed_index;
  }
  record->requests.push_back({id, record->version});
}

// The record after `command` was applied to `current` at `index`.
Record Changed(const Command& command, const std::optional<Record>& current, Index index) {
  Record record;
  if (current) {
    record.version = current->version;
    record.requests = current->requests;
    record.forgotten_index = current->forgotten_index;
  }
  ++record.version;
  record.changed_index = index;
  if (const auto* swap = std::get_if<CompareAndSwap>(&command)) {
    record.value = swap->value;
  } else {
    record.tombstone = true;
  }
  const Retry& retry = std::visit([](const auto& c) -> const Retry& { return c.retry; }, command);
  if (retry.id) Remember(retry.id, &record);
  return record;
}

// Collects one page; Visit is a DataReader's visitor.
class PageBuilder {
 public:
  PageBuilder(NamespaceId ns, const ScanLimits& limits) : ns_(ns), limits_(limits) {}

  bool Visit(std::string_view key, std::string_view bytes) {
    const std::optional<DecodedKey> decoded = DecodeKey(key);
    INVARIANT(decoded && decoded->ns == ns_) << "the reader left the range";
    if (page_.rows.size() == limits_.rows_max || visits_ == limits_.visits_max) {
      return EndBefore(decoded->user_key);
    }
    ++visits_;
    absl::StatusOr<Record> record = DecodeRecordOf(ns_, bytes);
    if (!record.ok()) {
      status_ = record.status();
      return false;
    }
    if (record->tombstone) return true;
    if (limits_.keys_only) record->value.clear();
    const size_t row_bytes = decoded->user_key.size() + record->value.size();
    if (!page_.rows.empty() && page_bytes_ + row_bytes > limits_.bytes_max) {
      return EndBefore(decoded->user_key);
    }
    page_bytes_ += row_bytes;
    page_.rows.push_back(
        {std::string(decoded->user_key), std::move(record->value), record->version, record->hlc});
    return true;
  }

  absl::StatusOr<ScanPage> Take() {
    if (!status_.ok()) return status_;
    return std::move(page_);
  }

 private:
  bool EndBefore(std::string_view user_key) {
    page_.next_key = user_key;
    return false;
  }

  const NamespaceId ns_;
  const ScanLimits limits_;
  size_t visits_ = 0;
  size_t page_bytes_ = 0;
  ScanPage page_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Record> DecodeRecordOf(NamespaceId ns, std::string_view bytes) {
  absl::StatusOr<Record> record = DecodeRecord(bytes);
  if (record.ok()) return record;
  return absl::Status(record.status().code(), absl::StrCat("namespace ", static_cast<uint32_t>(ns),
                                                           ": ", record.status().message()));
}

absl::StatusOr<std::optional<Record>> ReadRecord(NamespaceId ns, std::string_view encoded_key,
                                                 const DataReader& data) {
  const absl::StatusOr<std::optional<std::string>> bytes = data.Get(encoded_key);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::optional<Record>();
  return DecodeRecordOf(ns, **bytes);
}

WriteReply Decide(const Command& command, const std::optional<Record>& current, Index index,
                  std::optional<Record>* new_record) {
  const auto& [expected, retry] = std::visit(
      [](const auto& c) { return std::pair<Version, const Retry&>(c.expected, c.retry); }, command);
  const bool deletes = std::holds_alternative<CompareAndDelete>(command);
  INVARIANT(!deletes || expected >= Version(1));
  INVARIANT(!current || current->changed_index < index) << "at index " << index;
  new_record->reset();
  const auto applied = [deletes = deletes](Version version) {
    return WriteReply{WriteResult::kApplied, deletes ? Version() : version, {}};
  };

  if (retry.id && current) {
    for (const RememberedRequest& request : current->requests) {
      if (request.id == retry.id) return applied(request.version);
    }
  }

  const bool live = current && !current->tombstone;
  const Version live_version = live ? current->version : Version();
  const bool matches = live_version == expected;
  const auto known_since = [id = retry.id, seen = retry.seen_index](Index since) {
    return !id || seen >= since;
  };
  if (matches && known_since(current ? current->changed_index : Index())) {
    *new_record = Changed(command, current, index);
    return applied((*new_record)->version);
  }
  const bool never_applied = matches && expected;
  if (!never_applied && !known_since(current ? current->forgotten_index : Index())) {
    return {WriteResult::kForgotten, live_version, {}};
  }
  if (matches) return {WriteResult::kOvertaken, live_version, {}};
  return {WriteResult::kMismatch, live_version, live ? current->value : std::string()};
}

absl::StatusOr<WriteReply> Apply(const Command& command, Index index, const NamespaceState& state,
                                 const DataReader& data, WriteBatch* batch) {
  const auto& [ns, user_key] = std::visit(
      [](const auto& c) { return std::pair<NamespaceId, std::string_view>(c.ns, c.key); }, command);
  std::string key = EncodeKey(ns, user_key);
  const absl::StatusOr<std::optional<Record>> current = ReadRecord(ns, key, data);
  if (!current.ok()) return current.status();
  std::optional<Record> new_record;
  WriteReply reply = Decide(command, *current ? *current : state.Ghost(), index, &new_record);
  if (new_record) batch->Put(std::move(key), EncodeRecord(*new_record));
  return reply;
}

absl::StatusOr<std::optional<VersionedValue>> Get(NamespaceId ns, std::string_view key,
                                                  const DataReader& data) {
  absl::StatusOr<std::optional<Record>> record = ReadRecord(ns, EncodeKey(ns, key), data);
  if (!record.ok()) return record.status();
  if (!record->has_value() || (*record)->tombstone) return std::optional<VersionedValue>();
  return VersionedValue{std::move((*record)->value), (*record)->version, (*record)->hlc};
}

absl::StatusOr<ScanPage> Scan(NamespaceId ns, std::string_view begin, std::string_view end,
                              const ScanLimits& limits, const DataReader& data) {
  INVARIANT(limits.rows_max > 0);
  INVARIANT(limits.visits_max > 0);
  const KeyRange range = EncodeRange(ns, begin, end);
  PageBuilder page(ns, limits);
  const absl::Status status = data.Scan(
      range.begin, range.end,
      [&page](std::string_view key, std::string_view bytes) { return page.Visit(key, bytes); });
  if (!status.ok()) return status;
  return page.Take();
}

}  // namespace flaredb::kv
