// SPDX-License-Identifier: Apache-2.0
// A machine that deals out numbers: 1, 2, 3... for each object.
#ifndef TICKETS_H_
#define TICKETS_H_

#include <string>
#include <string_view>

#include "core/region/state_machine.h"

class Tickets : public flaredb::StateMachine {
 public:
  // Any command takes the next number. Whoever is not told and asks again leaves a gap.
  std::string Apply(std::string_view, flaredb::MutableObjectRows* rows) const override {
    const std::string number = std::to_string(std::stoull(Query("", *rows)) + 1);
    rows->Put("last", number);
    return number;
  }
  // The last number that was taken.
  std::string Query(std::string_view, const flaredb::ObjectRows& rows) const override {
    return rows.Get("last").value_or("0");
  }
};

#endif  // TICKETS_H_
