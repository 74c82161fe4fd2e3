// SPDX-License-Identifier: Apache-2.0
#include "sim/page/page.h"

#include <string_view>

#include "sim/page/page_parts.h"
#include "sim/page/record_json.h"

namespace flaredb::sim {

void WritePage(const Record& record, std::ostream& out) {
  // page.html has one line for each of these, in this order.
  std::string_view rest = kPageHtml;
  const auto copy_up_to = [&](std::string_view mark) {
    const size_t at = rest.find(mark);
    out << rest.substr(0, at);
    rest.remove_prefix(at + mark.size());
  };
  copy_up_to("{{style}}");
  out << kPageStyle;
  copy_up_to("{{run}}");
  WriteJson(record, out);
  copy_up_to("{{script}}");
  out << kPageScript << rest;
}

}  // namespace flaredb::sim
