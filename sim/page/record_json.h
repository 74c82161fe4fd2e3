// SPDX-License-Identifier: Apache-2.0
// A record as the page's script reads it.
#ifndef FLAREDB_SIM_PAGE_RECORD_JSON_H_
#define FLAREDB_SIM_PAGE_RECORD_JSON_H_

#include <ostream>
#include <string_view>

#include "sim/world/record.h"

namespace flaredb::sim {

// One JSON object in ASCII that may stand inside a <script> element whatever its strings hold. Its
// members are those of Record; lists of things are rows of numbers and strings, to be short, in the
// order that run.js names. Times are nanoseconds.
void WriteJson(const Record& record, std::ostream& out);

// A JSON string. Control characters and those that HTML knows are escaped; bytes beyond ASCII,
// which only a hostile or binary key can hold, appear as \xNN.
void WriteJsonString(std::string_view text, std::ostream& out);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PAGE_RECORD_JSON_H_
