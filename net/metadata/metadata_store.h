// SPDX-License-Identifier: Apache-2.0
// Where a service keeps what it must not lose or mix up: keys with versions, written under a
// condition. A service is written against this interface, and so runs on FlareDB and, in its tests,
// in memory.
#ifndef FLAREDB_NET_METADATA_METADATA_STORE_H_
#define FLAREDB_NET_METADATA_METADATA_STORE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/client/result.h"

namespace flaredb::metadata {

using client::CasResult;
using client::Page;
using client::PutResult;
using client::Result;
using client::VersionedValue;

// What every adapter promises; tests/net/metadata holds each of them to it.
//
// Versions. Each key counts its own changes, deletes included: 1, 2, 3... No version of a key is
// issued twice, not even to its next life, so an equal version means that nothing happened.
// Versions of different keys do not compare.
//
// Reads reflect every write that was answered before they began, whoever made it. A page of List is
// one moment; a listing of several pages is not.
//
// Writes take effect once or not at all. Unknown means that nobody could tell in time: it is for
// the caller to read and decide. Error means that nothing happened.
//
// Limits. A key has 1 to 8192 bytes, the prefix of an adapter included, a value at most 1 MiB;
// whatever exceeds that is refused.
//
// Thread-safe; a call blocks its thread for as long as the adapter says.
class MetadataStore {
 public:
  virtual ~MetadataStore() = default;

  // nullopt: there is no such key.
  virtual Result<std::optional<VersionedValue>> Get(std::string_view key) = 0;

  // Writes `value`, whatever is there.
  virtual PutResult Put(std::string_view key, std::string_view value) = 0;
  // Writes `value` if the key is at `version`; 0: if there is no such key.
  virtual CasResult PutIf(std::string_view key, std::string_view value, uint64_t version) = 0;

  // Deletes the key, if it is there; Applied{0} either way.
  virtual PutResult Delete(std::string_view key) = 0;
  // Deletes the key if it is at `version`, which is at least 1: 0 is refused.
  virtual CasResult DeleteIf(std::string_view key, uint64_t version) = 0;

  // Keys that begin with `prefix`, in the order of their bytes, at most `limit` of them (0: as many
  // as the store likes), from the beginning or from where `page_token` says, which is the
  // next_page_token of the page before, of the same prefix. A page may be short, or empty, and not
  // be the last.
  virtual Result<Page> List(std::string_view prefix, uint32_t limit,
                            std::string_view page_token) = 0;
};

}  // namespace flaredb::metadata

#endif  // FLAREDB_NET_METADATA_METADATA_STORE_H_
