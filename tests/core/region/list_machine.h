// SPDX-License-Identifier: Apache-2.0
// A state machine for tests: each object is a list of words.
#ifndef FLAREDB_TESTS_CORE_REGION_LIST_MACHINE_H_
#define FLAREDB_TESTS_CORE_REGION_LIST_MACHINE_H_

#include <string>
#include <string_view>

#include "core/region/state_machine.h"

namespace flaredb {

// A command is a word that comes to the end of the list; "pop" takes the last one away. Answers and
// queries tell the whole list. One row for each word.
class ListMachine : public StateMachine {
 public:
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override {
    const size_t size = Size(*rows);
    if (command != "pop") {
      rows->Put(Key(size), std::string(command));
    } else if (size != 0) {
      rows->Delete(Key(size - 1));
    }
    return Query("", *rows);
  }

  std::string Query(std::string_view, const ObjectRows& rows) const override {
    std::string list;
    rows.Scan("", "", [&](std::string_view, std::string_view word) {
      list.append(list.empty() ? "" : " ").append(word);
      return true;
    });
    return list;
  }

 private:
  static std::string Key(size_t position) { return {static_cast<char>(position)}; }
  static size_t Size(const ObjectRows& rows) {
    size_t size = 0;
    while (rows.Get(Key(size))) ++size;
    return size;
  }
};

}  // namespace flaredb

#endif  // FLAREDB_TESTS_CORE_REGION_LIST_MACHINE_H_
