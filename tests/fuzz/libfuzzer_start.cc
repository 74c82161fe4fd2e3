// SPDX-License-Identifier: Apache-2.0
// Makes a libFuzzer program fit `bazel run`: it starts from the corpus of its target, and works in
// the folder in which the user is.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace fs = std::filesystem;

// By libFuzzer's convention; called before it reads its arguments.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const char* folder = getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr) return 0;
  // Not the corpus folder itself: libFuzzer would write to it.
  std::vector<std::string> seeds;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(FUZZ_CORPUS, error)) {
    seeds.push_back(fs::absolute(entry.path()).string());
  }
  std::sort(seeds.begin(), seeds.end());
  static std::string option = "-seed_inputs=";
  for (const std::string& seed : seeds) option += (seed == seeds[0] ? "" : ",") + seed;

  static std::vector<char*> arguments(*argv, *argv + *argc);
  if (!seeds.empty()) arguments.push_back(option.data());
  arguments.push_back(nullptr);
  *argc = static_cast<int>(arguments.size()) - 1;
  *argv = arguments.data();
  fs::current_path(folder, error);
  return 0;
}
