// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/faults.h"

#include "core/base/check.h"

namespace flaredb::storage {

std::string_view FaultName(Fault fault) {
  switch (fault) {
    case Fault::kLostSector:
      return "lost sector";
    case Fault::kTornWrite:
      return "torn write";
    case Fault::kLostName:
      return "lost name";
    case Fault::kReadError:
      return "read error";
    case Fault::kWriteError:
      return "write error";
    case Fault::kShortWrite:
      return "short write";
    case Fault::kNoSpace:
      return "disk full";
    case Fault::kSyncError:
      return "sync error";
    case Fault::kStall:
      return "stall";
    case Fault::kLatentSector:
      return "latent sector";
    case Fault::kBitRot:
      return "bit rot";
    case Fault::kLostWrite:
      return "lost write";
    case Fault::kMisdirectedWrite:
      return "misdirected write";
    case Fault::kLostFile:
      return "lost file";
  }
  INVARIANT(false) << "fault " << static_cast<int>(fault);
  return {};
}

}  // namespace flaredb::storage
