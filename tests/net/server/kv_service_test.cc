// SPDX-License-Identifier: Apache-2.0
#include "net/server/kv_service.h"

#include <gtest/gtest.h>

namespace flaredb::net {
namespace {

constexpr Duration Ms(int64_t n) { return Duration::Milliseconds(n); }

TEST(BudgetOf, DefaultsWhenTheClientSaysNothing) {
  EXPECT_EQ(BudgetOf(std::nullopt, std::nullopt), kDefaultBudget);
}

TEST(BudgetOf, TakesTheLeast) {
  EXPECT_EQ(BudgetOf(std::nullopt, Ms(700)), Ms(700));
  EXPECT_EQ(BudgetOf(Ms(10000), Ms(700)), Ms(700));
  EXPECT_EQ(BudgetOf(Ms(3600 * 1000), std::nullopt), kMaxBudget);
  EXPECT_EQ(BudgetOf(std::nullopt, Ms(3600 * 1000)), kMaxBudget);
}

TEST(BudgetOf, KeepsTimeBackForTheAnswer) {
  EXPECT_EQ(BudgetOf(Ms(1000), std::nullopt), Ms(980));
  EXPECT_EQ(BudgetOf(Ms(100), std::nullopt), Ms(90));
  EXPECT_EQ(BudgetOf(Ms(0), std::nullopt), Ms(0));
  EXPECT_EQ(BudgetOf(Ms(-5), std::nullopt), Ms(0));
}

}  // namespace
}  // namespace flaredb::net
