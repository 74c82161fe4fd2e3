// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

namespace flaredb {

void FailFuzzing(std::string_view sentence) {
  fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
  abort();
}

}  // namespace flaredb
