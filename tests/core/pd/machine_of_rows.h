// SPDX-License-Identifier: Apache-2.0
// A placement driver on rows in memory, for tests.
#ifndef FLAREDB_TESTS_CORE_PD_MACHINE_OF_ROWS_H_
#define FLAREDB_TESTS_CORE_PD_MACHINE_OF_ROWS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/write_batch.h"
#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/explain.h"
#include "core/pd/pd_machine.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"
#include "core/region/state_machine.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::pd {

// The cluster that most tests begin with: 100, founded by store 1 with region 1.
inline StoreDescriptor StoreOf(uint64_t id) {
  return {StoreId(id), {9, id}, "s" + std::to_string(id) + ":1", 1};
}

inline Region RegionOf(uint64_t id, std::string start, std::string end, uint64_t version,
                       std::vector<uint64_t> stores = {1}) {
  Region region{RegionId(id), std::move(start), std::move(end), {1, version}, {}};
  for (const uint64_t store : stores) {
    region.peers.push_back({PeerId(id * 10 + region.peers.size()), StoreId(store)});
  }
  return region;
}

// As its first peer reports it.
inline RegionInfo ReportOf(Region region, uint64_t term = 5) {
  const PeerId leader = region.peers.front().id;
  return {std::move(region), Term(term), leader};
}

inline Bootstrap Founding() { return {ClusterId(100), StoreOf(1), {RegionOf(1, "", "", 1)}}; }

class MachineOfRows : public ::testing::Test {
 protected:
  // Carries out `command` twice, as when its first answer was lost: the second time has to change
  // nothing. Returns the first answer.
  Reply Do(const Command& command) {
    WriteBatch changes;
    const Reply reply = Once(command, &changes);
    data_.Write(changes);
    if (std::holds_alternative<IdRange>(reply)) return reply;
    Once(command, &changes);
    EXPECT_TRUE(changes.empty()) << "the second time changes something";
    return reply;
  }

  // Requires success.
  template <typename T = Done>
  T Must(const Command& command) {
    const Reply reply = Do(command);
    EXPECT_TRUE(std::holds_alternative<T>(reply)) << Text(command, reply);
    return std::holds_alternative<T>(reply) ? std::get<T>(reply) : T();
  }

  // Requires that `command` is refused, changes nothing, and that there is a sentence about it.
  Refused Not(const Command& command) {
    const auto before = data_.rows;
    const Reply reply = Do(command);
    EXPECT_TRUE(data_.rows == before) << "a refused command changes something";
    if (!std::holds_alternative<Refused>(reply)) {
      ADD_FAILURE() << "not refused";
      return {};
    }
    EXPECT_NE(Text(command, reply), "");
    return std::get<Refused>(reply);
  }

  Reply Ask(const pd::Query& query) const {
    const ObjectRows rows(kObject, data_);
    const absl::StatusOr<Reply> reply = DecodeReply(machine_.Query(EncodeQuery(query), rows));
    EXPECT_TRUE(reply.ok()) << reply.status();
    return *reply;
  }
  template <typename T>
  T Get(const pd::Query& query) const {
    const Reply reply = Ask(query);
    EXPECT_TRUE(std::holds_alternative<T>(reply)) << "answer " << reply.index();
    return std::holds_alternative<T>(reply) ? std::get<T>(reply) : T();
  }

  Revision revision() const { return Get<ClusterView>(GetCluster{}).revision; }
  StoreInfo Store(uint64_t id) const {
    for (const StoreInfo& store : Get<ClusterView>(GetCluster{}).stores) {
      if (store.id == StoreId(id)) return store;
    }
    return {};
  }
  // By an operator who just looked.
  SetStoreState SetTo(uint64_t store, StoreState state) const {
    return {StoreId(store), state, revision()};
  }

  static std::string Text(const Command& command, const Reply& reply) {
    const auto* refused = std::get_if<Refused>(&reply);
    return refused != nullptr ? Explain(command, *refused) : "";
  }

  MapReader data_;
  PdMachine machine_;

 private:
  Reply Once(const Command& command, WriteBatch* changes) const {
    MutableObjectRows rows(kObject, data_);
    const absl::StatusOr<Reply> reply = DecodeReply(machine_.Apply(EncodeCommand(command), &rows));
    EXPECT_TRUE(reply.ok()) << reply.status();
    *changes = rows.changes();
    return *reply;
  }
};

}  // namespace flaredb::pd

#endif  // FLAREDB_TESTS_CORE_PD_MACHINE_OF_ROWS_H_
