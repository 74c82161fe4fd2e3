// SPDX-License-Identifier: Apache-2.0
#include "core/kv/command.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "tests/core/base/exact_decoding.h"

namespace flaredb::kv {
namespace {

using std::string_literals::operator""s;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

std::vector<Command> Samples() {
  const Retry retry{{1, 2, 3}, Index(300)};
  return {
      CompareAndSwap{NamespaceId::kDefault, "key", "value", Version(0), {}},
      CompareAndSwap{
          NamespaceId{0xffffffff}, "", "", Version(kMax), {{kMax, kMax, kMax}, Index::Max()}},
      CompareAndSwap{NamespaceId::kDefault, std::string(200, 'k'), "v\0\xff"s, Version(129), retry},
      CompareAndDelete{NamespaceId::kDefault, "key", Version(1), {}},
      CompareAndDelete{NamespaceId{128}, "", Version(kMax), retry},
  };
}

TEST(Command, ComesBack) {
  for (const Command& command : Samples()) {
    const absl::StatusOr<Command> decoded = DecodeCommand(EncodeCommand(command));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(*decoded == command);
  }
}

TEST(Command, HasTheBytesOfTheFormatPage) {
  EXPECT_EQ(EncodeCommand(CompareAndSwap{NamespaceId::kDefault, "k", "val", Version(5), {}}),
            "\x01\x01\x01\x00\x00\x05\x01kval"s);
  EXPECT_EQ(EncodeCommand(
                CompareAndDelete{NamespaceId::kDefault, "k", Version(5), {{1, 2, 3}, Index(300)}}),
            "\x01\x02\x01\x01\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\x03\xac\x02\x05k"s);
}

TEST(Command, DamagedBytesAreRefusedOrMeanSomethingElse) {
  std::vector<std::string> samples;
  for (const Command& command : Samples()) samples.push_back(EncodeCommand(command));
  ExpectExactDecoding(samples, 11, DecodeCommand, EncodeCommand);
}

TEST(Command, OfUnknownKindOrFormatIsRefused) {
  EXPECT_FALSE(DecodeCommand("").ok());
  std::string bytes = EncodeCommand(Samples()[0]);
  bytes[0] = 2;
  EXPECT_FALSE(DecodeCommand(bytes).ok());
  bytes[0] = 1;
  bytes[1] = 3;
  EXPECT_FALSE(DecodeCommand(bytes).ok());
}

TEST(Command, DeletionOfWhatDoesNotExistCannotBeWritten) {
  EXPECT_THROW(EncodeCommand(CompareAndDelete{NamespaceId::kDefault, "k", Version(0), {}}),
               InvariantViolation);
  EXPECT_FALSE(DecodeCommand("\x01\x02\x01\x00\x00\x00k"s).ok());
}

}  // namespace
}  // namespace flaredb::kv
