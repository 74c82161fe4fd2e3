// SPDX-License-Identifier: Apache-2.0
// Recorded histories, of FlareDB's servers and of other systems: which model a file follows, and
// what is known of it.
#ifndef FLAREDB_SIM_HISTORY_CORPUS_H_
#define FLAREDB_SIM_HISTORY_CORPUS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/history/history.h"

namespace flaredb::sim {

enum class CorpusModel : uint8_t {
  kEtcdCasRegister,  // A compare-and-swap register; jepsen_parser.h.
  kKvPartitioned,    // A string map, each key an object of its own; kv_parser.h.
  kKvNoPartition,    // The same as one object over all keys.
  kFlaredb,          // Keys with versions; versioned_parser.h.
};

// "etcd_cas_register", "kv_partitioned", "kv_nopartition", "flaredb".
std::string_view Name(CorpusModel model);
std::optional<CorpusModel> CorpusModelFromName(std::string_view name);

// Reads and checks one history. The status says in one sentence what is wrong with the file.
absl::StatusOr<Verdict> CheckCorpusFile(CorpusModel model, const std::string& path);

// One row of a table of expected verdicts: "file <tab> model <tab> linearizable", the last column
// true or false, after a header of these words.
struct ExpectedRow {
  std::string file;  // Relative to the table's folder.
  CorpusModel model = CorpusModel::kEtcdCasRegister;
  bool linearizable = false;
};

// `file` stands in errors only. A table without rows is an error.
absl::StatusOr<std::vector<ExpectedRow>> ParseExpectedTable(std::string_view file,
                                                            std::string_view text);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_CORPUS_H_
