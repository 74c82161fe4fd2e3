// SPDX-License-Identifier: Apache-2.0
// Texts of the command line.
#ifndef FLAREDB_NET_CLI_TEXT_H_
#define FLAREDB_NET_CLI_TEXT_H_

#include <string>
#include <string_view>

namespace flaredb::net {

// For one line of a terminal: control characters and backslashes as \n, \t, \\ or \xNN; everything
// else, UTF-8 included, as it is.
std::string Escape(std::string_view bytes);

// "flaredb: <message>" to standard error.
void PrintError(std::string_view message);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_TEXT_H_
