// SPDX-License-Identifier: Apache-2.0
// What the placement driver says <-> metapb, pdpb, raftpb and statuses.
#ifndef FLAREDB_NET_WIRE_PD_CODEC_H_
#define FLAREDB_NET_WIRE_PD_CODEC_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/pd/cluster.h"
#include "core/pd/mode_switch.h"
#include "core/pd/reply.h"
#include "net/grpc_status.h"

namespace metapb {
class Store;
}  // namespace metapb
namespace pdpb {
class RegionInfo;
}  // namespace pdpb
namespace raftpb {
class NamespaceInfo;
}  // namespace raftpb

namespace flaredb::net {

// The status for a refusal. None of these had an effect.
//   sentence  pd::Explain
//   ns        the namespace that was asked about; "" if none
GrpcStatus StatusOf(const pd::Refused& refused, std::string sentence, std::string_view ns);

// "strong", "eventual"; upper case is understood, too.
std::string_view NameOf(pd::Mode mode);
std::optional<pd::Mode> ParseMode(std::string_view text);
// What to say of a text that is no mode.
GrpcStatus NoSuchMode(std::string_view text);
// "strong", "to_eventual", "eventual", "to_strong_drain", "to_strong_fence".
std::string_view NameOf(pd::ModeState state);
// The mode that a namespace has; while it is switched, the one that it comes from.
pd::Mode PresentMode(pd::ModeState state);
void EncodeNamespace(const pd::Namespace& ns, raftpb::NamespaceInfo* out);

void EncodeStore(const pd::StoreInfo& store, metapb::Store* out);
pd::StoreDescriptor DecodeDescriptor(const metapb::Store& store);
// kUp to kDrained are 1 to 5 in both; nullopt for anything else.
std::optional<pd::StoreState> DecodeStoreState(int state);

void EncodeRegionInfo(const pd::RegionInfo& info, pdpb::RegionInfo* out);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_PD_CODEC_H_
