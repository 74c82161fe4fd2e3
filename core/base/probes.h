// SPDX-License-Identifier: Apache-2.0
// What SOMETIMES and BUGGIFY name; see core/base/probe.h. Lists, so that a campaign knows also
// those that no run ever came to.
#ifndef FLAREDB_CORE_BASE_PROBES_H_
#define FLAREDB_CORE_BASE_PROBES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flaredb {

// Rare situations that a campaign must have seen, or its silence says nothing about them.
#define FLAREDB_PROBES(X)                                                                   \
  /* Elections. */                                                                          \
  X(kCandidateMeetsLeader, "a candidate steps down for the leader of its own term")         \
  X(kPreElectionLost, "a quorum refuses to help somebody campaign")                         \
  X(kElectionLost, "a quorum refuses a candidate its vote")                                 \
  X(kCampaignUnheard, "a campaign is not heard, because a leader is")                       \
  X(kVoteAskedAgain, "a candidate asks again for a vote that it has")                       \
  X(kVoteForOlderLogRefused, "a vote is free, but the candidate's log is older")            \
  X(kRemovedVoterCampaigns, "somebody campaigns whom an uncommitted entry removed")         \
  X(kJointInherited, "a leader begins in a joint configuration")                            \
  X(kUncommittedConfInherited, "a leader begins in an uncommitted configuration")           \
  X(kQuorumSilent, "a leader steps down because it hears no quorum")                        \
  X(kOwnDiskHangs, "a leader steps down because its own disk hangs")                        \
  /* Logs. */                                                                               \
  X(kTruncatesTwoTerms, "a follower truncates entries of several terms")                    \
  X(kTruncatesDurable, "a follower truncates entries that are durable")                     \
  X(kTruncatesUnderWay, "a follower truncates entries that its disk is writing")            \
  X(kTruncatesConf, "a follower truncates the configuration in force")                      \
  X(kRejectedWithOlderTerm, "a probe is refused with a hint in an older term")              \
  X(kRejectionTooLate, "a refusal of entries comes when it says nothing any more")          \
  X(kAppendBelowBase, "an append begins below what its receiver has compacted")             \
  X(kAppendPartlyKnown, "an append brings entries of which its receiver has some")          \
  X(kWindowFull, "entries wait for room in a follower's window")                            \
  X(kOldTermHeldByQuorum, "a quorum holds an entry of an earlier term, not yet committed")  \
  X(kCommittedBeforeOwnDisk, "a leader commits what its own disk does not hold yet")        \
  X(kGatedSuperseded, "an answer that waits for the disk is replaced by a newer one")       \
  X(kGatedOutdated, "an answer that waited for the disk belongs to an earlier term")        \
  X(kFetchedForFollower, "entries for a follower are read from the disk")                   \
  X(kFetchedToApply, "committed entries are read from the disk to be applied")              \
  X(kFetchedTooLate, "entries come from the disk when nobody wants them any more")          \
  X(kProposalRefusedFull, "a proposal is refused because too much is uncommitted")          \
  X(kProposalDuringTransfer, "a proposal is refused because leadership is handed over")     \
  /* Membership and transfer. */                                                            \
  X(kPinsProposed, "a leader pins the lives of voters that it has met")                     \
  X(kPromotionTooEarly, "a learner is not promoted because it lags")                        \
  X(kChangeBeforeFirstCommit, "a change is refused because the leader is new")              \
  X(kLeaderRemoved, "a leader leaves the group that it removed itself from")                \
  X(kReceiverRemoved, "a snapshot ends because its receiver is removed")                    \
  X(kLeaseVoided, "a leader gives its lease up to hand over")                               \
  X(kTransferExpired, "a transfer ends because its time is over")                           \
  X(kTransferWaitsForLog, "a transfer waits until its target has the log")                  \
  X(kSuccessorLostLog, "somebody asked to campaign lacks the log that he had")              \
  /* Snapshots and compaction. */                                                           \
  X(kSnapshotBegunAgain, "a snapshot begins again because its receiver lost pieces")        \
  X(kSnapshotGivenUp, "a snapshot is given up because its receiver does not move")          \
  X(kPieceSentAgain, "a piece of a snapshot is sent again")                                 \
  X(kPieceCorrupt, "a piece of a snapshot is refused by its checksum")                      \
  X(kSnapshotNotNeeded, "a snapshot comes to somebody who has all that it covers")          \
  X(kSnapshotOvertaken, "the log overtakes a snapshot that is being received")              \
  X(kSnapshotReplacesEntries, "a snapshot replaces uncommitted entries")                    \
  X(kCompactionHeldForFollower, "compaction waits for a follower")                          \
  X(kCompactionHeldForSnapshot, "compaction waits for a snapshot on its way")               \
  X(kCompactedDuringFetch, "compaction overtakes a read of the disk")                       \
  /* Reads and rest. */                                                                     \
  X(kReadBeforeFirstCommit, "a read waits for the first commit of the term")                \
  X(kReadWaitsForNextRound, "a read comes too late for the round of contact under way")     \
  X(kReadLosesLeader, "a leader is deposed while reads wait for proof")                     \
  X(kLeaseLapsed, "a read by lease finds that the lease has lapsed")                        \
  X(kRemoteReadAskedAgain, "a follower asks its leader a second time where to read")        \
  X(kRemoteReadAnsweredLate, "a leader's answer speaks for an earlier question")            \
  X(kReadWaitsForApply, "a proven read waits until its index is applied")                   \
  X(kRestRefused, "a follower does not agree to rest")                                      \
  X(kWokenBySilence, "a store wakes groups because another one is silent or new")           \
  /* Calls and replicas. */                                                                 \
  X(kForwardedElsewhere, "a forwarded call is routed anew because the leader changed")      \
  X(kForwardAnsweredLate, "an answer comes to a call that was routed elsewhere or is over") \
  X(kCallsFull, "a call is refused because too many wait")                                  \
  X(kWriteTooLate, "a write comes to its leader when it leads no more")                     \
  X(kWriteForgotten, "a retry is told that its request may be forgotten")                   \
  X(kWriteOvertaken, "a write is told that others changed the record since")                \
  X(kRecreated, "a store gets a replica of a region that it had one of before")             \
  X(kMessageToTheDead, "a message would bring a destroyed replica back")                    \
  X(kReplacedUnknowing, "a message for its successor tells a replica that it was removed")  \
  /* Eventual namespaces. */                                                                \
  X(kOutboxFull, "a write is refused because the outbox has no room")                       \
  X(kRowRecovered, "a store starts with rows in its outbox")                                \
  X(kRowReplaced, "a row in the outbox gives way to a later write of its key")              \
  X(kRowReplacedUnderWay, "a row gives way to a later one while its parcel is under way")   \
  X(kRowReplacedApplied, "a row gives way to a later one between apply and release")        \
  X(kReleaseWaitsForApply, "a row was applied by its region, and not yet here")             \
  X(kReleaseWaitsForDisk, "a row stays because a later write of its key is under way")      \
  X(kParcelFailed, "a parcel is to be sent again")                                          \
  X(kMergeLost, "a row loses against a later one")                                          \
  X(kMergeRepeated, "a row comes to its region once more")                                  \
  X(kMergeCollected, "a row comes of a time that may have been collected")                  \
  X(kMergeOverStrong, "a row meets a record that has no time")                              \
  X(kMergeWithGhost, "a key comes back after its tombstone was collected")                  \
  X(kCollected, "a tombstone is collected")                                                 \
  X(kCollectKeeps, "a tombstone is too young to be collected")                              \
  X(kFenceTooOld, "a fence comes after one of a later epoch")                               \
  X(kStrongFenced, "a fence turns a conditional write away")                                \
  X(kOverlayWins, "a read shows a row that is not applied here")                            \
  X(kOverlayAlone, "a read shows a row of a key that has no record here")                   \
  X(kOverlayLoses, "a read finds a record that is later than the row that is held")

