// SPDX-License-Identifier: Apache-2.0
// The one bridge to Abseil's string_view, which in Debian's build is a class of its own.
#ifndef FLAREDB_CORE_BASE_STRINGS_H_
#define FLAREDB_CORE_BASE_STRINGS_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace flaredb {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view FromAbsl(absl::string_view s) { return {s.data(), s.size()}; }

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_STRINGS_H_
