// SPDX-License-Identifier: Apache-2.0
#include "net/server/pd_service.h"

#include <gtest/gtest.h>

#include <string>

#include "core/pd/command.h"
#include "proto/pdpb.pb.h"
#include "tests/net/server/pd_server.h"

namespace flaredb::net {
namespace {

using absl::StatusCode;
using errorpb::PlacementRefused;

std::string Method(const std::string& name) { return "/pdpb.Pd/" + name; }

class PdServiceTest : public PdServer {
 protected:
  void Found() { Must(pd::Founding()); }
  // Store 2 joins.
  void Join(uint64_t id = 2) { Must<pd::StoreInfo>(pd::PutStore{pd::StoreOf(id), revision()}); }

  pdpb::SetStoreStateRequest SetTo(uint64_t id, metapb::StoreState state) const {
    pdpb::SetStoreStateRequest request;
    request.set_store_id(id);
    request.set_state(state);
    request.set_seen(revision().value());
    return request;
  }
  PlacementRefused::Reason Reason(const std::string& method,
                                  const google::protobuf::Message& request, StatusCode code) {
    return Refusal(Method(method), request, code).placement_refused().reason();
  }
};

TEST_F(PdServiceTest, SaysWhetherThereIsACluster) {
  auto got = Call<pdpb::GetClusterResponse>(Method("GetCluster"), pdpb::GetClusterRequest());
  EXPECT_FALSE(got.bootstrapped());
  EXPECT_EQ(Reason("ListStores", pdpb::ListStoresRequest(), StatusCode::kUnavailable),
            PlacementRefused::NOT_BOOTSTRAPPED);
  Found();
  got = Call<pdpb::GetClusterResponse>(Method("GetCluster"), pdpb::GetClusterRequest());
  EXPECT_TRUE(got.bootstrapped());
  EXPECT_EQ(got.cluster_id(), 100u);
  EXPECT_EQ(got.revision(), revision().value());
  store_error_.emplace().message = "no leader";
  Refusal(Method("GetCluster"), pdpb::GetClusterRequest(), StatusCode::kUnavailable);
}

TEST_F(PdServiceTest, TellsWhoHoldsThePlacementDriver) {
  Found();
  Join();
  Must(pd::PutRegion{pd::ReportOf(pd::RegionOf(1, "", "", 2, {2, 1}))});
  Join(3);
  const auto got = Call<pdpb::GetMembersResponse>(Method("GetMembers"), pdpb::GetMembersRequest());
  ASSERT_EQ(got.members_size(), 2);
  EXPECT_EQ(got.members(0).id(), 1u);
  EXPECT_EQ(got.members(1).address(), "s2:1");
  EXPECT_EQ(got.leader_store(), 2u);
  EXPECT_EQ(got.region_id(), 1u);
}

TEST_F(PdServiceTest, AStoreJoinsAndIsListed) {
  Found();
  pdpb::PutStoreRequest request;
  request.mutable_store()->set_id(2);
  request.mutable_store()->set_address("s2:1");
  request.mutable_store()->set_feature_level(1);
  request.mutable_store()->mutable_instance()->set_hi(9);
  request.mutable_store()->mutable_instance()->set_lo(2);
  const auto put = Call<pdpb::PutStoreResponse>(Method("PutStore"), request);
  EXPECT_EQ(put.cluster_id(), 100u);
  EXPECT_EQ(put.store().state(), metapb::UP);
  EXPECT_EQ(Store(2).instance, (pd::InstanceId{9, 2}));
  waiting_ = {"region 1 waits for store 2 to catch up"};

  const auto got = Call<pdpb::ListStoresResponse>(Method("ListStores"), pdpb::ListStoresRequest());
  ASSERT_EQ(got.waiting_for_size(), 1);
  EXPECT_EQ(got.waiting_for(0), "region 1 waits for store 2 to catch up");
  ASSERT_EQ(got.stores_size(), 2);
  EXPECT_EQ(got.stores(1).id(), 2u);
  EXPECT_EQ(got.stores(1).address(), "s2:1");
  EXPECT_EQ(got.stores(1).feature_level(), 1u);
  EXPECT_EQ(got.revision(), revision().value());

  request.mutable_store()->set_id(3);
  EXPECT_EQ(Reason("PutStore", request, StatusCode::kFailedPrecondition),
            PlacementRefused::ADDRESS_TAKEN);
}

TEST_F(PdServiceTest, AStoreGoesAsFarAsTheClusterLetsIt) {
  Found();
  EXPECT_EQ(Reason("SetStoreState", SetTo(1, metapb::DRAINING), StatusCode::kFailedPrecondition),
            PlacementRefused::LAST_STORE);
  Join();
  const auto set =
      Call<pdpb::SetStoreStateResponse>(Method("SetStoreState"), SetTo(1, metapb::DRAINING));
  EXPECT_EQ(set.store().state(), metapb::DRAINING);
  EXPECT_EQ(Reason("SetStoreState", SetTo(1, metapb::REMOVED), StatusCode::kFailedPrecondition),
            PlacementRefused::ILLEGAL_STEP);
  Must(pd::PutRegion{pd::ReportOf(pd::RegionOf(1, "", "", 2, {2}))});
  Must<pd::StoreInfo>(pd::SetStoreState{StoreId(1), pd::StoreState::kDrained, revision()});
  Call<pdpb::SetStoreStateResponse>(Method("SetStoreState"), SetTo(1, metapb::REMOVED));
  pdpb::ListStoresRequest list;
  EXPECT_EQ(Call<pdpb::ListStoresResponse>(Method("ListStores"), list).stores_size(), 1);
  list.set_removed(true);
  EXPECT_EQ(Call<pdpb::ListStoresResponse>(Method("ListStores"), list).stores_size(), 2);

  EXPECT_EQ(Reason("SetStoreState", SetTo(7, metapb::DRAINING), StatusCode::kNotFound),
            PlacementRefused::NO_SUCH_STORE);
  for (const int state : {0, 5, 6}) {
    const auto request = SetTo(2, static_cast<metapb::StoreState>(state));
    EXPECT_TRUE(Refusal(Method("SetStoreState"), request, StatusCode::kInvalidArgument)
                    .has_invalid_request());
  }
}

TEST_F(PdServiceTest, GivesIds) {
  Found();
  pdpb::AllocateIdsRequest request;
  request.set_count(5);
  const auto first = Call<pdpb::AllocateIdsResponse>(Method("AllocateIds"), request);
  const auto next = Call<pdpb::AllocateIdsResponse>(Method("AllocateIds"), request);
  EXPECT_EQ(first.count(), 5u);
  EXPECT_EQ(next.first_id(), first.first_id() + 5);
  request.set_count(0);
  EXPECT_EQ(Reason("AllocateIds", request, StatusCode::kInvalidArgument),
            PlacementRefused::TOO_MANY_IDS);
}

TEST_F(PdServiceTest, TellsWhereRegionsAre) {
  Found();
  Must(pd::PutRegion{pd::ReportOf(pd::RegionOf(1, "", "m", 2))});
  pdpb::GetRegionRequest get;
  get.set_key("b");
  const auto got = Call<pdpb::GetRegionResponse>(Method("GetRegion"), get);
  EXPECT_EQ(got.info().region().id(), 1u);
  EXPECT_EQ(got.info().region().end_key(), "m");
  EXPECT_EQ(got.info().term(), 5u);
  EXPECT_EQ(got.info().leader(), 10u);
  get.set_key("x");
  EXPECT_EQ(Reason("GetRegion", get, StatusCode::kUnavailable), PlacementRefused::NO_REGION);

  pdpb::ScanRegionsRequest scan;
  auto page = Call<pdpb::ScanRegionsResponse>(Method("ScanRegions"), scan);
  EXPECT_EQ(page.regions_size(), 1);
  EXPECT_TRUE(page.has_hole());
  Must(pd::PutRegion{pd::ReportOf(pd::RegionOf(2, "m", "", 2))});
  scan.set_limit(1);
  page = Call<pdpb::ScanRegionsResponse>(Method("ScanRegions"), scan);
  EXPECT_EQ(page.regions_size(), 1);
  EXPECT_FALSE(page.has_hole());
  EXPECT_EQ(page.next_key(), "m");
}

TEST_F(PdServiceTest, CreatesNamespaces) {
  Found();
  pdpb::EnsureNamespaceRequest request;
  request.set_namespace_("logs");
  request.set_mode("eventual");
  auto got = Call<pdpb::EnsureNamespaceResponse>(Method("EnsureNamespace"), request);
  EXPECT_EQ(got.mode().mode(), "eventual");
  request.set_mode("");
  got = Call<pdpb::EnsureNamespaceResponse>(Method("EnsureNamespace"), request);
  EXPECT_EQ(got.mode().mode(), "eventual");
  request.set_namespace_("used");
  got = Call<pdpb::EnsureNamespaceResponse>(Method("EnsureNamespace"), request);
  EXPECT_TRUE(got.mode().from_default());
  request.set_namespace_("a/b");
  EXPECT_EQ(Reason("EnsureNamespace", request, StatusCode::kInvalidArgument),
            PlacementRefused::BAD_NAME);
  request.set_mode("weak");
  EXPECT_TRUE(Refusal(Method("EnsureNamespace"), request, StatusCode::kInvalidArgument)
                  .has_invalid_request());
}

TEST_F(PdServiceTest, AnOutcomeThatTheStoreDoesNotKnowIsUnknown) {
  Found();
  store_error_.emplace();
  store_error_->outcome = store::Outcome::kUnknown;
  store_error_->code = store::ErrorCode::kStaleCommand;
  const UnaryResult result = Finish(Begin(Method("AllocateIds"), pdpb::AllocateIdsRequest()));
  EXPECT_EQ(result.status.code, StatusCode::kUnknown);
}

}  // namespace
}  // namespace flaredb::net
