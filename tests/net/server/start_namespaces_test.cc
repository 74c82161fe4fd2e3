// SPDX-License-Identifier: Apache-2.0
#include "net/server/start_namespaces.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/pd/command.h"
#include "tests/net/server/pd_server.h"

namespace flaredb::net {
namespace {

using pd::Mode;

TEST(ParseStartNamespaces, ReadsAList) {
  EXPECT_EQ(*ParseStartNamespaces(""), std::vector<StartNamespace>());
  EXPECT_EQ(*ParseStartNamespaces("logs=eventual,a b=STRONG"),
            (std::vector<StartNamespace>{{"logs", Mode::kEventual}, {"a b", Mode::kStrong}}));
}

TEST(ParseStartNamespaces, RefusesWhatIsNone) {
  for (const char* text : {"logs", "logs=", "=strong", "logs=weak", "a/b=strong", "logs=strong,",
                           "logs=strong,logs=eventual"}) {
    const auto parsed = ParseStartNamespaces(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

class StartNamespacesTest : public PdServer {
 protected:
  bool Exists(const std::string& name) const {
    return std::holds_alternative<pd::Namespace>(Ask(pd::GetNamespace{name}));
  }
};

TEST_F(StartNamespacesTest, TheyAreCreatedInTheirModeAsSoonAsThereIsACluster) {
  StartNamespaces start(loop_.get(), &pd_, {{"logs", Mode::kEventual}, {"users", Mode::kStrong}});
  start.Begin();
  loop_->RunOnce(MonotonicNow() + Duration::Milliseconds(10));
  EXPECT_FALSE(Exists("logs"));
  Must(pd::Founding());
  RunUntil([&] { return Exists("logs") && Exists("users"); });
  EXPECT_EQ(Get<pd::Namespace>(pd::GetNamespace{"logs"}).state, pd::ModeState::kEventual);
  EXPECT_FALSE(Get<pd::Namespace>(pd::GetNamespace{"users"}).from_default);
}

TEST_F(StartNamespacesTest, OneThatIsThereKeepsItsMode) {
  Must(pd::Founding());
  Must<pd::Namespace>(pd::EnsureNamespace{"logs", Mode::kStrong});
  StartNamespaces start(loop_.get(), &pd_, {{"logs", Mode::kEventual}});
  start.Begin();
  EXPECT_EQ(Get<pd::Namespace>(pd::GetNamespace{"logs"}).state, pd::ModeState::kStrong);
}

}  // namespace
}  // namespace flaredb::net
