// SPDX-License-Identifier: Apache-2.0
#include "net/server/server_tls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "net/address.h"

namespace flaredb::net {

absl::Status CheckAllNamed(const TlsFiles& files) {
  if (files.empty()) return absl::OkStatus();
  const char* const missing = files.ca.empty()     ? "--tls-ca"
                              : files.cert.empty() ? "--tls-cert"
                              : files.key.empty()  ? "--tls-key"
                                                   : nullptr;
  if (missing == nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("TLS needs --tls-ca, --tls-cert and --tls-key, and ", missing,
                   " is missing: \"flaredb cert\" makes all three"));
}

absl::Status CheckTokensAreHidden(const std::string& tokens_file, const TlsFiles& files) {
  if (tokens_file.empty() || !files.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "tokens need TLS, as without it they can be read on their way and whoever reaches the port "
      "may speak as a store: give --tls-ca, --tls-cert and --tls-key (\"flaredb cert\" makes "
      "them), or leave --tokens out");
}

absl::StatusOr<ServerTls> LoadTls(const TlsOptions& options) {
  const TlsFiles& files = options.files;
  if (files.empty()) return ServerTls();
  if (absl::Status s = CheckAllNamed(files); !s.ok()) return s;
  auto listener = TlsContext::ForServer(files, options.clients);
  if (!listener.ok()) return listener.status();
  if (absl::Status s = (*listener)->CheckStoreCertificate(files); !s.ok()) return s;
  auto links = TlsContext::ForClient(files);
  if (!links.ok()) return links.status();
  return ServerTls{*std::move(listener), *std::move(links)};
}

absl::Status CheckExposure(const TlsOptions& options, const std::string& address) {
  if (!options.files.empty() || options.insecure) return absl::OkStatus();
  const auto host_port = ParseHostPort(address);
  if (!host_port.ok()) return host_port.status();
  const auto resolved = ResolveBlocking(*host_port);
  // What can't be resolved can't be listened on either, which says why.
  if (!resolved.ok()) return absl::OkStatus();
  for (const SocketAddress& local : *resolved) {
    if (IsLoopback(local)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "other machines reach ", address,
        ", and without TLS whoever reaches it may read and write everything: give --tls-ca, "
        "--tls-cert and --tls-key (\"flaredb cert\" makes them), or --insecure if the network is "
        "to be trusted"));
  }
  return absl::OkStatus();
}

}  // namespace flaredb::net
