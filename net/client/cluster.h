// SPDX-License-Identifier: Apache-2.0
// What a cluster is made of, and how one changes it: for operators and their tools.
#ifndef FLAREDB_NET_CLIENT_CLUSTER_H_
#define FLAREDB_NET_CLIENT_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/client/client.h"
#include "net/client/result.h"

namespace flaredb::client {

class Attempts;

struct NamespaceInfo {
  std::string name;
  std::string mode;  // "strong" or "eventual"; until a switch is through, the one it comes from.
  // As the mode; while it is switched "to_eventual", "to_strong_drain" or "to_strong_fence".
  std::string state;
  uint64_t mode_epoch = 0;    // Counts its states. 0: a dry run would create it.
  bool from_default = false;  // It came into being by its first use: nobody chose the mode.
  friend bool operator==(const NamespaceInfo&, const NamespaceInfo&) = default;
};

// A mode that somebody chooses.
struct ModeChange {
  std::string mode;  // Empty: the switch that is under way is to be turned back.
  // The epoch at which the namespace was looked at; 0: it was not there.
  uint64_t seen = 0;
  bool dry_run = false;  // Changes nothing.
};
struct ModeChanged {
  NamespaceInfo ns;
  std::vector<std::string> waiting_for;  // In sentences. Empty: the switch is through.
  // Of a dry run: who would have to agree.
  std::vector<uint64_t> stores;
  std::vector<uint64_t> regions;
};

enum class StoreState : uint8_t { kUp = 1, kDraining = 2, kLost = 3, kRemoved = 4, kDrained = 5 };
struct StoreInfo {
  uint64_t id = 0;
  std::string address;
  StoreState state = StoreState::kUp;
  friend bool operator==(const StoreInfo&, const StoreInfo&) = default;
};
struct StoreTable {
  std::vector<StoreInfo> stores;  // Ascending by id; without those that were removed.
  uint64_t revision = 0;          // At which it was like that.
  // What the cluster waits for, in sentences, as far as the store that answered was told.
  std::vector<std::string> waiting_for;
  std::vector<uint64_t> alive;  // That store itself, and those that it has a link to.
};
// As its leader last reported it.
struct RegionInfo {
  uint64_t id = 0;
  std::vector<uint64_t> stores;  // That have a replica.
  uint64_t leader = 0;           // The store that leads; 0: not known.
};

// The state afterwards.
template <typename T>
using ChangeResult = std::variant<T, Unknown, Error>;

// As Client in everything that is not said here. Every change may be made again when its outcome is
// Unknown, whose id is zero.
class Cluster {
 public:
  static absl::StatusOr<std::unique_ptr<Cluster>> Create(ClientOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Those whose names begin with `prefix`, in the order of names.
  Result<std::vector<NamespaceInfo>> ListNamespaces(std::string_view prefix, Duration timeout);
  Result<NamespaceInfo> GetNamespace(std::string_view name, Duration timeout);
  // Begins a switch, or tells how far it is: does not wait until it is through. A namespace that
  // does not exist is created.
  ChangeResult<ModeChanged> ChangeMode(std::string_view name, const ModeChange& change,
                                       Duration timeout);

  Result<StoreTable> ListStores(Duration timeout);
  // `seen`: the revision of the table that the decision was made from.
  ChangeResult<StoreInfo> SetStoreState(uint64_t store, StoreState state, uint64_t seen,
                                        Duration timeout);

  // All of them, in the order of their keys.
  Result<std::vector<RegionInfo>> ListRegions(Duration timeout);

 private:
  explicit Cluster(std::unique_ptr<Attempts> attempts);
  const std::unique_ptr<Attempts> attempts_;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_CLUSTER_H_
