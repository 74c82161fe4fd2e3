// SPDX-License-Identifier: Apache-2.0
// What a read answers once the state machine has got far enough.
#ifndef FLAREDB_CORE_STORE_READS_H_
#define FLAREDB_CORE_STORE_READS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/region/region_machine.h"
#include "core/store/outbox.h"
#include "core/store/request.h"

namespace flaredb::store {

struct Options;

// Carries out an operation that is no write on the data as `machine` has made them, in an eventual
// namespace with the rows of `outbox` and those that another store holds. A scan ends at the
// region's end with the next region's first key as its next_key. Fails only when the data cannot be
// read.
absl::StatusOr<Result> ReadOperation(const Operation& operation, const RegionMachine& machine,
                                     const Outbox& outbox, const std::vector<kv::LwwRow>& held,
                                     const DataReader& data, const Options& options);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_READS_H_
