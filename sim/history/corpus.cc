// SPDX-License-Identifier: Apache-2.0
#include "sim/history/corpus.h"

#include "sim/history/jepsen_parser.h"
#include "sim/history/kv_model.h"
#include "sim/history/kv_parser.h"
#include "sim/history/register_model.h"
#include "sim/history/text_lines.h"
#include "sim/history/versioned_checker.h"
#include "sim/history/versioned_parser.h"
#include "sim/history/wgl.h"

namespace flaredb::sim {
namespace {

Verdict NoOrder(EventNumber blocked) {
  return {false, "no order of the operations explains the answer to the one invoked in line " +
                     std::to_string(blocked)};
}

template <SequentialModel M>
Verdict Check(M model, const std::vector<std::vector<TimedOp<typename M::Op>>>& parts) {
  const WglResult result = CheckWgl(&model, parts);
  return result.linearizable ? Verdict{} : NoOrder(parts[result.part][result.blocked].invoke);
}

// One object over all keys. Searched as such while that is cheap; a search that gets lost among the
// keys is left for the search key by key, whose verdict is the same since linearizability is local.
std::optional<Verdict> CheckWhole(KvHistory* history) {
  constexpr uint64_t kStepsMax = 1000000;
  KvModel model(history->keys.size(), &history->strings);
  WglSearch<KvModel> search(&model, history->ops);
  const std::optional<bool> verdict = search.Run(kStepsMax);
  if (!verdict) return std::nullopt;
  return *verdict ? Verdict{} : NoOrder(history->ops[search.blocked()].invoke);
}

absl::StatusOr<Verdict> CheckKv(bool partitioned, const std::string& path, std::string_view text) {
  absl::StatusOr<KvHistory> history = ParseKvLog(path, text);
  if (!history.ok()) return history.status();
  if (!partitioned) {
    const std::optional<Verdict> whole = CheckWhole(&*history);
    if (whole) return *whole;
  }
  std::vector<std::vector<TimedOp<KvOp>>> parts(history->keys.size());
  for (const TimedOp<KvOp>& op : history->ops) parts[op.op.key].push_back(op);
  return Check(KvKeyModel(parts.size(), history->ops, &history->strings), parts);
}

}  // namespace

std::string_view Name(CorpusModel model) {
  switch (model) {
    case CorpusModel::kEtcdCasRegister:
      return "etcd_cas_register";
    case CorpusModel::kKvPartitioned:
      return "kv_partitioned";
    case CorpusModel::kKvNoPartition:
      return "kv_nopartition";
    case CorpusModel::kFlaredb:
      return "flaredb";
  }
  return "";
}

std::optional<CorpusModel> CorpusModelFromName(std::string_view name) {
  for (const CorpusModel model : {CorpusModel::kEtcdCasRegister, CorpusModel::kKvPartitioned,
                                  CorpusModel::kKvNoPartition, CorpusModel::kFlaredb}) {
    if (Name(model) == name) return model;
  }
  return std::nullopt;
}

absl::StatusOr<Verdict> CheckCorpusFile(CorpusModel model, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) return text.status();
  if (model == CorpusModel::kFlaredb) {
    const absl::StatusOr<VersionedHistory> history = ParseVersionedLog(path, *text);
    if (!history.ok()) return history.status();
    return CheckVersioned(*history);
  }
  if (model != CorpusModel::kEtcdCasRegister) {
    return CheckKv(model == CorpusModel::kKvPartitioned, path, *text);
  }
  const absl::StatusOr<std::vector<TimedOp<RegisterOp>>> ops = ParseJepsenLog(path, *text);
  if (!ops.ok()) return ops.status();
  return Check(RegisterModel(), {*ops});
}

absl::StatusOr<std::vector<ExpectedRow>> ParseExpectedTable(std::string_view file,
                                                            std::string_view text) {
  std::vector<ExpectedRow> rows;
  size_t number = 0;
  for (const std::string_view line : SplitLines(text)) {
    ++number;
    const std::vector<std::string_view> words = SplitWords(line);
    if (words.empty()) continue;
    const bool header = words == std::vector<std::string_view>{"file", "model", "linearizable"};
    if (number == 1 && header) continue;
    if (number == 1 || words.size() != 3) {
      return LineError(file, number,
                       number == 1 ? "the first line must be: file model linearizable"
                                   : "a row needs three columns: file, model, true or false");
    }
    const std::optional<CorpusModel> model = CorpusModelFromName(words[1]);
    if (!model) {
      return LineError(file, number,
                       "unknown model \"" + std::string(words[1]) +
                           "\": use etcd_cas_register, kv_partitioned, "
                           "kv_nopartition or flaredb");
    }
    if (words[2] != "true" && words[2] != "false") {
      return LineError(file, number, "the last column must be true or false");
    }
    rows.push_back({std::string(words[0]), *model, words[2] == "true"});
  }
  if (rows.empty()) return LineError(file, number, "the table has no rows");
  return rows;
}

}  // namespace flaredb::sim
