// SPDX-License-Identifier: Apache-2.0
// A server's settings, which are texts, as what it runs with.
#ifndef FLAREDB_NET_CLI_SERVER_OPTIONS_H_
#define FLAREDB_NET_CLI_SERVER_OPTIONS_H_

#include "net/config/server_config.h"
#include "net/server/limits.h"

namespace flaredb::net {

Limits LimitsOf(const ServerConfig& config);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_SERVER_OPTIONS_H_
