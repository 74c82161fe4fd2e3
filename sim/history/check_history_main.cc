// SPDX-License-Identifier: Apache-2.0
// check_history: is a recorded history linearizable?
//   check_history --expected FOLDER/EXPECTED.tsv
//   check_history --model etcd_cas_register FILE
//   check_history --model flaredb FILE
// Exit 0: as expected, or linearizable; 1: not so; 2: bad input.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "sim/history/corpus.h"
#include "sim/history/text_lines.h"

namespace flaredb::sim {
namespace {

constexpr int kWrong = 1;
constexpr int kBadInput = 2;

int BadInput(std::string_view message) {
  std::cerr << "check_history: " << message << "\n";
  return kBadInput;
}

int BadInput(const absl::Status& status) { return BadInput(std::string(status.message())); }

// Bazel runs the program elsewhere; a relative path is still one of the caller's folder.
std::filesystem::path FromCaller(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  return folder == nullptr ? std::filesystem::path(path) : std::filesystem::path(folder) / path;
}

int CheckExpected(const std::filesystem::path& table_path) {
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<std::string> text = ReadTextFile(table_path.string());
  if (!text.ok()) return BadInput(text.status());
  const absl::StatusOr<std::vector<ExpectedRow>> rows =
      ParseExpectedTable(table_path.string(), *text);
  if (!rows.ok()) return BadInput(rows.status());
  size_t right = 0;
  for (const ExpectedRow& row : *rows) {
    const absl::StatusOr<Verdict> verdict =
        CheckCorpusFile(row.model, (table_path.parent_path() / row.file).string());
    if (!verdict.ok()) return BadInput(verdict.status());
    std::cout << row.file << " " << Name(row.model) << " "
              << (verdict->linearizable ? "linearizable" : "not") << "\n";
    if (verdict->linearizable == row.linearizable) ++right;
  }
  const size_t wrong = rows->size() - right;
  std::cout << right << " right, " << wrong << " wrong\n";
  const std::chrono::duration<double, std::milli> total = std::chrono::steady_clock::now() - start;
  std::cerr << "total " << total.count() << " ms\n";
  return wrong == 0 ? 0 : kWrong;
}

int CheckOne(CorpusModel model, const std::string& given, const std::filesystem::path& path) {
  const absl::StatusOr<Verdict> verdict = CheckCorpusFile(model, path.string());
  if (!verdict.ok()) return BadInput(verdict.status());
  std::cout << given << " " << Name(model) << " "
            << (verdict->linearizable ? "linearizable" : "not") << "\n";
  if (!verdict->linearizable) std::cerr << path.string() << ": " << verdict->why << "\n";
  return verdict->linearizable ? 0 : kWrong;
}

int Main(int argc, char** argv) {
  CLI::App app("Is a recorded history linearizable?", "check_history");
  std::string expected;
  std::string model_name;
  std::string file;
  app.add_option("--expected", expected, "Table of files, models and known verdicts to check");
  app.add_option("--model", model_name,
                 "Model of FILE: etcd_cas_register, kv_partitioned, kv_nopartition or flaredb");
  app.add_option("FILE", file, "One history to check");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    return BadInput(std::string(error.what()) + " Run with --help to see the flags.");
  }
  const bool one = !model_name.empty() || !file.empty();
  if (one == !expected.empty() || model_name.empty() != file.empty()) {
    return BadInput("say what to check: either --expected TABLE, or --model MODEL FILE");
  }
  if (!expected.empty()) return CheckExpected(FromCaller(expected));
  const std::optional<CorpusModel> model = CorpusModelFromName(model_name);
  if (!model) {
    return BadInput("unknown model \"" + model_name +
                    "\": use etcd_cas_register, kv_partitioned, kv_nopartition or flaredb");
  }
  return CheckOne(*model, file, FromCaller(file));
}

}  // namespace
}  // namespace flaredb::sim

int main(int argc, char** argv) { return flaredb::sim::Main(argc, argv); }
