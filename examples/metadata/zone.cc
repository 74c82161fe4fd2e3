// SPDX-License-Identifier: Apache-2.0
#include "examples/metadata/zone.h"

#include <cstdint>
#include <optional>
#include <variant>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace flaredb::examples {
namespace {

using Addresses = std::set<std::string>;

Addresses Decode(const std::string& value) { return absl::StrSplit(value, ' ', absl::SkipEmpty()); }
std::string Encode(const Addresses& addresses) { return absl::StrJoin(addresses, " "); }

absl::Status StatusOf(const client::Error& error) {
  return error.kind == client::Error::kRefused || error.kind == client::Error::kNotFound
             ? absl::FailedPreconditionError(error.message)
             : absl::UnavailableError(error.message);
}

}  // namespace

template <typename Change>
absl::Status Zone::Update(const std::string& name, const Change& change) {
  for (;;) {
    auto read = store_->Get(name);
    if (const auto* error = std::get_if<client::Error>(&read)) return StatusOf(*error);
    const auto& found = std::get<0>(read);
    Addresses addresses = found.has_value() ? Decode(found->value) : Addresses();
    if (!change(&addresses)) return absl::OkStatus();

    const uint64_t version = found.has_value() ? found->version : 0;
    const client::CasResult written = addresses.empty()
                                          ? store_->DeleteIf(name, version)
                                          : store_->PutIf(name, Encode(addresses), version);
    if (std::holds_alternative<client::Applied>(written)) return absl::OkStatus();
    if (const auto* error = std::get_if<client::Error>(&written)) return StatusOf(*error);
    if (const auto* unknown = std::get_if<client::Unknown>(&written)) {
      return absl::UnknownError(unknown->message);
    }
    // A mismatch: somebody else changed the name in between. Their change stays.
  }
}

absl::Status Zone::Add(const std::string& name, const std::string& address) {
  return Update(name, [&](Addresses* addresses) { return addresses->insert(address).second; });
}

absl::Status Zone::Remove(const std::string& name, const std::string& address) {
  return Update(name, [&](Addresses* addresses) { return addresses->erase(address) > 0; });
}

absl::StatusOr<std::map<std::string, Addresses>> Zone::List(const std::string& prefix) {
  std::map<std::string, Addresses> names;
  std::string page_token;
  do {
    auto result = store_->List(prefix, 0, page_token);
    if (const auto* error = std::get_if<client::Error>(&result)) return StatusOf(*error);
    const auto& page = std::get<client::Page>(result);
    for (const client::Row& row : page.rows) names[row.key] = Decode(row.value);
    page_token = page.next_page_token;
  } while (!page_token.empty());
  return names;
}

}  // namespace flaredb::examples
