// SPDX-License-Identifier: Apache-2.0
#include "net/access/door.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/pd/namespaces.h"
#include "net/server/log.h"
#include "net/wire/error_codec.h"
#include "proto/kvrpc.pb.h"
#include "proto/modes.pb.h"

namespace flaredb::net {
namespace {

constexpr uint32_t kLogLinesBurst = 10;
constexpr uint32_t kLogLinesPerSecond = 1;

// The request is parsed again by its handler: an own, quicker look at its bytes could be made to
// see another namespace than the handler sees.
template <typename Request>
std::optional<Target> TargetOf(std::string_view bytes) {
  Request request;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::nullopt;
  }
  Target target;
  target.ns = std::move(*request.mutable_namespace_());
  if (target.ns.empty()) target.ns = pd::kDefaultNamespace;
  if constexpr (requires { request.return_current(); }) {
    target.wants_value = request.return_current();
  }
  return target;
}

constexpr std::array kEntries = {
    DoorEntry{"/grpc.health.v1.Health/Check", Right::kOpen},
    DoorEntry{"/grpc.health.v1.Health/Watch", Right::kOpen},
    DoorEntry{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Right::kOpen},
    DoorEntry{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Right::kOpen},

    DoorEntry{"/kvrpc.KvCas/CompareAndSwap", Right::kWrite, TargetOf<kvrpc::CasRequest>},
    DoorEntry{"/kvrpc.KvCas/Get", Right::kRead, TargetOf<kvrpc::GetRequest>},
    DoorEntry{"/kvrpc.KvCas/Scan", Right::kRead, TargetOf<kvrpc::ScanRequest>},
    DoorEntry{"/kvrpc.KvCas/CompareAndDelete", Right::kWrite, TargetOf<kvrpc::CasDeleteRequest>},
    DoorEntry{"/kvrpc.KvRaw/RawPut", Right::kWrite, TargetOf<kvrpc::RawPutRequest>},
    DoorEntry{"/kvrpc.KvRaw/RawGet", Right::kRead, TargetOf<kvrpc::RawGetRequest>},
    DoorEntry{"/kvrpc.KvRaw/RawScan", Right::kRead, TargetOf<kvrpc::RawScanRequest>},
    DoorEntry{"/kvrpc.KvRaw/RawDelete", Right::kWrite, TargetOf<kvrpc::RawDeleteRequest>},

    DoorEntry{"/raftpb.RaftService/GetMode", Right::kSee, TargetOf<raftpb::GetModeRequest>},
    DoorEntry{"/raftpb.RaftService/ListNamespaceModes", Right::kAdmin},
    DoorEntry{"/raftpb.RaftService/UpdateNamespaceMode", Right::kAdmin},
    DoorEntry{"/raftpb.RaftService/Batch", Right::kStore},

    DoorEntry{"/pdpb.Pd/GetCluster", Right::kAdmin},
    DoorEntry{"/pdpb.Pd/GetMembers", Right::kAdmin},
    DoorEntry{"/pdpb.Pd/PutStore", Right::kStore},
    DoorEntry{"/pdpb.Pd/ListStores", Right::kAdmin},
    DoorEntry{"/pdpb.Pd/SetStoreState", Right::kAdmin},
    DoorEntry{"/pdpb.Pd/AllocateIds", Right::kStore},
    DoorEntry{"/pdpb.Pd/GetRegion", Right::kAdmin},
    DoorEntry{"/pdpb.Pd/ScanRegions", Right::kAdmin},
    DoorEntry{"/pdpb.Pd/EnsureNamespace", Right::kAdmin},
};

// The token in "Bearer TOKEN", in whose first word capitals do not count (RFC 9110 11.1); empty:
// there is none.
std::string_view BearerOf(std::string_view header) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!absl::StartsWithIgnoreCase(ToAbsl(header), ToAbsl(kScheme))) return "";
  header.remove_prefix(kScheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  return header;
}

bool IsStore(const CallHandle& call) {
  const std::optional<PeerCertificate> certificate = call.certificate();
  return certificate.has_value() && certificate->of_server;
}

}  // namespace

