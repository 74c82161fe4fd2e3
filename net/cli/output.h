// SPDX-License-Identifier: Apache-2.0
// What commands that talk to a cluster print, as text for standard output.
#ifndef FLAREDB_NET_CLI_OUTPUT_H_
#define FLAREDB_NET_CLI_OUTPUT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/cli/encoding.h"
#include "net/client/cluster.h"
#include "net/client/result.h"

namespace flaredb::net {

enum class Format : uint8_t {
  kTable,  // For people: a line each, fields separated by tabs, escaped for a terminal (text.h).
  kJson,   // For programs: an object a line. Bytes that are no UTF-8 stand as base64 in a member
           // whose name ends in _base64, unless an encoding was asked for.
  kRaw,    // The bytes as they are, and nothing that is only for people.
};

struct OutputStyle {
  Format format = Format::kTable;
  Encoding encoding = Encoding::kNone;  // Of keys and values.
};

// One value: table and raw have nothing but it, or the version and a tab before it; a table ends it
// with a line feed, and leaves the line feeds, tabs and backslashes in it alone; raw does not end
// it (an encoded one it does).
std::string FormatValue(const OutputStyle& style, const client::Row& row, bool with_version);
// No such key. Only JSON says so on standard output.
std::string FormatNotFound(const OutputStyle& style, std::string_view key);
// One row of a listing.
std::string FormatRow(const OutputStyle& style, const client::Row& row, bool keys_only);

// Ends of writes. Table and raw tell only of success on standard output.
std::string FormatApplied(const OutputStyle& style, const client::Applied& applied, bool deletes);
std::string FormatMismatch(const OutputStyle& style, const client::Mismatch& mismatch);
std::string FormatUnknown(const OutputStyle& style, const client::Unknown& unknown);

// The same of namespaces in eventual mode, where writes have times and no versions.
std::string FormatValue(const OutputStyle& style, const client::RawRow& row);
std::string FormatRow(const OutputStyle& style, const client::RawRow& row, bool keys_only);
std::string FormatAccepted(const OutputStyle& style, const client::Accepted& accepted);

// A namespace: of one that was asked for raw has the mode, in a list the name.
std::string FormatNamespace(const OutputStyle& style, const client::NamespaceInfo& ns);
std::string FormatListed(const OutputStyle& style, const client::NamespaceInfo& ns);
// What became of a change of mode, or would.
std::string FormatChanged(const OutputStyle& style, const client::ModeChanged& changed);
// A store with what the regions and the others say of it. Raw has the number; only JSON has what
// the cluster waits for, in each row, so that all are alike.
struct StoreRow {
  client::StoreInfo store;
  uint64_t replicas = 0;
  uint64_t leads = 0;
  bool answers = false;  // The store that was asked has a link to it, or is it.
  std::vector<std::string> cluster_waits_for;
};
std::string FormatStore(const OutputStyle& style, const StoreRow& row);
std::string_view NameOf(client::StoreState state);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_OUTPUT_H_
