// SPDX-License-Identifier: Apache-2.0
#include "net/server/members.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "net/address.h"

namespace flaredb::net {
namespace {

absl::Status BadMember(std::string_view part, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", ToAbsl(part), "\" in the list of stores ", ToAbsl(why),
                   ": write ID=HOST:PORT, such as 1=127.0.0.1:50051, separated by commas"));
}

absl::Status AddMember(std::string_view part, Members* members) {
  const size_t equals = part.find('=');
  if (equals == std::string_view::npos) return BadMember(part, "has no \"=\"");
  uint64_t id = 0;
  const char* end = part.data() + equals;
  const auto [parsed, error] = std::from_chars(part.data(), end, id);
  if (error != std::errc() || parsed != end || id == 0) {
    return BadMember(part, "has no id that is a number from 1 up");
  }
  const std::string_view address = part.substr(equals + 1);
  const absl::StatusOr<HostPort> host_port = ParseHostPort(address);
  if (!host_port.ok() || host_port->port == 0) return BadMember(part, "has no usable address");
  for (const auto& [other, other_address] : *members) {
    if (other_address == address) return BadMember(part, "repeats the address of another store");
  }
  if (!members->emplace(StoreId(id), std::string(address)).second) {
    return BadMember(part, "repeats the id of another store");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Members> ParseMembers(std::string_view text) {
  Members members;
  for (bool more = true; more;) {
    const size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    if (absl::Status s = AddMember(text.substr(0, comma), &members); !s.ok()) return s;
    if (more) text.remove_prefix(comma + 1);
  }
  return members;
}

std::string FormatMembers(const Members& members) {
  std::string text;
  for (const auto& [id, address] : members) {
    absl::StrAppend(&text, text.empty() ? "" : ",", id.value(), "=", address);
  }
  return text;
}

}  // namespace flaredb::net
