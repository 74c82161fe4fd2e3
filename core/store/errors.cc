// SPDX-License-Identifier: Apache-2.0
#include "core/store/errors.h"

#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/pd/namespaces.h"
#include "core/store/store.h"

namespace flaredb::store {
namespace {

Error Make(ErrorCode code, bool possible, RegionId region, std::string message) {
  Error error;
  error.code = code;
  error.outcome = possible ? Outcome::kUnknown : Outcome::kNotApplied;
  error.region_id = region;
  error.message = std::move(message);
  return error;
}

Error Invalid(std::string message) {
  return Make(ErrorCode::kInvalidArgument, false, RegionId(), std::move(message));
}

// `setting` is what changes the limit, to be told after it; "": nothing does.
std::optional<Error> TooLong(const char* what, size_t bytes, size_t limit, const char* setting) {
  if (bytes <= limit) return std::nullopt;
  return Invalid(absl::StrCat(what, " of ", bytes, " bytes exceeds the limit of ", limit, " bytes",
                              setting, "; shorten it"));
}
constexpr char kOfKeys[] = " (--max-key-bytes)";
constexpr char kOfValues[] = " (--max-value-bytes)";

std::optional<Error> CheckKey(const std::string& key, const Options& options) {
  if (key.empty()) return Invalid("the key is empty; a key has at least one byte");
  return TooLong("a key", key.size(), options.key_bytes_max, kOfKeys);
}

std::optional<Error> CheckNamespace(kv::NamespaceId ns) {
  if (ns != kv::NamespaceId::kMachine) return std::nullopt;
  return Invalid(absl::StrCat("namespace ", static_cast<uint32_t>(ns),
                              " holds the rows of the store's own state machine; choose another"));
}

std::optional<Error> CheckMachine(const std::string& object, const char* what,
                                  const std::string& bytes, const Options& options) {
  if (options.machine == nullptr) {
    return Invalid(absl::StrCat(what,
                                " needs a state machine, and this store has none beside the "
                                "key-value operations; use those"));
  }
  if (object.empty()) return Invalid("the object's name is empty; a name has at least one byte");
  // What the placement driver is told must not depend on how long keys and values may be.
  const Options& limits = options.cluster ? Options() : options;
  if (auto error = TooLong("an object's name", object.size(), limits.key_bytes_max, "")) {
    return error;
  }
  return TooLong(what, bytes.size(), limits.value_bytes_max, "");
}

std::optional<Error> Check(const ExecuteRequest& execute, const Options& options) {
  return CheckMachine(execute.object, "a command", execute.command, options);
}

std::optional<Error> Check(const QueryRequest& query, const Options& options) {
  return CheckMachine(query.object, "a query", query.query, options);
}

std::optional<Error> Check(const GetRequest& get, const Options& options) {
  if (auto error = CheckNamespace(get.ns)) return error;
  return CheckKey(get.key, options);
}

std::optional<Error> Check(const ScanRequest& scan, const Options& options) {
  if (auto error = CheckNamespace(scan.ns)) return error;
  if (!scan.end.empty() && scan.end < scan.begin) {
    return Invalid("the end key sorts before the start key; swap them");
  }
  const size_t longest = std::max(scan.begin.size(), scan.end.size());
  // A bound may be a key's successor, which is a byte longer than the key.
  return TooLong("a scan bound", longest, options.key_bytes_max + 1, " (--max-key-bytes, and 1)");
}

std::optional<Error> Check(const kv::CompareAndSwap& swap, const Options& options) {
  if (auto error = CheckNamespace(swap.ns)) return error;
  if (auto error = CheckKey(swap.key, options)) return error;
  return TooLong("a value", swap.value.size(), options.value_bytes_max, kOfValues);
}

std::optional<Error> Check(const RawWriteRequest& write, const Options& options) {
  if (auto error = CheckNamespace(write.ns)) return error;
  if (auto error = CheckKey(write.key, options)) return error;
  return TooLong("a value", write.value ? write.value->size() : 0, options.value_bytes_max,
                 kOfValues);
}

std::optional<Error> Check(const kv::NamespaceCommand&, const Options&) { return std::nullopt; }

std::optional<Error> Check(const kv::CompareAndDelete& del, const Options& options) {
  if (auto error = CheckNamespace(del.ns)) return error;
  if (!del.expected) {
    return Invalid(
        "expected_version is 0, which means \"does not exist\"; a delete needs the version that "
        "it is to remove, at least 1");
  }
  return CheckKey(del.key, options);
}

}  // namespace

Error NotLeaderError(RegionId region, StoreId leader) {
  Error error =
      Make(ErrorCode::kNotLeader, false, region,
           leader ? absl::StrCat("this store does not lead region ", region.value(), "; try store ",
                                 leader.value())
                  : absl::StrCat("region ", region.value(),
                                 " has no leader that this store knows of; retry shortly or "
                                 "ask another store"));
  error.leader = leader;
  return error;
}

Error EpochError(const Region& current) {
  Error error = Make(
      ErrorCode::kEpochNotMatch, false, current.id,
      absl::StrCat("region ", current.id.value(), " has changed; refresh the route and retry"));
  error.region = current;
  return error;
}

Error RegionNotFoundError(RegionId region) {
  return Make(ErrorCode::kRegionNotFound, false, region,
              region ? absl::StrCat("region ", region.value(),
                                    " has no replica on this store; refresh the route and retry")
                     : "no region with a replica on this store holds the key; ask another store");
}

Error KeyNotInRegionError(RegionId region) {
  return Make(ErrorCode::kKeyNotInRegion, false, region,
              absl::StrCat("the key lies outside region ", region.value(),
                           "; refresh the route and retry"));
}

Error BusyError(const std::string& reason) {
  Error error = Make(ErrorCode::kServerIsBusy, false, RegionId(),
                     absl::StrCat("the store is busy: ", reason, "; retry after a pause"));
  error.backoff = Duration::Milliseconds(100);
  return error;
}

Error InterruptedError(RegionId region, bool possible) {
  if (!possible) {
    return Make(ErrorCode::kReadNotReady, false, region,
                absl::StrCat("the leader of region ", region.value(),
                             " changed during the request; retry"));
  }
  return Make(ErrorCode::kStaleCommand, true, region,
              absl::StrCat("the leader of region ", region.value(),
                           " changed before the outcome was known; the write may have been "
                           "applied: read the key, or retry with the same request id"));
}

Error DeadlineError(bool possible) {
  return Make(ErrorCode::kDeadlineExceeded, possible, RegionId(),
              possible ? "the deadline passed before the outcome was known; the write may have "
                         "been applied: read the key, or retry with the same request id"
                       : "the deadline passed before the request could be carried out; it had no "
                         "effect");
}

Error ForgottenError() {
  return Make(ErrorCode::kForgotten, false, RegionId(),
              "the key was changed so often since the index that the request's seen_index states "
              "that it no longer remembers whether an earlier attempt was applied; this one was "
              "not: read the key, and send new requests with the applied_index of a recent reply");
}

Error NamespaceModeError(kv::Mode wanted, const NamespaceMode& is) {
  const auto name = [](kv::Mode mode) { return mode == kv::Mode::kStrong ? "strong" : "eventual"; };
  Error error =
      Make(ErrorCode::kNamespaceMode, false, RegionId(),
           is.changing ? absl::StrCat("the namespace is ", name(is.mode),
                                      " and about to change its mode; retry shortly")
                       : absl::StrCat("the namespace is ", name(is.mode), ", and the call is for ",
                                      name(wanted), " ones; use the other service"));
  error.namespace_mode = is;
  return error;
}

Error NamespaceNotFoundError(const std::string& name) {
  return Make(ErrorCode::kNamespaceNotFound, false, RegionId(),
              absl::StrCat("there is no namespace \"", absl::CHexEscape(name),
                           "\": a strong one is created by its first write, an eventual one by "
                           "\"flaredb ns set-mode ",
                           absl::CHexEscape(name), " eventual\""));
}

Error BadNamespaceNameError() {
  return Invalid(absl::StrCat(
      "a namespace's name has 1 to ", pd::kNameBytesMax,
      " bytes of UTF-8 without control characters and without \"/\"; choose another name"));
}

Error NamespaceRefusedError(std::string why) { return Invalid(std::move(why)); }

Error NotAcceptingError(const std::string& why) {
  return Make(ErrorCode::kNotAccepting, false, RegionId(),
              absl::StrCat("this store accepts no writes to eventual namespaces, because ", why,
                           "; ask another store"));
}

Error OutboxFullError() {
  return BusyError(
      "its outbox is full of writes that their regions have yet to apply (--max-outbox-bytes)");
}

Error StoppedError(RegionId region, bool possible) {
  return Make(ErrorCode::kStoreFailed, possible, region,
              absl::StrCat("the replica of region ", region.value(),
                           " has stopped after an internal error; ask another store"));
}

std::string Describe(raft::ChangeRefusal refusal) {
  switch (refusal) {
    case raft::ChangeRefusal::kChangeInProgress:
      return "an earlier change is not finished; wait until the configuration is no longer joint";
    case raft::ChangeRefusal::kLeaderIsNew:
      return "the leader has not committed anything yet; try again in a moment";
    case raft::ChangeRefusal::kTransferInProgress:
      return "leadership is being handed over; try again at the new leader";
    case raft::ChangeRefusal::kNoChange:
      return "the change names nobody, or somebody twice";
    case raft::ChangeRefusal::kAlreadyMember:
      return "the new peer is a member already; peer ids are never used twice";
    case raft::ChangeRefusal::kNotMember:
      return "the change names a peer that is no member";
    case raft::ChangeRefusal::kNotLearner:
      return "a voter cannot be promoted";
    case raft::ChangeRefusal::kNotVoter:
      return "a learner cannot be demoted";
    case raft::ChangeRefusal::kNotCaughtUp:
      return "the learner does not have the recent log yet; wait until it has caught up";
    case raft::ChangeRefusal::kNoVoterLeft:
      return "no voter would be left";
  }
  return {};
}

std::string Describe(raft::TransferRefusal refusal) {
  switch (refusal) {
    case raft::TransferRefusal::kNotLeader:
      return "the replica here does not lead; send the order to the leader";
    case raft::TransferRefusal::kInProgress:
      return "leadership is being handed to another peer; try again in a moment";
    case raft::TransferRefusal::kNotVoter:
      return "the target is no voter";
    case raft::TransferRefusal::kIsLeader:
      return "the target leads already";
  }
  return {};
}

std::optional<Error> Validate(const Request& request, const Options& options) {
  return std::visit([&](const auto& operation) { return Check(operation, options); },
                    request.operation);
}

}  // namespace flaredb::store
