// SPDX-License-Identifier: Apache-2.0
// Every message of an exploration, once.
#ifndef FLAREDB_TESTS_EXPLORE_MESSAGE_TABLE_H_
#define FLAREDB_TESTS_EXPLORE_MESSAGE_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/raft/message.h"

namespace flaredb::explore {

// Messages are equal, in every field and byte, if and only if their names are. Names count up in
// the order of discovery.
using MessageName = uint32_t;

class MessageTable {
 public:
  MessageName Add(raft::Message message);
  const raft::Message& at(MessageName name) const { return messages_[name]; }

 private:
  std::vector<raft::Message> messages_;
  std::map<std::string, MessageName> names_;
};

// For people: "append t2 after 1@t1: 2@t2, commit 1".
std::string Describe(const raft::Message& message);

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_MESSAGE_TABLE_H_
