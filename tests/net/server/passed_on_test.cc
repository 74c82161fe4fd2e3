// SPDX-License-Identifier: Apache-2.0
#include "net/server/passed_on.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "core/kv/key.h"
#include "core/store/request.h"

namespace flaredb::net {
namespace {

const std::string kKey = kv::EncodeKey(kv::NamespaceId::kDefault, "k");

store::StoreMessage Get(uint64_t id, const std::string& key, RegionId region = RegionId(1)) {
  store::ForwardedRequest forwarded;
  forwarded.id = id;
  forwarded.region = region;
  store::GetRequest get;
  get.key = key;
  forwarded.request.operation = get;
  return forwarded;
}

store::StoreMessage Reply(uint64_t id, store::Result result) {
  return store::ForwardedReply{id, {std::move(result), Index(1)}};
}

TEST(PassedOn, WhoAnswersIsToldUntilTheTurnEnds) {
  PassedOn passed_on;
  passed_on.OnSent(Get(1, "k", RegionId(7)));
  EXPECT_EQ(passed_on.Find(kKey), nullptr);
  passed_on.OnReceived(StoreId(3), Reply(1, store::GetReply()));
  ASSERT_NE(passed_on.Find(kKey), nullptr);
  EXPECT_EQ(passed_on.Find(kKey)->region, RegionId(7));
  EXPECT_EQ(passed_on.Find(kKey)->from, StoreId(3));
  EXPECT_EQ(passed_on.Find(kv::EncodeKey(kv::NamespaceId::kDefault, "l")), nullptr);
  passed_on.EndTurn();
  EXPECT_EQ(passed_on.Find(kKey), nullptr);
  passed_on.OnReceived(StoreId(3), Reply(1, store::GetReply()));  // Once more.
  EXPECT_EQ(passed_on.Find(kKey), nullptr);
}

TEST(PassedOn, ARefusalTellsOfNoLeader) {
  PassedOn passed_on;
  passed_on.OnSent(Get(1, "k"));
  passed_on.OnReceived(StoreId(3), Reply(1, store::Error()));
  EXPECT_EQ(passed_on.Find(kKey), nullptr);
}

TEST(PassedOn, WritesAndScansCountAndWhatStoresAskForDoesNot) {
  PassedOn passed_on;
  store::ForwardedRequest forwarded;
  forwarded.region = RegionId(1);
  uint64_t id = 0;
  kv::CompareAndSwap cas;
  cas.ns = kv::NamespaceId::kDefault;
  cas.key = "cas";
  kv::CompareAndDelete del;
  del.ns = kv::NamespaceId::kDefault;
  del.key = "del";
  store::ScanRequest scan;
  scan.begin = "scan";
  for (const store::Operation& operation :
       {store::Operation{cas}, store::Operation{del}, store::Operation{scan},
        store::Operation{store::QueryRequest{"query", ""}}}) {
    forwarded.id = ++id;
    forwarded.request.operation = operation;
    passed_on.OnSent(forwarded);
    passed_on.OnReceived(StoreId(3), Reply(id, store::GetReply()));
  }
  for (const char* key : {"cas", "del", "scan"}) {
    EXPECT_NE(passed_on.Find(kv::EncodeKey(kv::NamespaceId::kDefault, key)), nullptr) << key;
  }
  EXPECT_EQ(passed_on.Find(kv::EncodeKey(kv::NamespaceId::kDefault, "query")), nullptr);
  EXPECT_EQ(passed_on.Find(""), nullptr);
}

TEST(PassedOn, CallsThatAreNeverAnsweredDoNotPileUp) {
  PassedOn passed_on;
  for (uint64_t id = 1; id <= PassedOn::kUnderWayMax + 1; ++id) {
    passed_on.OnSent(Get(id, std::to_string(id)));
  }
  passed_on.OnReceived(StoreId(3), Reply(1, store::GetReply()));
  EXPECT_EQ(passed_on.Find(kv::EncodeKey(kv::NamespaceId::kDefault, "1")), nullptr);
  passed_on.OnReceived(StoreId(3), Reply(2, store::GetReply()));
  EXPECT_NE(passed_on.Find(kv::EncodeKey(kv::NamespaceId::kDefault, "2")), nullptr);
}

}  // namespace
}  // namespace flaredb::net
