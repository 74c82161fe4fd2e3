// SPDX-License-Identifier: Apache-2.0
#include "core/store/reads.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/kv/engine.h"
#include "core/kv/key.h"
#include "core/store/store.h"

namespace flaredb::store {
namespace {

uint64_t Clamp(uint64_t wanted, uint64_t limit) {
  return wanted == 0 ? limit : std::min(wanted, limit);
}

absl::StatusOr<Result> Read(const GetRequest& get, const DataReader& data) {
  auto found = kv::Get(get.ns, get.key, data);
  if (!found.ok()) return found.status();
  return Result(GetReply{*std::move(found)});
}

absl::StatusOr<Result> Read(const ScanRequest& scan, const Region& region, const DataReader& data,
                            const Options& options) {
  const kv::ScanLimits limits{Clamp(scan.rows_max, options.scan_rows_max),
                              Clamp(scan.bytes_max, options.scan_bytes_max),
                              options.scan_visits_max, scan.keys_only};
  // The region may end inside the range; then the page does, too.
  const kv::KeyRange wanted = kv::EncodeRange(scan.ns, scan.begin, scan.end);
  const bool clipped = !region.end_key.empty() && region.end_key < wanted.end;
  std::string end = scan.end;
  if (clipped) end = std::string(kv::DecodeKey(region.end_key)->user_key);

  auto page = kv::Scan(scan.ns, scan.begin, end, limits, data);
  if (!page.ok()) return page.status();
  if (clipped && page->next_key.empty()) page->next_key = std::move(end);
  return Result(ScanReply{*std::move(page)});
}

absl::StatusOr<Result> Read(const QueryRequest& query, Index index, const DataReader& data,
                            const Options& options) {
  const ObjectRows rows(query.object, data);
  std::string answer = options.machine->Query(query.query, rows);
  if (!rows.status().ok()) return rows.status();
  return Result(MachineReply{std::move(answer), index});
}

}  // namespace

absl::StatusOr<Result> ReadOperation(const Operation& operation, const Region& region, Index index,
                                     const DataReader& data, const Options& options) {
  if (const auto* get = std::get_if<GetRequest>(&operation)) return Read(*get, data);
  if (const auto* query = std::get_if<QueryRequest>(&operation)) {
    return Read(*query, index, data, options);
  }
  const auto* scan = std::get_if<ScanRequest>(&operation);
  INVARIANT(scan != nullptr) << "writes are not read";
  return Read(*scan, region, data, options);
}

}  // namespace flaredb::store
