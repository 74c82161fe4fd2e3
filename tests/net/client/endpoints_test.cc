// SPDX-License-Identifier: Apache-2.0
#include "net/client/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flaredb::client {
namespace {

using testing::ElementsAre;

// The addresses of a call that is never told who leads.
std::vector<std::string> Walk(const Endpoints& endpoints, int steps) {
  Route route(&endpoints);
  std::vector<std::string> asked = {route.address()};
  for (int i = 1; i < steps; ++i) {
    route.Advance("");
    asked.push_back(route.address());
  }
  return asked;
}

TEST(Endpoints, AllAreAskedInTurn) {
  const Endpoints endpoints({"a:1", "b:1", "c:1"});
  EXPECT_THAT(Walk(endpoints, 5), ElementsAre("a:1", "b:1", "c:1", "a:1", "b:1"));
  EXPECT_THAT(Walk(Endpoints({"a:1"}), 3), ElementsAre("a:1", "a:1", "a:1"));
}

TEST(Endpoints, TheOneThatServedLastIsAskedFirst) {
  Endpoints endpoints({"a:1", "b:1", "c:1"});
  endpoints.Prefer("b:1");
  EXPECT_THAT(Walk(endpoints, 4), ElementsAre("b:1", "c:1", "a:1", "b:1"));
  endpoints.Prefer("c:1");
  EXPECT_THAT(Walk(endpoints, 3), ElementsAre("c:1", "a:1", "b:1"));
}

TEST(Endpoints, ALeaderOfNobodysListIsFollowedByTheList) {
  Endpoints endpoints({"a:1", "b:1"});
  endpoints.Prefer("leader:1");
  EXPECT_THAT(Walk(endpoints, 3), ElementsAre("leader:1", "a:1", "b:1"));
}

TEST(Endpoints, ALeaderIsFollowedOnce) {
  const Endpoints endpoints({"a:1", "b:1", "c:1"});
  Route route(&endpoints);
  route.Advance("leader:1");
  EXPECT_EQ(route.address(), "leader:1");
  route.Advance("");
  EXPECT_EQ(route.address(), "b:1");
  route.Advance("leader:1");  // It did not serve: b may be behind.
  EXPECT_EQ(route.address(), "c:1");
  route.Advance("a:1");  // Another one by now.
  EXPECT_EQ(route.address(), "a:1");
}

TEST(Endpoints, ALeaderThatWasKnownBeforeIsAskedFirstAndOnce) {
  const Endpoints endpoints({"a:1", "b:1"});
  Route route(&endpoints, "leader:1");
  EXPECT_EQ(route.address(), "leader:1");
  route.Advance("");
  EXPECT_EQ(route.address(), "a:1");
  route.Advance("leader:1");
  EXPECT_EQ(route.address(), "b:1");
}

TEST(Endpoints, AStoreThatNamesItselfIsNotAskedAgainAtOnce) {
  const Endpoints endpoints({"a:1", "b:1"});
  Route route(&endpoints);
  route.Advance("a:1");
  EXPECT_EQ(route.address(), "b:1");
}

TEST(Endpoints, AfterALeaderOfTheListComesAnother) {
  const Endpoints endpoints({"a:1", "b:1", "c:1"});
  Route route(&endpoints);
  route.Advance("b:1");
  route.Advance("");
  EXPECT_EQ(route.address(), "c:1");
}

}  // namespace
}  // namespace flaredb::client
