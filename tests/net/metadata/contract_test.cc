// SPDX-License-Identifier: Apache-2.0
// What net/metadata/metadata_store.h promises, asked of every adapter: the one in memory, and the
// one on three real stores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "net/client/client.h"
#include "net/metadata/flaredb_metadata_store.h"
#include "net/metadata/memory_metadata_store.h"
#include "net/metadata/metadata_store.h"
#include "tests/e2e/local_cluster.h"

namespace flaredb::metadata {
namespace {

using client::Applied;
using client::Error;
using client::Mismatch;
using client::Row;
using client::Unknown;
using testing::ElementsAre;
using testing::IsEmpty;

// One cluster and one client for all tests of the process; each test has prefixes of its own.
class Cluster : public testing::Environment {
 public:
  void TearDown() override {
    client_.reset();
    stores_.reset();
  }
  std::shared_ptr<client::Client> client() {
    if (client_ == nullptr) {
      stores_ = std::make_unique<LocalCluster>();
      client_ = client::Client::Create(
                    {.endpoints = stores_->addresses(), .timeout = Duration::Seconds(30)})
                    .value();
    }
    return client_;
  }

 private:
  std::unique_ptr<LocalCluster> stores_;
  std::shared_ptr<client::Client> client_;
};
Cluster* const cluster = static_cast<Cluster*>(testing::AddGlobalTestEnvironment(new Cluster));

struct Adapter {
  const char* name;
  // An empty store. Stores of different names share nothing.
  std::function<std::unique_ptr<MetadataStore>(const std::string& name)> open;
  friend std::ostream& operator<<(std::ostream& out, const Adapter& adapter) {
    return out << adapter.name;
  }
};

class MetadataContract : public testing::TestWithParam<Adapter> {
 protected:
  // Prefixes that begin with the test's name, so that its stores are neighbours of each other.
  std::unique_ptr<MetadataStore> Open(const std::string& name = "store") {
    return GetParam().open(
        std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "/" + name +
        "/");
  }

