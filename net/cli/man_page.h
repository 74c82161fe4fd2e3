// SPDX-License-Identifier: Apache-2.0
// Manual pages made from the command tree.
#ifndef FLAREDB_NET_CLI_MAN_PAGE_H_
#define FLAREDB_NET_CLI_MAN_PAGE_H_

#include <string>
#include <string_view>

#include "net/cli/command_tree.h"

namespace flaredb::net {

// "flaredb-kv-get", the page's name in section 1.
std::string ManPageName(const CommandPath& path);
// The page in the man(7) language. `version`: of the program.
std::string ManPage(const CommandPath& path, std::string_view version);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_MAN_PAGE_H_
