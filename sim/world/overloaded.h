// SPDX-License-Identifier: Apache-2.0
// One visitor out of several lambdas, one for each alternative of a variant.
#ifndef FLAREDB_SIM_WORLD_OVERLOADED_H_
#define FLAREDB_SIM_WORLD_OVERLOADED_H_

namespace flaredb::sim {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_OVERLOADED_H_
