// SPDX-License-Identifier: Apache-2.0
// Secrets that are known by their digest.
#ifndef FLAREDB_NET_TLS_SECRET_H_
#define FLAREDB_NET_TLS_SECRET_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace flaredb::net {

using Sha256 = std::array<uint8_t, 32>;

Sha256 Sha256Of(std::string_view bytes);
// Takes the same time whether and wherever they differ.
bool SameDigest(const Sha256& a, const Sha256& b);

// 256 bits of the system's generator for keys, as 64 hexadecimal digits.
absl::StatusOr<std::string> DrawSecret();

}  // namespace flaredb::net

#endif  // FLAREDB_NET_TLS_SECRET_H_
