// SPDX-License-Identifier: Apache-2.0
// What is stored under a key: one record for both modes of a namespace.
#ifndef FLAREDB_CORE_KV_RECORD_H_
#define FLAREDB_CORE_KV_RECORD_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/kv/hlc.h"

namespace flaredb::kv {

// A request that changed the record, and the version that it produced.
struct RememberedRequest {
  RequestId id;
  Version version;

  friend bool operator==(const RememberedRequest&, const RememberedRequest&) = default;
};

// A key's latest state. A deleted key keeps its record as a tombstone, so that its versions are
// never issued again and late retries still find their answer.
struct Record {
  static constexpr size_t kRequestsMax = 4;

  bool tombstone = false;
  Version version;         // Of the last change, deletions included. At least 1.
  Index changed_index;     // Log index of the last change. At least 1.
  Hlc hlc;                 // Of the write that won, in eventual mode; zero: the change was strong.
  StoreId origin;          // Who accepted that write.
  uint64_t expire_ms = 0;  // 0: never.
  // The latest identified writes, oldest first: ids differ, versions ascend. At most kRequestsMax.
  absl::InlinedVector<RememberedRequest, kRequestsMax> requests;
  // Log index at which a request was last dropped from `requests`, or an earlier record of the key
  // was collected; zero: never. Every identified write of this key applied at a greater index is
  // still in `requests`. At most changed_index.
  Index forgotten_index;
  std::string value;  // Empty when tombstone.

  friend bool operator==(const Record&, const Record&) = default;
};

// docs/FORMAT.md. Decoding refuses anything that EncodeRecord does not produce with DATA_LOSS.
std::string EncodeRecord(const Record& record);
absl::StatusOr<Record> DecodeRecord(std::string_view bytes);

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_RECORD_H_
