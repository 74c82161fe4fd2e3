// SPDX-License-Identifier: Apache-2.0
#include "net/metadata/connect.h"

#include <utility>

#include "net/client/token_file.h"
#include "net/tls/tls_context.h"

namespace flaredb::metadata {

absl::StatusOr<std::unique_ptr<client::Client>> Connect(const ServiceTable& table) {
  client::ClientOptions options{.endpoints = table.endpoints, .timeout = table.timeout};
  if (!table.tls.empty()) {
    auto tls = net::TlsContext::ForClient(table.tls);
    if (!tls.ok()) return tls.status();
    options.tls = *std::move(tls);
  }
  if (!table.token_file.empty()) {
    auto token = client::ReadTokenFile(table.token_file);
    if (!token.ok()) return token.status();
    options.token = *std::move(token);
  }
  return client::Client::Create(std::move(options));
}

}  // namespace flaredb::metadata
