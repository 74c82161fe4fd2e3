// SPDX-License-Identifier: Apache-2.0
// The property that every decoder has: damaged bytes are refused, or are the encoding of something
// else; a second spelling of the same value does not exist.
#ifndef FLAREDB_TESTS_CORE_BASE_EXACT_DECODING_H_
#define FLAREDB_TESTS_CORE_BASE_EXACT_DECODING_H_

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "core/base/rng.h"

namespace flaredb {

// `bytes` with one to three small defects: what torn, flipped and foreign bytes look like. The
// bytes that matter in varints, flags and counts are favoured.
inline std::string Damaged(std::string bytes, Rng* rng) {
  static constexpr uint8_t kTelling[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0xff};
  for (uint64_t defects = rng->Between(1, 3); defects > 0; --defects) {
    const size_t at = rng->Below(bytes.size() + 1);
    const char byte = static_cast<char>(rng->Chance(500000) ? kTelling[rng->Below(sizeof(kTelling))]
                                                            : rng->Below(256));
    switch (rng->Below(6)) {
      case 0:
        bytes.insert(at, 1, byte);
        break;
      case 1:
        bytes.erase(at, 1);
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        if (at < bytes.size()) bytes[at] = byte;
        break;
      case 4:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng->Below(8)));
        break;
      case 5:
        if (at + 1 < bytes.size()) std::swap(bytes[at], bytes[at + 1]);
        break;
    }
  }
  return bytes;
}

// Tells of any `bytes` whether they are refused with DATA_LOSS (false) or decode to a value with
// this very encoding (true); anything else fails the test.
template <typename Decode, typename Encode>
bool DecodesExactly(const std::string& bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  if (!value.ok()) {
    EXPECT_EQ(value.status().code(), absl::StatusCode::kDataLoss) << value.status();
    return false;
  }
  EXPECT_EQ(encode(*value), bytes);
  return true;
}

// Every sample decodes; its damaged copies decode exactly or not at all, and both happen.
template <typename Decode, typename Encode>
void ExpectExactDecoding(const std::vector<std::string>& samples, uint64_t seed, Decode decode,
                         Encode encode) {
  Rng rng(seed);
  int refused = 0;
  int accepted = 0;
  for (const std::string& sample : samples) {
    ASSERT_TRUE(DecodesExactly(sample, decode, encode));
    for (int i = 0; i < 3000; ++i) {
      ++(DecodesExactly(Damaged(sample, &rng), decode, encode) ? accepted : refused);
      if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << " round " << i;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(accepted, 0);
}

}  // namespace flaredb

#endif  // FLAREDB_TESTS_CORE_BASE_EXACT_DECODING_H_
