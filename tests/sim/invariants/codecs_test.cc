// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/codecs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/kv/key.h"
#include "core/kv/record.h"
#include "core/region/state_rows.h"
#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

// Of a version, which is 1, a number from 1 to 5, and as many bytes.
constexpr std::string_view kWritten("\x01\x03xyz", 5);

bool IsExact(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == 1 && bytes[1] >= 1 && bytes[1] <= 5 &&
         bytes.size() == 2 + static_cast<size_t>(bytes[1]);
}

// Whether a decoder is found out in a hundred runs' worth of tries.
bool IsFoundOut(const Codec& codec) {
  Rng rng(1);
  for (int run = 0; run < 100; ++run) {
    if (BrokenCodec(codec, kWritten, &rng)) return true;
  }
  return false;
}

TEST(CodecTest, WhoIsExactPasses) {
  EXPECT_FALSE(IsFoundOut({"a value", [](std::string_view bytes) -> std::optional<std::string> {
                             return IsExact(bytes) ? std::optional(std::string(bytes))
                                                   : std::nullopt;
                           }}));
}

TEST(CodecTest, WhoRefusesWhatWasWrittenIsFoundOut) {
  Rng rng(1);
  const Codec refuses = {"a value",
                         [](std::string_view) -> std::optional<std::string> { return {}; }};
  EXPECT_EQ(BrokenCodec(refuses, kWritten, &rng),
            "a value that a run wrote is refused: 0x010378797a.");
}

TEST(CodecTest, WhoForgetsTheVersionIsFoundOut) {
  EXPECT_TRUE(IsFoundOut({"a value", [](std::string_view bytes) -> std::optional<std::string> {
                            std::string again(bytes);
                            if (!again.empty()) again[0] = 1;
                            return IsExact(again) ? std::optional(again) : std::nullopt;
                          }}));
}

TEST(CodecTest, WhoForgetsTheEndIsFoundOut) {
  EXPECT_TRUE(IsFoundOut({"a value", [](std::string_view bytes) -> std::optional<std::string> {
                            if (bytes.size() < 2) return std::nullopt;
                            const std::string again(
                                bytes.substr(0, 2 + static_cast<uint8_t>(bytes[1])));
                            return IsExact(again) ? std::optional(again) : std::nullopt;
                          }}));
}

TEST(CodecTest, WhoTakesAValueThatThereMayNotBeIsFoundOut) {
  EXPECT_TRUE(IsFoundOut({"a value", [](std::string_view bytes) -> std::optional<std::string> {
                            if (bytes == std::string_view("\x01\x00", 2)) return "";
                            return IsExact(bytes) ? std::optional(std::string(bytes))
                                                  : std::nullopt;
                          }}));
}

// A disk with a region, a record of it, and what its log has.
env::GroupCommit Written(const std::string& record) {
  env::GroupCommit commit;
  env::LogWrite write;
  write.region = kRegion;
  write.create = Incarnation(9);
  write.persist = Append(1, {{1, ""}, {1, Cas("k", 0, "v", 7)}, {1, "", Conf({101, 102}, {101})}});
  commit.log.push_back(std::move(write));
  commit.data.Put(RegionRowKey(kRegion), EncodeRegion(ThreePeers()));
  commit.data.Put(AppliedRowKey(kRegion), EncodeApplied({Term(1), Index(3)}));
  commit.data.Put(ReplicaRowKey(kRegion), EncodeReplicaRow({PeerId(101)}));
  commit.data.Put(kv::EncodeKey(kv::NamespaceId::kDefault, "k"), record);
  commit.data.Put(kv::EncodeKey(kv::NamespaceId::kMachine, "k"), "what its machine wants");
  return commit;
}

TEST(CodecTest, WhatADiskHoldsIsLookedAt) {
  kv::Record record;
  record.version = kv::Version(1);
  record.changed_index = Index(2);
  record.requests.push_back({{1, 7, 1}, kv::Version(1)});
  record.value = "v";
  DiskImage sound;
  ASSERT_EQ(sound.Apply(Written(kv::EncodeRecord(record))), std::nullopt);
  DiskImage damaged;
  ASSERT_EQ(damaged.Apply(Written(kv::EncodeRecord(record).substr(0, 3))), std::nullopt);
  Rng rng(1);
  bool found = false;
  for (int run = 0; run < 100; ++run) {
    EXPECT_EQ(BrokenCodec(kRegion, sound, &rng), std::nullopt);
    found = found || BrokenCodec(kRegion, damaged, &rng).has_value();
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace flaredb::sim
