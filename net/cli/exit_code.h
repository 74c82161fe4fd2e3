// SPDX-License-Identifier: Apache-2.0
// How the program ends, for scripts. Part of its interface: never renumbered.
#ifndef FLAREDB_NET_CLI_EXIT_CODE_H_
#define FLAREDB_NET_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace flaredb::net {

enum ExitCode : int {
  kExitOk = 0,
  kExitNegative = 1,     // Not found, or a decided mismatch.
  kExitUsage = 2,        // The command line makes no sense.
  kExitUnavailable = 3,  // No store answered; an address, folder or disk can't be used.
  kExitRefused = 4,      // Refused by a rule or limit, or for load.
  kExitCorrupt = 5,      // Data is damaged.
  kExitUnknown = 6,      // A write that may or may not have taken effect.
};

inline ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kFailedPrecondition:
      return kExitRefused;
    case absl::StatusCode::kDataLoss:
      return kExitCorrupt;
    default:
      return kExitUnavailable;
  }
}

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_EXIT_CODE_H_
