// SPDX-License-Identifier: Apache-2.0
// Texts of the command line.
#ifndef FLAREDB_NET_CLI_TEXT_H_
#define FLAREDB_NET_CLI_TEXT_H_

#include <string>
#include <string_view>

namespace flaredb::net {

// For one line of a terminal: line feeds, tabs and backslashes as \n, \t and \\; every byte of
// other control characters and of what is no UTF-8 as \xNN; other characters as they are.
std::string Escape(std::string_view bytes);

// For any number of lines: the same, but line feeds, tabs and backslashes as they are.
std::string EscapeText(std::string_view bytes);

// "flaredb: <message>" to standard error.
void PrintError(std::string_view message);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_TEXT_H_
