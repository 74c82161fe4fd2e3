// SPDX-License-Identifier: Apache-2.0
#include "net/cli/server_options.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/types.h"
#include "net/address.h"
#include "net/server/members.h"
#include "net/server/server_tls.h"
#include "net/server/start_namespaces.h"
#include "net/server/start_plan.h"

namespace flaredb::net {
namespace {

struct LimitSetting {
  std::string_view name;
  size_t Limits::*limit;
};

constexpr LimitSetting kLimits[] = {
    {"max-key-bytes", &Limits::key_bytes},
    {"max-value-bytes", &Limits::value_bytes},
    {"max-scan-rows", &Limits::scan_rows},
    {"max-scan-bytes", &Limits::scan_bytes},
    {"max-waiting-calls", &Limits::waiting_calls},
    {"max-waiting-bytes", &Limits::waiting_bytes},
    {"max-uncommitted-bytes", &Limits::uncommitted_bytes},
    {"max-outbox-bytes", &Limits::outbox_bytes},
    {"max-connections", &Limits::connections},
    {"max-connections-per-address", &Limits::connections_per_address},
    {"max-streams", &Limits::streams},
    {"max-held-bytes", &Limits::held_bytes},
};

class Problems {
 public:
  // Whether there is none.
  bool Add(std::string_view setting, const absl::Status& status) {
    if (!status.ok()) problems_.push_back({setting, std::string(status.message())});
    return status.ok();
  }
  std::vector<SettingProblem> Take() { return std::move(problems_); }

 private:
  std::vector<SettingProblem> problems_;
};

std::string_view FirstNamed(const TlsFiles& files) {
  return !files.ca.empty() ? "tls-ca" : !files.cert.empty() ? "tls-cert" : "tls-key";
}

// Another machine may make another address of a name: the server itself asks what it means.
absl::Status CheckExposureOfNumbers(const ServerOptions& options) {
  const auto address = ParseHostPort(options.start.address);
  if (!address.ok() || ResolveNumeric(*address).empty()) return absl::OkStatus();
  return CheckExposure(options.tls, options.start.address);
}

absl::Status CheckAdminAddress(const ServerOptions& options) {
  if (options.admin_address != options.start.address) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--admin-addr is the address of --addr, ",
                                                 options.admin_address,
                                                 ": give it a port of its own"));
}

}  // namespace

Limits LimitsOf(const ServerConfig& config) {
  Limits limits;
  for (const auto& [name, limit] : kLimits) limits.*limit = *config.number(name);
  return limits;
}

std::vector<SettingProblem> JudgeValues(const ServerConfig& config, ServerOptions* options) {
  Problems problems;
  options->start.store = StoreId(config.number("store-id").value_or(0));
  options->start.address = config.text("addr");
  problems.Add("addr", CheckListenAddress(options->start.address));
  options->start.data_dir = config.text("data-dir");
  if (options->start.data_dir.empty()) {
    options->start.data_dir = "./flaredb-data/store-" + config.text("store-id");
  }
  options->start.cluster_id = config.number("cluster-id");
  if (!config.text("peer").empty()) {
    absl::StatusOr<Members> peers = ParseMembers(config.text("peer"));
    if (problems.Add("peer", peers.status())) options->start.peers = *std::move(peers);
  }
  auto namespaces = ParseStartNamespaces(config.text("namespace-mode"));
  if (problems.Add("namespace-mode", namespaces.status())) {
    options->namespaces = *std::move(namespaces);
  }
  options->admin_address = config.text("admin-addr");
  if (!options->admin_address.empty()) {
    problems.Add("admin-addr", ParseHostPort(options->admin_address).status());
  }
  options->text_reflection = config.text("reflection-view") == "text";
  options->limits = LimitsOf(config);
  options->tls.files = {config.text("tls-ca"), config.text("tls-cert"), config.text("tls-key")};
  options->tls.clients = config.text("tls-clients") == "optional" ? ClientCertificates::kOptional
                                                                  : ClientCertificates::kRequired;
  options->tls.insecure = config.on("insecure");
  options->tokens_file = config.text("tokens");
  return problems.Take();
}

std::vector<SettingProblem> JudgeTogether(const ServerOptions& options) {
  Problems problems;
  problems.Add("peer", CheckFlags(options.start));
  problems.Add("admin-addr", CheckAdminAddress(options));
  problems.Add(FirstNamed(options.tls.files), CheckAllNamed(options.tls.files));
  problems.Add("tokens", CheckTokensAreHidden(options.tokens_file, options.tls.files));
  problems.Add("addr", CheckExposureOfNumbers(options));
  return problems.Take();
}

absl::StatusOr<ServerOptions> ServerOptionsOf(const ServerConfig& config) {
  ServerOptions options;
  std::vector<SettingProblem> problems = JudgeValues(config, &options);
  if (problems.empty()) problems = JudgeTogether(options);
  if (problems.empty()) return options;
  const auto& [setting, what] = problems.front();
  const std::string& origin = config.at(setting).origin;
  return absl::InvalidArgumentError(origin == "flag" ? what : absl::StrCat(origin, ": ", what));
}

void Judge(ConfigFile* file) {
  ServerOptions options;
  std::vector<SettingProblem> problems = JudgeValues(ServerConfig::OfFile(*file), &options);
  // Beside a mistake they would say what nobody means.
  if (problems.empty() && file->problems.empty()) problems = JudgeTogether(options);
  for (auto& [setting, what] : problems) {
    const auto value = file->values.find(setting);
    INVARIANT(value != file->values.end()) << setting << " was not given: " << what;
    file->Add({std::move(what), value->second.line, value->second.column});
  }
}

}  // namespace flaredb::net