  std::unique_ptr<MetadataStore> store_ = Open();
};

std::optional<VersionedValue> Got(Result<std::optional<VersionedValue>> result) {
  if (const auto* error = std::get_if<Error>(&result)) {
    ADD_FAILURE() << error->message;
    return std::nullopt;
  }
  return std::get<0>(std::move(result));
}

// The version that was written; fails the test unless it was.
template <typename WriteResult>
uint64_t Version(const WriteResult& result) {
  if (const auto* applied = std::get_if<Applied>(&result)) return applied->version;
  if (const auto* error = std::get_if<Error>(&result)) ADD_FAILURE() << error->message;
  if (const auto* unknown = std::get_if<Unknown>(&result)) ADD_FAILURE() << unknown->message;
  ADD_FAILURE() << "not applied";
  return 0;
}

void ExpectMismatch(const CasResult& result, uint64_t version) {
  ASSERT_TRUE(std::holds_alternative<Mismatch>(result)) << result.index();
  EXPECT_EQ(std::get<Mismatch>(result).version, version);
}

template <typename AnyResult>
void ExpectRefused(const AnyResult& result) {
  ASSERT_TRUE(std::holds_alternative<Error>(result)) << result.index();
  EXPECT_EQ(std::get<Error>(result).kind, Error::kRefused);
}

std::vector<Row> All(MetadataStore* store, const std::string& prefix, uint32_t limit = 0) {
  std::vector<Row> rows;
  std::string token;
  do {
    Result<Page> result = store->List(prefix, limit, token);
    if (const auto* error = std::get_if<Error>(&result)) {
      ADD_FAILURE() << error->message;
      return rows;
    }
    auto& page = std::get<Page>(result);
    EXPECT_TRUE(limit == 0 || page.rows.size() <= limit);
    rows.insert(rows.end(), page.rows.begin(), page.rows.end());
    token = page.next_page_token;
  } while (!token.empty());
  return rows;
}

std::vector<std::string> Keys(MetadataStore* store, const std::string& prefix, uint32_t limit = 0) {
  std::vector<std::string> keys;
  for (Row& row : All(store, prefix, limit)) keys.push_back(std::move(row.key));
  return keys;
}

TEST_P(MetadataContract, AMissingKeyIsNoError) {
  EXPECT_EQ(Got(store_->Get("k")), std::nullopt);
  EXPECT_THAT(All(store_.get(), ""), IsEmpty());
}

TEST_P(MetadataContract, WhatWasWrittenIsRead) {
  EXPECT_EQ(Version(store_->PutIf("k", "one", 0)), 1u);
  EXPECT_EQ(Got(store_->Get("k")), (VersionedValue{"one", 1}));
  EXPECT_EQ(Version(store_->PutIf("k", "two", 1)), 2u);
  EXPECT_EQ(Got(store_->Get("k")), (VersionedValue{"two", 2}));
  EXPECT_EQ(Version(store_->Put("k", "")), 3u);
  EXPECT_EQ(Got(store_->Get("k")), (VersionedValue{"", 3}));
}

TEST_P(MetadataContract, AnotherVersionIsAMismatchAndChangesNothing) {
  ExpectMismatch(store_->PutIf("k", "x", 1), 0);
  ExpectMismatch(store_->DeleteIf("k", 1), 0);
  EXPECT_EQ(Version(store_->Put("k", "one")), 1u);
  EXPECT_EQ(Version(store_->Put("k", "two")), 2u);
  ExpectMismatch(store_->PutIf("k", "x", 0), 2);
  ExpectMismatch(store_->PutIf("k", "x", 1), 2);
  ExpectMismatch(store_->PutIf("k", "x", 3), 2);
  ExpectMismatch(store_->DeleteIf("k", 1), 2);
  EXPECT_EQ(Got(store_->Get("k")), (VersionedValue{"two", 2}));
}

TEST_P(MetadataContract, APutCreatesAndOverwrites) {
  EXPECT_EQ(Version(store_->Put("k", "one")), 1u);
  EXPECT_EQ(Version(store_->Put("k", "two")), 2u);
  EXPECT_EQ(Version(store_->Put("other", "x")), 1u);
  EXPECT_EQ(Got(store_->Get("k")), (VersionedValue{"two", 2}));
}

TEST_P(MetadataContract, ADeleteTakesAVersion) {
  EXPECT_EQ(Version(store_->Put("k", "one")), 1u);
  EXPECT_EQ(Version(store_->DeleteIf("k", 1)), 0u);
  EXPECT_EQ(Got(store_->Get("k")), std::nullopt);
  ExpectMismatch(store_->DeleteIf("k", 1), 0);
  EXPECT_EQ(Version(store_->PutIf("k", "two", 0)), 3u);
  ExpectMismatch(store_->PutIf("k", "late", 1), 3);
}

TEST_P(MetadataContract, ADeleteWithoutAVersionDeletesWhatIsThere) {
  EXPECT_EQ(Version(store_->Delete("k")), 0u);
  EXPECT_EQ(Version(store_->Put("k", "one")), 1u);
  EXPECT_EQ(Version(store_->Delete("k")), 0u);
  EXPECT_EQ(Version(store_->Delete("k")), 0u);
  EXPECT_EQ(Got(store_->Get("k")), std::nullopt);
  EXPECT_EQ(Version(store_->Put("k", "two")), 3u);
}

TEST_P(MetadataContract, KeysAndValuesAreAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(Version(store_->Put(bytes, bytes)), 1u);
  EXPECT_EQ(Got(store_->Get(bytes)), (VersionedValue{bytes, 1}));
  EXPECT_THAT(All(store_.get(), std::string("\0\1", 2)), ElementsAre(Row{bytes, bytes, 1}));
}

TEST_P(MetadataContract, AListIsInTheOrderOfBytes) {
  const std::vector<std::string> keys = {
      std::string(1, '\0'), "A", "a", "a\x01", "aa", "b", "\x7f", "\x80", "\xff"};
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) Version(store_->Put(*key, "v"));
  EXPECT_EQ(Keys(store_.get(), ""), keys);
}

TEST_P(MetadataContract, AListHoldsThePrefixAndNothingElse) {
  for (const char* key :
       {"a", "ab", "ab\xff", "ab\xff\xff", "ac", "b", "\xff", "\xff\xff", "\xff\xff\x01"}) {
    Version(store_->Put(key, "v"));
  }
  EXPECT_THAT(Keys(store_.get(), "ab"), ElementsAre("ab", "ab\xff", "ab\xff\xff"));
  EXPECT_THAT(Keys(store_.get(), "ab\xff"), ElementsAre("ab\xff", "ab\xff\xff"));
  EXPECT_THAT(Keys(store_.get(), "\xff"), ElementsAre("\xff", "\xff\xff", "\xff\xff\x01"));
  EXPECT_THAT(Keys(store_.get(), "\xff\xff"), ElementsAre("\xff\xff", "\xff\xff\x01"));
  EXPECT_THAT(Keys(store_.get(), "x"), IsEmpty());
}

TEST_P(MetadataContract, AListTellsValuesAndVersionsAndNoDeletedKeys) {
  Version(store_->Put("a", "1"));
  Version(store_->Put("b", "1"));
  Version(store_->Put("c", "1"));
  Version(store_->Put("c", "2"));
  Version(store_->Delete("b"));
  EXPECT_THAT(All(store_.get(), ""), ElementsAre(Row{"a", "1", 1}, Row{"c", "2", 2}));
}

TEST_P(MetadataContract, PagesTogetherAreTheList) {
  std::vector<std::string> keys;
  for (int i = 10; i < 35; ++i) {
    keys.push_back("k" + std::to_string(i));
    Version(store_->Put(keys.back(), "v"));
  }
  Version(store_->Put("l", "v"));
  for (const uint32_t limit : {1, 7, 25, 100}) EXPECT_EQ(Keys(store_.get(), "k", limit), keys);
}

TEST_P(MetadataContract, APageGoesOnBehindTheOneBeforeWhateverWasWritten) {
  for (const char* key : {"b", "d", "f"}) Version(store_->Put(key, "v"));
  const auto first = store_->List("", 2, "");
  ASSERT_TRUE(std::holds_alternative<Page>(first));
  Version(store_->Put("a", "before"));
  Version(store_->Delete("b"));
  Version(store_->Put("e", "behind"));
  const auto second = store_->List("", 2, std::get<Page>(first).next_page_token);
  ASSERT_TRUE(std::holds_alternative<Page>(second));
  std::vector<std::string> keys;
  for (const auto* page : {&first, &second}) {
    for (const Row& row : std::get<Page>(*page).rows) keys.push_back(row.key);
  }
  // "e" is behind all of the first page; it may be missed only where that page's end is known.
  EXPECT_THAT(keys, testing::AnyOf(ElementsAre("b", "d", "e", "f"), ElementsAre("b", "d", "f")));
}

TEST_P(MetadataContract, APageTokenOfAnotherListIsRefused) {
  for (const char* key : {"a1", "a2", "b1"}) Version(store_->Put(key, "v"));
  const auto page = store_->List("a", 1, "");
  ASSERT_TRUE(std::holds_alternative<Page>(page));
  ExpectRefused(store_->List("b", 1, std::get<Page>(page).next_page_token));
}

TEST_P(MetadataContract, StoresShareNothing) {
  const auto before = Open("storf");
  const auto behind = Open("storz");
  Version(before->Put("k", "before"));
  Version(behind->Put("k", "behind"));
  EXPECT_EQ(Got(store_->Get("k")), std::nullopt);
  EXPECT_THAT(All(store_.get(), ""), IsEmpty());
  Version(store_->Put("k", "mine"));
  EXPECT_THAT(All(store_.get(), ""), ElementsAre(Row{"k", "mine", 1}));
  EXPECT_THAT(All(before.get(), ""), ElementsAre(Row{"k", "before", 1}));
}

TEST_P(MetadataContract, WhatExceedsALimitIsRefused) {
  const std::string long_key(8193, 'k');
  ExpectRefused(store_->Get(long_key));
  ExpectRefused(store_->Put(long_key, "v"));
  ExpectRefused(store_->DeleteIf(long_key, 1));
  ExpectRefused(store_->Put("", "v"));
  ExpectRefused(store_->Get(""));
  ExpectRefused(store_->PutIf("", "v", 0));
  ExpectRefused(store_->Delete(""));
  ExpectRefused(store_->DeleteIf("k", 0));
  const std::string mebibyte(1 << 20, 'v');
  ExpectRefused(store_->Put("k", mebibyte + "v"));
  EXPECT_EQ(Version(store_->Put("k", mebibyte)), 1u);
  EXPECT_EQ(Got(store_->Get("k")), (VersionedValue{mebibyte, 1}));
}

TEST_P(MetadataContract, ThreadsThatCountTogetherMissNothing) {
  constexpr int kThreads = 6;
  constexpr int kSteps = 20;
  Version(store_->Put("n", "0"));
  const auto count = [&] {
    for (int step = 0; step < kSteps;) {
      const std::optional<VersionedValue> now = Got(store_->Get("n"));
      ASSERT_TRUE(now.has_value());
      const CasResult result =
          store_->PutIf("n", std::to_string(std::stoi(now->value) + 1), now->version);
      if (!std::holds_alternative<Mismatch>(result)) {
        EXPECT_EQ(Version(result), now->version + 1);
        ++step;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(count);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Got(store_->Get("n")),
            (VersionedValue{std::to_string(kThreads * kSteps), kThreads * kSteps + 1}));
}

INSTANTIATE_TEST_SUITE_P(, MetadataContract,
                         testing::Values(Adapter{"Memory",
                                                 [](const std::string&) {
                                                   return std::make_unique<MemoryMetadataStore>();
                                                 }},
                                         Adapter{"Flaredb",
                                                 [](const std::string& name) {
                                                   return std::make_unique<FlaredbMetadataStore>(
                                                       cluster->client(),
                                                       Service{.ns = "default", .prefix = name});
                                                 }}),
                         [](const testing::TestParamInfo<Adapter>& info) {
                           return info.param.name;
                         });

}  // namespace
}  // namespace flaredb::metadata
