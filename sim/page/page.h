// SPDX-License-Identifier: Apache-2.0
// One run as one HTML file: everything in it, nothing fetched, to be opened from a disk.
#ifndef FLAREDB_SIM_PAGE_PAGE_H_
#define FLAREDB_SIM_PAGE_PAGE_H_

#include <ostream>

#include "sim/world/record.h"

namespace flaredb::sim {

// Writes the page. The same record gives the same bytes. Linear in the record; some 130 bytes for
// each message. Errors are `out`'s.
void WritePage(const Record& record, std::ostream& out);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PAGE_PAGE_H_