absl::Span<const DoorEntry> DoorEntries() { return kEntries; }

Door::Door(const EventLoop* loop, bool want_certificates, std::optional<TokenTable> tokens)
    : loop_(loop),
      want_certificates_(want_certificates),
      tokens_(std::move(tokens)),
      log_lines_(kLogLinesBurst, kLogLinesPerSecond, loop->now()) {
  INVARIANT(want_certificates || !tokens_.has_value());
}

CallJudge Door::JudgeOf(const std::string& method) {
  const auto entry = std::find_if(kEntries.begin(), kEntries.end(),
                                  [&](const DoorEntry& e) { return e.method == method; });
  INVARIANT(entry != kEntries.end()) << "whom is " << method << " for?";
  const bool for_all = entry->right == Right::kStore ? !want_certificates_ : !tokens_.has_value();
  if (entry->right == Right::kOpen || for_all) return nullptr;
  return [this, entry](const CallHandle& call, std::string_view request) {
    GrpcStatus refusal = Judge(*entry, call, request);
    if (!refusal.ok()) LogRefusal(*entry, call, refusal);
    return refusal;
  };
}

GrpcStatus Door::Judge(const DoorEntry& entry, const CallHandle& call,
                       std::string_view request) const {
  if (entry.right == Right::kStore) {
    if (IsStore(call)) return {};
    return PermissionDenied(
        "only stores may call this method: show a certificate that \"flaredb cert server\" made",
        "", "", "store");
  }
  const std::string_view secret = BearerOf(call.header("authorization"));
  if (!secret.empty()) return JudgeToken(entry, secret, request);
  if (IsStore(call)) return {};
  return Unauthenticated(
      "this store wants a token, and the call has none: give --token-file, or send it as "
      "\"authorization: Bearer TOKEN\"");
}

GrpcStatus Door::JudgeToken(const DoorEntry& entry, std::string_view secret,
                            std::string_view request) const {
  const Token* const token = tokens_->Find(secret);
  if (token == nullptr) {
    return Unauthenticated(
        "the call's token is none of those that this store knows: it is mistyped, or was taken out "
        "of the tokens file; ask whoever keeps the store for a new one");
  }
  const TokenRights& rights = token->rights;
  if (entry.target_of == nullptr) {
    if (rights.admin) return {};
    return PermissionDenied(
        absl::StrCat("token \"", token->name, "\" may not call ", ToAbsl(entry.method),
                     ": in the tokens file it would need \"admin = true\""),
        token->name, "", "admin");
  }
  const std::optional<Target> target = entry.target_of(request);
  if (!target.has_value()) {
    return InvalidRequest(
        "the request is no message of the type that the method takes: send one as the files in "
        "proto/ describe it");
  }
  const std::string& ns = target->ns;
  if (!pd::IsNamespaceName(ns)) {
    return InvalidRequest(absl::StrCat("a namespace's name has 1 to ", pd::kNameBytesMax,
                                       " bytes of UTF-8 without control characters and '/'"));
  }
  const auto deny = [&](const char* right) {
    return PermissionDenied(
        absl::StrCat("token \"", token->name, "\" may not ", right, " namespace \"",
                     absl::CHexEscape(ns), "\": in the tokens file its \"", right,
                     "\" would need that name"),
        token->name, ns, right);
  };
  const bool sees = rights.admin || rights.MayRead(ns) || rights.MayWrite(ns);
  if (entry.right == Right::kSee && sees) return {};
  if (entry.right == Right::kWrite && !rights.MayWrite(ns)) return deny("write");
  const bool reads = entry.right != Right::kWrite || target->wants_value;
  if (reads && !rights.MayRead(ns)) return deny("read");
  return {};
}

void Door::LogRefusal(const DoorEntry& entry, const CallHandle& call, const GrpcStatus& refusal) {
  if (!log_lines_.Take(loop_->now())) return;
  Log(LogLevel::kWarn, "refused a call",
      {{"peer", call.peer()}, {"method", std::string(entry.method)}, {"reason", refusal.message}});
}

}  // namespace flaredb::net
