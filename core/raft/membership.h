// SPDX-License-Identifier: Apache-2.0
// Changes of who decides: joint consensus only (thesis 4.3). Stateless, except for the stack of
// configurations that a log implies.
#ifndef FLAREDB_CORE_RAFT_MEMBERSHIP_H_
#define FLAREDB_CORE_RAFT_MEMBERSHIP_H_

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/base/hash.h"
#include "core/base/types.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// One wish of a membership change; several are carried out in one step. A new member starts as a
// learner and is promoted when it has caught up (thesis 4.2.1). Ids are never used twice; stores
// also need them to ascend.
struct MemberChange {
  enum class Kind : uint8_t { kAddLearner, kPromote, kDemote, kRemove };
  Kind kind = Kind::kAddLearner;
  PeerId id;
  StoreId store;  // For kAddLearner; may be zero. See Member::store.

  friend bool operator==(const MemberChange&, const MemberChange&) = default;
};

// Why a change was not begun. Nothing happened.
enum class ChangeRefusal : uint8_t {
  kChangeInProgress,  // An earlier one is not finished: not committed, or still joint.
  kLeaderIsNew,       // No entry of this leader's term is committed yet (Ongaro's 2015 bug report).
  kTransferInProgress,
  kNoChange,       // The list is empty, or names a member twice.
  kAlreadyMember,  // kAddLearner of a member.
  kNotMember,      // Anything else of a stranger.
  kNotLearner,     // kPromote of a voter.
  kNotVoter,       // kDemote of a learner.
  kNotCaughtUp,    // kPromote of a learner that the leader has not met, or that lags.
  kNoVoterLeft,
};

// The configuration that carries out `changes`: joint if the voters change, simple otherwise.
//   conf     not joint
// Says nothing of kChangeInProgress, kLeaderIsNew, kTransferInProgress and kNotCaughtUp, which are
// the leader's to know.
std::variant<ConfState, ChangeRefusal> Change(const ConfState& conf,
                                              absl::Span<const MemberChange> changes);
// What follows a joint configuration. Requires conf.joint().
ConfState LeaveJoint(const ConfState& conf);
// With the lives of some members pinned; see Member::incarnation. The others stay.
ConfState Pin(ConfState conf, absl::Span<const Member> met);

// The payload of a kConf entry, and a row on the disk (docs/FORMAT.md). Decoding refuses anything
// that Encode does not produce with DATA_LOSS.
std::string EncodeConfState(const ConfState& conf);
absl::StatusOr<ConfState> DecodeConfState(std::string_view bytes);

// "(1 2 3)", joint "(1 2 4)&(1 2 3)", with learners "(1 2 3) learners(4)".
std::string Describe(const ConfState& conf);

// Every configuration that a log holds, and the one before it. The last one is in force, committed
// or not (thesis 4.1); truncation brings back the one before. The others wait for a snapshot or a
// compaction to ask: they are kept encoded, which is a fraction of their size.
class Configurations {
 public:
  // `rest` ascends and lies after `base_index`.
  Configurations(Index base_index, ConfState base, std::vector<ConfAt> rest);

  const ConfState& latest() const { return latest_.conf; }
  // Where the latest one stands; the base's index when it is the base's.
  Index latest_index() const { return latest_.index; }
  // With the base's.
  size_t size() const { return older_.size() + 1; }
  // The one before the latest; the latest itself when there is none.
  ConfState previous() const;
  // In force at `index`, which is at or after the base. O(configurations).
  ConfState At(Index index) const;

  // Requires index > latest_index().
  void Append(Index index, ConfState conf);
  // Entries at and after `from` are gone; `from` lies after the base.
  void TruncateFrom(Index from);
  // The base is now at `index`.
  void CompactTo(Index index);
  // A snapshot took the place of everything.
  void Reset(Index index, ConfState conf);

  void HashInto(Hasher* hasher) const;

 private:
  struct Encoded {
    Index index;
    std::string conf;
  };

  // Where the first one stands, which is the base's.
  Index base_index() const { return older_.empty() ? latest_.index : older_.front().index; }

  std::vector<Encoded> older_;  // Ascending.
  ConfAt latest_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_MEMBERSHIP_H_
