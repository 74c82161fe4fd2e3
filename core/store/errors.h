// SPDX-License-Identifier: Apache-2.0
// The texts of a store's refusals, in one place.
#ifndef FLAREDB_CORE_STORE_ERRORS_H_
#define FLAREDB_CORE_STORE_ERRORS_H_

#include <optional>
#include <string>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/membership.h"
#include "core/raft/raft.h"
#include "core/region/region.h"
#include "core/store/call_table.h"
#include "core/store/request.h"

namespace flaredb::store {

struct Options;

Error NotLeaderError(RegionId region, StoreId leader);
Error EpochError(const Region& current);
// `region`: zero when the key belongs to none that is known here.
Error RegionNotFoundError(RegionId region);
Error KeyNotInRegionError(RegionId region);
Error BusyError(const std::string& reason);
// `possible`: a leader may have carried the operation out.
Error InterruptedError(RegionId region, bool possible);
Error DeadlineError(bool possible);
Error ForgottenError();
// `wanted`: what the operation was for.
Error NamespaceModeError(kv::Mode wanted, const NamespaceMode& is);
Error NamespaceNotFoundError(const std::string& name);
Error BadNamespaceNameError();
// What the placement driver has against it, as a sentence.
Error NamespaceRefusedError(std::string why);
Error OutboxFullError();
// Another store may accept the write; `why` ends the sentence.
Error NotAcceptingError(const std::string& why);
Error StoppedError(RegionId region, bool possible);

// Why an order was refused, as a sentence.
std::string Describe(raft::ChangeRefusal refusal);
std::string Describe(raft::TransferRefusal refusal);

// The first rule or limit of the API that the request breaks.
std::optional<Error> Validate(const Request& request, const Options& options);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_ERRORS_H_
