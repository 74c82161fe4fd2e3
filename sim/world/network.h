// SPDX-License-Identifier: Apache-2.0
// The network between stores, and between clients and stores.
#ifndef FLAREDB_SIM_WORLD_NETWORK_H_
#define FLAREDB_SIM_WORLD_NETWORK_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "core/store/event.h"
#include "core/store/message.h"
#include "core/store/request.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Stores are 0, 1, ...; clients follow.
using Endpoint = uint32_t;

// One attempt of a client's operation; never reused.
using AttemptId = uint64_t;

struct ClientRequest {
  AttemptId attempt = 0;
  store::Request request;
};
// The client closed the call.
struct ClientCancel {
  AttemptId attempt = 0;
};
struct ClientReply {
  AttemptId attempt = 0;
  store::Reply reply;
};

struct Packet {
  Endpoint from = 0;
  Endpoint to = 0;
  // Expelled: what came of the receiver, or may come, is not taken in any more.
  std::variant<store::StoreMessage, ClientRequest, ClientCancel, ClientReply, store::Expelled> body;
  uint64_t number = 0;  // In the record of the run.
};

// What happens to a packet is decided when it is sent: lost because its link is cut, lost by
// chance, kept while its link is held, or scheduled as kDeliver once or twice. What is on its way
// when a cut begins still arrives, also at a process that was started meanwhile: the sender's
// connection may be to the old one, the bytes are not. Only Raft messages are doubled, because only
// they are made for it; requests and answers travel over streams that never repeat.
class SimNetwork {
 public:
  // `world` outlives this object.
  SimNetwork(World* world, const NetworkProfile& profile, uint32_t endpoints);

  void Send(Packet packet);

  // The packet of a kDeliver event with this `arg`; none when it was lost under way.
  std::optional<Packet> Take(uint64_t parcel);

  // Cuts, holds and slowness of one direction of a link nest. `why` is the fault that
  // cuts.
  void Cut(Endpoint from, Endpoint to, Fault why);
  void Mend(Endpoint from, Endpoint to);
  void Slow(Endpoint from, Endpoint to) { ++link(from, to).slows; }
  void Hasten(Endpoint from, Endpoint to);
  // Whatever is under way is lost. How many packets that is.
  uint64_t Reset(Endpoint from, Endpoint to);
  void Hold(Endpoint from, Endpoint to) { ++link(from, to).holds; }
  // What was kept follows now, in order unless the network reorders.
  void Release(Endpoint from, Endpoint to);

  // No cut, hold, loss, copy, or unusual delay from now on.
  void Heal();

  // Whether nothing gets from one to the other.
  bool IsCut(Endpoint from, Endpoint to) const { return links_[from * endpoints_ + to].cuts != 0; }
  // Packets that are neither delivered nor lost.
  size_t in_flight() const { return parcels_.size() - free_.size(); }

 private:
  struct Parcel {
    Packet packet;
    uint32_t deliveries = 0;  // Still to come.
    bool lost = false;
  };
  struct Link {
    uint32_t cuts = 0;
    Fault cut_by = Fault::kCount;  // The latest.
    uint32_t holds = 0;
    uint32_t slows = 0;
    Instant last_arrival;
    std::vector<uint64_t> held;
  };

  Link& link(Endpoint from, Endpoint to) { return links_[from * endpoints_ + to]; }
  uint64_t Store(Packet packet, uint32_t deliveries);
  void Schedule(Endpoint from, Endpoint to, uint64_t parcel);
  Duration Delay(Endpoint from);
  bool Happens(Fault fault, Choice kind, uint32_t rate_ppm, Endpoint from);
  void MayCorrupt(Packet* packet);

  World* world_;
  NetworkProfile profile_;
  uint32_t endpoints_;
  std::vector<Link> links_;
  std::deque<Parcel> parcels_;
  std::vector<uint64_t> free_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_NETWORK_H_
