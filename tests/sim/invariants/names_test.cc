// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/names.h"

#include <gtest/gtest.h>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

TEST(Names, APeerIsItsStore) {
  const Names names(kNodes, ThreePeers());
  EXPECT_EQ(Names::Store(1), "store 2");
  EXPECT_EQ(names.Tell(PeerId(102)), "store 2");
  EXPECT_EQ(names.Tell(Conf({101, 102, 103})), "stores {1,2,3}");
}

TEST(Names, APeerHasANameOfItsOwnWhereItsStoreHasHadAnother) {
  Names names(kNodes, ThreePeers());
  names.Add(PeerId(108), StoreId(2));
  EXPECT_EQ(names.Tell(PeerId(101)), "store 1");
  EXPECT_EQ(names.Tell(PeerId(102)), "store 2's peer 102");
  EXPECT_EQ(names.Tell(Conf({101, 108}, {101, 102}, {103})),
            "stores {1,2's 108} from {1,2's 102} learners {3}");
}

}  // namespace
}  // namespace flaredb::sim
