// SPDX-License-Identifier: Apache-2.0
// How a service is tested: on the store in memory, and on one that fails when the test wants it to.
#include "examples/metadata/zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "net/metadata/memory_metadata_store.h"

namespace flaredb::examples {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// Another writer is faster, or the network fails: `before_write` runs before each PutIf, whose
// result is Unknown if it says so.
class TroubledStore : public metadata::MemoryMetadataStore {
 public:
  std::function<bool()> before_write = [] { return false; };

  client::CasResult PutIf(std::string_view key, std::string_view value, uint64_t version) override {
    const bool unknown = std::exchange(before_write, [] { return false; })();
    auto result = MemoryMetadataStore::PutIf(key, value, version);
    if (unknown) return client::Unknown{{}, "the network failed"};
    return result;
  }
};

TEST(Zone, NamesHaveAddresses) {
  metadata::MemoryMetadataStore store;
  Zone zone(&store);
  EXPECT_TRUE(zone.Add("www", "192.0.2.2").ok());
  EXPECT_TRUE(zone.Add("www", "192.0.2.1").ok());
  EXPECT_TRUE(zone.Add("www", "192.0.2.1").ok());
  EXPECT_TRUE(zone.Add("mail", "192.0.2.9").ok());
  EXPECT_THAT(*zone.List(""), ElementsAre(Pair("mail", ElementsAre("192.0.2.9")),
                                          Pair("www", ElementsAre("192.0.2.1", "192.0.2.2"))));
  EXPECT_TRUE(zone.Remove("www", "192.0.2.1").ok());
  EXPECT_TRUE(zone.Remove("www", "192.0.2.1").ok());
  EXPECT_TRUE(zone.Remove("mail", "192.0.2.9").ok());
  EXPECT_THAT(*zone.List(""), ElementsAre(Pair("www", ElementsAre("192.0.2.2"))));
  EXPECT_THAT(*zone.List("mail"), IsEmpty());
}

TEST(Zone, AChangeOfSomebodyElseStays) {
  TroubledStore store;
  Zone zone(&store);
  store.before_write = [&] {
    EXPECT_TRUE(Zone(&store).Add("www", "192.0.2.1").ok());
    return false;
  };
  EXPECT_TRUE(zone.Add("www", "192.0.2.2").ok());
  EXPECT_THAT(*zone.List("www"), ElementsAre(Pair("www", ElementsAre("192.0.2.1", "192.0.2.2"))));
}

TEST(Zone, WhatNobodyKnowsIsDoneAgain) {
  TroubledStore store;
  Zone zone(&store);
  store.before_write = [] { return true; };
  EXPECT_EQ(zone.Add("www", "192.0.2.1").code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(zone.Add("www", "192.0.2.1").ok());
  EXPECT_THAT(*zone.List(""), ElementsAre(Pair("www", ElementsAre("192.0.2.1"))));
}

}  // namespace
}  // namespace flaredb::examples
