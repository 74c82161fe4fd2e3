// SPDX-License-Identifier: Apache-2.0
// Calls the fuzz target that it is linked with for every file named, and for every file of every
// folder named, in order. Needs no clang: the corpora are tests, and a found input is replayed by
// the compiler that found nothing else.
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace fs = std::filesystem;

namespace {

// What `path` stands for; nothing when there is no such file or folder.
std::vector<fs::path> FilesAt(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, error)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  // `bazel run` changes the folder.
  if (const char* folder = getenv("BUILD_WORKING_DIRECTORY")) {
    std::error_code error;
    fs::current_path(folder, error);
  }
  size_t inputs = 0;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& path : FilesAt(argv[i])) {
      std::ifstream in(path, std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)), {});
      if (!in) {
        fprintf(stderr, "can't read %s: name files, or folders of files, with inputs\n",
                path.c_str());
        return 2;
      }
      fprintf(stderr, "%s\n", path.c_str());
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      ++inputs;
    }
  }
  if (inputs == 0) {
    fprintf(stderr,
            "no inputs: name files or folders with some; to look for new ones, run the target with "
            "--config=fuzz (docs/SIMULATION.md)\n");
    return 2;
  }
  printf("inputs=%zu\n", inputs);
  return 0;
}
