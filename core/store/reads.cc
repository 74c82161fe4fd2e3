// SPDX-License-Identifier: Apache-2.0
#include "core/store/reads.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/kv/engine.h"
#include "core/kv/key.h"
#include "core/kv/lww_view.h"
#include "core/store/errors.h"
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

// Reads from what the operation's namespace looks like here.
template <typename Request, typename Read>
absl::StatusOr<Result> ReadAs(const Request& request, const RegionMachine& machine,
                              const Outbox& outbox, const std::vector<kv::LwwRow>& held,
                              const DataReader& data, Read&& read) {
  const kv::NamespaceState state = machine.StateOf(request.ns);
  if (!state.Admits(request.mode)) {
    return Result(NamespaceModeError(request.mode, {state.fence->mode, state.fence->mode_epoch}));
  }
  if (request.mode == kv::Mode::kStrong) return read(data);
  const kv::LwwView here(request.ns, state, outbox.held(), data);
  if (held.empty()) return read(here);
  kv::LwwRows theirs;
  for (const kv::LwwRow& row : held) theirs[kv::EncodeKey(request.ns, row.key)] = row;
  return read(kv::LwwView(request.ns, state, theirs, here));
}

}  // namespace

absl::StatusOr<Result> ReadOperation(const Operation& operation, const RegionMachine& machine,
                                     const Outbox& outbox, const std::vector<kv::LwwRow>& held,
                                     const DataReader& data, const Options& options) {
  if (const auto* query = std::get_if<QueryRequest>(&operation)) {
    return Read(*query, machine.applied().index, data, options);
  }
  if (const auto* get = std::get_if<GetRequest>(&operation)) {
    return ReadAs(*get, machine, outbox, held, data,
                  [&](const DataReader& merged) { return Read(*get, merged); });
  }
  const auto* scan = std::get_if<ScanRequest>(&operation);
  INVARIANT(scan != nullptr) << "writes are not read";
  return ReadAs(*scan, machine, outbox, held, data, [&](const DataReader& merged) {
    return Read(*scan, machine.region(), merged, options);
  });
}

}  // namespace flaredb::store
