// SPDX-License-Identifier: Apache-2.0
#include "net/metadata/service_table.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "net/address.h"
#include "toml++/toml.h"

namespace flaredb::metadata {
namespace {

constexpr int64_t kTimeoutMsMax = 3600 * 1000;

// Reads the parsed file; the first mistake is kept, with its place.
class Reader {
 public:
  Reader(const std::string& file, const toml::table& root) : file_(file), root_(root) {}

  absl::StatusOr<ServiceTable> Read() {
    ReadTop();
    const toml::node* services = root_.get("services");
    if (services == nullptr || !services->is_table() || services->as_table()->empty()) {
      Wrong(root_, "there are no services: add a table such as [services.NAME]");
    } else {
      for (const auto& [name, node] : *services->as_table()) ReadService(name.str(), node);
    }
    if (!status_.ok()) return status_;
    return std::move(table_);
  }

 private:
  void Wrong(const toml::node& where, const std::string& what) {
    if (!status_.ok()) return;
    const toml::source_position at = where.source().begin;
    status_ =
        absl::InvalidArgumentError(absl::StrCat(file_, ":", at.line, ":", at.column, ": ", what));
  }

  void RefuseOthers(const toml::table& table, std::initializer_list<std::string_view> known) {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        Wrong(node, "there is no setting \"" + std::string(name) + "\" here");
      }
    }
  }

  void ReadTop() {
    RefuseOthers(root_, {"endpoints", "timeout_ms", "tls_ca", "tls_cert", "tls_key", "token_file",
                         "services"});
    const toml::node* endpoints = root_.get("endpoints");
    if (endpoints == nullptr || !endpoints->is_array() || endpoints->as_array()->empty()) {
      Wrong(endpoints == nullptr ? root_ : *endpoints,
            "endpoints must be a list of stores, such as [\"127.0.0.1:50051\"]");
    } else {
      for (const toml::node& endpoint : *endpoints->as_array()) ReadEndpoint(endpoint);
    }
    if (const toml::node* timeout = root_.get("timeout_ms"); timeout != nullptr) {
      const std::optional<int64_t> ms = timeout->value_exact<int64_t>();
      if (!ms.has_value() || *ms < 1 || *ms > kTimeoutMsMax) {
        Wrong(*timeout,
              absl::StrCat("timeout_ms must be a whole number from 1 to ", kTimeoutMsMax));
      } else {
        table_.timeout = Duration::Milliseconds(*ms);
      }
    }
    ReadFiles();
  }

  void ReadFiles() {
    ReadFile("tls_ca", &table_.tls.ca);
    ReadFile("tls_cert", &table_.tls.cert);
    ReadFile("tls_key", &table_.tls.key);
    ReadFile("token_file", &table_.token_file);
    if (table_.tls.cert.empty() != table_.tls.key.empty()) {
      Wrong(*root_.get(table_.tls.key.empty() ? "tls_cert" : "tls_key"),
            "tls_cert and tls_key belong together: give both or neither");
    }
    if (!table_.tls.ca.empty()) return;
    if (!table_.tls.cert.empty()) {
      Wrong(*root_.get("tls_cert"),
            "tls_ca is missing: without it nobody knows which stores to trust");
    }
    if (!table_.token_file.empty()) {
      Wrong(*root_.get("token_file"),
            "a token needs TLS, as whoever sees it on its way may use it: give tls_ca, or no "
            "token_file");
    }
  }

  void ReadFile(std::string_view name, std::string* path) {
    const toml::node* node = root_.get(name);
    if (node == nullptr) return;
    *path = node->value_exact<std::string>().value_or("");
    if (path->empty()) Wrong(*node, std::string(name) + " must be a text, the path of a file");
  }

  void ReadEndpoint(const toml::node& node) {
    const auto address = node.value_exact<std::string>();
    if (!address.has_value()) return Wrong(node, "an endpoint must be a text, \"HOST:PORT\"");
    if (const auto parsed = net::ParseHostPort(*address); !parsed.ok()) {
      return Wrong(node, std::string(parsed.status().message()));
    }
    table_.endpoints.push_back(*address);
  }

  void ReadService(std::string_view name, const toml::node& node) {
    const toml::table* settings = node.as_table();
    const std::string quoted = "service \"" + std::string(name) + "\"";
    if (settings == nullptr) return Wrong(node, quoted + " must be a table");
    RefuseOthers(*settings, {"namespace", "prefix", "mode"});
    Service service;
    if (!ReadText(*settings, quoted, "namespace", &service.ns)) return;
    if (!ReadText(*settings, quoted, "prefix", &service.prefix)) return;
    std::string mode;
    if (!ReadText(*settings, quoted, "mode", &mode)) return;
    if (mode != "strong") {
      return Wrong(*settings->get("mode"),
                   quoted + " has mode \"" + mode +
                       "\": metadata is written under conditions, which only \"strong\" has");
    }
    for (const auto& [other_name, other] : table_.services) {
      if (service.ns == other.ns &&
          (service.prefix.starts_with(other.prefix) || other.prefix.starts_with(service.prefix))) {
        return Wrong(*settings->get("prefix"),
                     quoted + " would share keys with \"" + other_name +
                         "\": of two prefixes in a namespace neither may begin with the other");
      }
    }
    table_.services.emplace(name, std::move(service));
  }

  bool ReadText(const toml::table& settings, const std::string& service, std::string_view name,
                std::string* text) {
    const toml::node* node = settings.get(name);
    const auto value = node == nullptr ? std::nullopt : node->value_exact<std::string>();
    if (value.has_value() && !value->empty()) {
      *text = *value;
      return true;
    }
    Wrong(node == nullptr ? static_cast<const toml::node&>(settings) : *node,
          service + " needs a " + std::string(name) + ", a text that is not empty");
    return false;
  }

  const std::string& file_;
  const toml::table& root_;
  ServiceTable table_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Service> ServiceTable::Find(const std::string& name) const {
  if (const auto found = services.find(name); found != services.end()) return found->second;
  std::string names;
  for (const auto& [known, service] : services) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", known);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no service \"", name, "\" in the table, only ", names));
}

absl::StatusOr<ServiceTable> ParseServiceTable(std::string_view text, const std::string& file) {
  try {
    const toml::table root = toml::parse(text, file);
    return Reader(file, root).Read();
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return absl::InvalidArgumentError(absl::StrCat(file, ":", at.line, ":", at.column, ": ",
                                                   ToAbsl(std::string_view(error.description()))));
  }
}

absl::StatusOr<ServiceTable> ReadServiceTable(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file) {
    errno = 0;
    text << file.rdbuf();  // Of a folder it is the first read that fails.
  }
  if (errno != 0) {
    return absl::UnavailableError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  return ParseServiceTable(text.str(), path);
}

}  // namespace flaredb::metadata
