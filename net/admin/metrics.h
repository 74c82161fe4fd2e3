// SPDX-License-Identifier: Apache-2.0
// A server's figures in the text format of Prometheus.
#ifndef FLAREDB_NET_ADMIN_METRICS_H_
#define FLAREDB_NET_ADMIN_METRICS_H_

#include <string>

#include "net/admin/process_figures.h"
#include "net/admin/server_status.h"

namespace flaredb::net {

// Content-Type of the text.
inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// Every metric of docs/OPERATIONS.md, in the same order, and no other. The number of series depends
// on how many stores and methods there are, not on how many regions, clients or keys.
std::string MetricsPage(const ServerStatus& status, const ProcessFigures& process);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ADMIN_METRICS_H_
