// SPDX-License-Identifier: Apache-2.0
// What a fuzz target is: one function of bytes, in a file of its own, that returns for every input
// unless the code under test has a defect. libFuzzer calls it with inputs that lead to new code
// (--config=fuzz); replay_main.cc calls it with those of the files that it is given.
#ifndef FLAREDB_TESTS_FUZZ_FUZZ_H_
#define FLAREDB_TESTS_FUZZ_FUZZ_H_

#include <stddef.h>
#include <stdint.h>

#include <string_view>

// By libFuzzer's convention. Keeps no state from one call to the next; returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace flaredb {

// The input shows a defect: prints the sentence and aborts, and whoever called keeps the input.
[[noreturn]] void FailFuzzing(std::string_view sentence);

}  // namespace flaredb

#endif  // FLAREDB_TESTS_FUZZ_FUZZ_H_