// Alternatives that the code may take at any time, and rarely or never would in a run.
#define FLAREDB_BUGGIFY_POINTS(X)                                       \
  X(kSplitBatch, "split-batch")             /* Of proposals. */         \
  X(kRefuseProposal, "refuse-proposal")     /* Though there is room. */ \
  X(kSmallAppend, "small-append")           /* Of one entry. */         \
  X(kOverfillWindow, "overfill-window")     /* Not wait for room. */    \
  X(kKeepCommitNews, "keep-commit-news")    /* For the heartbeat. */    \
  X(kDropWindow, "drop-window")             /* All durable entries. */  \
  X(kHandOutSingly, "hand-out-singly")      /* Committed entries. */    \
  X(kCompactEarly, "compact-early")         /* All that is applied. */  \
  X(kCompactLate, "compact-late")           /* Not this time. */        \
  X(kNeedlessSnapshot, "needless-snapshot") /* The log would do. */     \
  X(kShortElection, "short-election")       /* No random part. */       \
  X(kParkCall, "park-call")                 /* Though there is a leader. */

#define FLAREDB_NAME(name, text) name,
enum class Probe : uint8_t { FLAREDB_PROBES(FLAREDB_NAME) kCount };
enum class BuggifyPoint : uint8_t { FLAREDB_BUGGIFY_POINTS(FLAREDB_NAME) kCount };
#undef FLAREDB_NAME

constexpr size_t kProbes = static_cast<size_t>(Probe::kCount);
constexpr size_t kBuggifyPoints = static_cast<size_t>(BuggifyPoint::kCount);

// The situation, in words.
constexpr std::string_view TextOf(Probe probe) {
#define FLAREDB_TEXT(name, text) text,
  constexpr std::string_view kTexts[] = {FLAREDB_PROBES(FLAREDB_TEXT)};
  return kTexts[static_cast<size_t>(probe)];
}

// "split-batch"
constexpr std::string_view NameOf(BuggifyPoint point) {
  constexpr std::string_view kNames[] = {FLAREDB_BUGGIFY_POINTS(FLAREDB_TEXT)};
#undef FLAREDB_TEXT
  return kNames[static_cast<size_t>(point)];
}

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_PROBES_H_
