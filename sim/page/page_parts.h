// SPDX-License-Identifier: Apache-2.0
// The files beside this one that make the page, as text. Generated: see BUILD.bazel.
#ifndef FLAREDB_SIM_PAGE_PAGE_PARTS_H_
#define FLAREDB_SIM_PAGE_PAGE_PARTS_H_

#include <string_view>

namespace flaredb::sim {

extern const std::string_view kPageHtml;    // page.html
extern const std::string_view kPageStyle;   // page.css
extern const std::string_view kPageScript;  // The .js files, one after another.

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PAGE_PAGE_PARTS_H_
