// SPDX-License-Identifier: Apache-2.0
#include "net/server/server.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/cluster/directory.h"
#include "core/pd/cluster.h"
#include "core/pd/pd_machine.h"
#include "core/store/recovery.h"
#include "net/access/door.h"
#include "net/access/tokens.h"
#include "net/admin/admin_server.h"
#include "net/admin/server_status.h"
#include "net/event_loop.h"
#include "net/grpc_health.h"
#include "net/grpc_reflection.h"
#include "net/grpc_server.h"
#include "net/server/data_folder.h"
#include "net/server/graceful_stop.h"
#include "net/server/join.h"
#include "net/server/kv_service.h"
#include "net/server/log.h"
#include "net/server/mode_service.h"
#include "net/server/pd_caller.h"
#include "net/server/pd_service.h"
#include "net/server/runtime.h"
#include "net/server/server_tls.h"
#include "net/server/status_log.h"
#include "net/server/transport.h"
#include "net/signals.h"
#include "net/system_clock.h"
#include "net/wire/text_view.h"

namespace flaredb::net {
namespace {

constexpr Duration kStatusInterval = Duration::Milliseconds(100);
// What this program can do (pd::StoreDescriptor).
constexpr uint64_t kFeatureLevel = 1;

uint64_t RandomId() {
  std::random_device device;
  const uint64_t id = uint64_t{device()} << 32 | device();
  return id == 0 ? 1 : id;
}

GrpcServerOptions OptionsOf(const Limits& limits, std::shared_ptr<const TlsContext> tls,
                            Door* door) {
  GrpcServerOptions options;
  Apply(limits, &options);
  options.tls = std::move(tls);
  options.explain = [](CallFault fault, bool reached, const GrpcStatus& status) {
    return StatusOf(fault, reached, status);
  };
  options.judge_of = [door](const std::string& method) { return door->JudgeOf(method); };
  return options;
}

absl::StatusOr<std::optional<TokenTable>> LoadTokens(const ServerOptions& options) {
  if (options.tokens_file.empty()) return std::nullopt;
  if (absl::Status s = CheckTokensAreHidden(options.tokens_file, options.tls.files); !s.ok()) {
    return s;
  }
  auto tokens = TokenTable::Read(options.tokens_file);
  if (!tokens.ok()) return tokens.status();
  return *std::move(tokens);
}

// Takes a signal that waits because the loop, which would take it, does not run.
bool StopWasAsked() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  const timespec now{};
  return sigtimedwait(&wanted, nullptr, &now) > 0;
}

Members MembersOf(const cluster::Directory& directory) {
  Members members;
  for (const auto& [id, store] : directory.stores()) {
    if (pd::IsMember(store)) members[id] = store.address;
  }
  return members;
}

std::set<StoreId> GoneFrom(const cluster::Directory& directory) {
  std::set<StoreId> gone;
  for (const auto& [id, store] : directory.stores()) {
    if (!pd::IsMember(store)) gone.insert(id);
  }
  return gone;
}

class Server {
 public:
  Server(const ServerOptions& options, ServerTls tls, std::optional<TokenTable> tokens,
         const OpenDisk& open_disk, std::unique_ptr<EventLoop> loop)
      : options_(options),
        flags_(options_.start),
        tls_(std::move(tls)),
        loop_(std::move(loop)),
        folder_(flags_.data_dir, open_disk,
                [this, mailbox = loop_->mailbox()](store::Event event) {
                  OnDiskEvent(mailbox.get(), std::move(event));
                }),
        runtime_(loop_.get()),
        door_(loop_.get(), /*want_certificates=*/tls_.links != nullptr, std::move(tokens)),
        grpc_(std::make_unique<GrpcServer>(loop_.get(),
                                           OptionsOf(options_.limits, tls_.listener, &door_))),
        transport_(
            loop_.get(), grpc_.get(), tls_.links,
            [this](StoreId from, store::StoreMessage message) {
              runtime_.Deliver(store::MessageReceived{from, std::move(message)});
            },
            [this] { runtime_.Deliver(store::Expelled{}); }),
        kv_(grpc_.get(), &runtime_, [this](StoreId store) { return transport_.AddressOf(store); }),
        pd_([this](store::Request request,
                   Runtime::Done done) { runtime_.Call(std::move(request), std::move(done)); },
            [this](StoreId store) { return transport_.AddressOf(store); }),
        start_namespaces_(loop_.get(), &pd_, options_.namespaces),
        health_(grpc_.get()),
        stop_(loop_.get(), &runtime_, grpc_.get(), &transport_, [this] { Refuse(); }) {
    RegisterModeService(grpc_.get(), &pd_, [this] { return runtime_.store().waiting(); });
    RegisterPdService(
        grpc_.get(), &pd_, [this] { return runtime_.store().waiting(); },
        [this] { return AliveStores(); });
    RegisterReflection(grpc_.get(), {ShowAsText, options_.text_reflection});
  }
  // Connections first: their calls end in the objects that would go before them.
  ~Server() { grpc_.reset(); }

  absl::Status Run() {
    const auto on_signal = [this](int signal) {
      return signal == SIGHUP ? ReadFilesAgain() : OnStopSignal();
    };
    auto signals = options_.tls.files.empty()
                       ? SignalWatcher::Create(loop_.get(), {SIGINT, SIGTERM}, on_signal)
                       : SignalWatcher::Create(loop_.get(), {SIGINT, SIGTERM, SIGHUP}, on_signal);
    if (!signals.ok()) return signals.status();
    signals_ = *std::move(signals);
    // The address first: a store that can't be reached must not leave a folder behind.
    if (absl::StatusOr<uint16_t> port = grpc_->Listen(flags_.address); !port.ok()) {
      if (absl::IsInvalidArgument(port.status())) return port.status();
      return absl::UnavailableError(port.status().message());
    }
    if (absl::Status s = StartAdmin(); !s.ok()) return s;
    if (absl::Status s = Start(); !s.ok()) {
      return absl::IsCancelled(s) ? absl::OkStatus() : s;
    }
    if (absl::Status s = Serve(); !s.ok()) return s;
    stop_.HangUp();
    Log(LogLevel::kInfo, "stopped", {{"store", flags_.store}});
    return absl::OkStatus();
  }

 private:
  // --- Start.

  absl::Status StartAdmin() {
    if (options_.admin_address.empty()) return absl::OkStatus();
    starting_ = "the data folder " + flags_.data_dir + " to be opened and read";
    Publish(ServerPhase::kStarting);
    auto admin = AdminServer::Start(options_.admin_address, &board_);
    if (!admin.ok()) return admin.status();
    admin_ = *std::move(admin);
    return absl::OkStatus();
  }

  absl::Status Start() {
    if (absl::Status s = folder_.Open(); !s.ok()) return s;
    std::optional<FoundStore> found;
    if (const store::RecoveredStore* recovered = folder_.recovered()) {
      found = FoundStore{recovered->identity, MembersOf(recovered->directory)};
    }
    absl::StatusOr<StartPlan> plan = PlanStart(flags_, found, RandomId());
    if (!plan.ok()) return plan.status();
    if (!found.has_value()) {
      if (absl::Status s = Found(&*plan); !s.ok()) return s;
    }
    folder_.Settle();
    Launch(*plan);
    return absl::OkStatus();
  }

  // On a thread of the disk's. The event waits in a shared_ptr, as a std::function is copyable.
  void OnDiskEvent(Mailbox* mailbox, store::Event event) {
    mailbox->Post([this, shared = std::make_shared<store::Event>(std::move(event))] {
      runtime_.Deliver(std::move(*shared));
    });
  }

  // Makes the folder a store of the plan's cluster.
  absl::Status Found(StartPlan* plan) {
    const auto instance = folder_.Instance({RandomId(), RandomId()});
    if (!instance.ok()) return instance.status();
    plan->identity.instance = *instance;
    std::vector<store::FirstReplica> replicas;
    if (plan->joins) {
      const auto joined = Join({flags_.store, plan->identity.instance, flags_.address,
                                kFeatureLevel, flags_.peers, flags_.cluster_id},
                               tls_.links, StopWasAsked,
                               [this](const std::string& peer, const std::string& reason) {
                                 TellJoinWaits(peer, reason);
                               });
      if (!joined.ok()) return joined.status();
      plan->identity.cluster_id = joined->cluster_id;
      plan->members = joined->members;
    } else {
      for (const Region& region : store::FoundingRegions(flags_.store)) {
        replicas.push_back({region, Incarnation(RandomId())});
      }
    }
    if (absl::Status s = folder_.Bootstrap(store::Bootstrap(plan->identity, replicas)); !s.ok()) {
      return s;
    }
    Log(LogLevel::kInfo, plan->joins ? "joined" : "founded",
        {{"cluster", plan->identity.cluster_id}, {"stores", FormatMembers(plan->members)}});
    return absl::OkStatus();
  }

  void TellJoinWaits(const std::string& peer, const std::string& reason) {
    Log(LogLevel::kInfo, "waits to join a cluster", {{"peer", peer}, {"reason", reason}});
    starting_ = "the store at " + peer + " to let this one join: " + reason;
    if (admin_ != nullptr) Publish(ServerPhase::kStarting);
  }

  void Launch(const StartPlan& plan) {
    store::Options options;
    options.seed = RandomId();
    Apply(options_.limits, &options);
    options.machine = &pd_machine_;
    options.cluster.emplace();
    options.cluster->address = flags_.address;
    options.cluster->feature_level = kFeatureLevel;
    options.cluster->unix_ms = UnixMsAt(loop_->now());
    disk_ = folder_.TakeDisk();
    runtime_.Start(options, folder_.TakeRecovered(), disk_.get(), &transport_);
    transport_.Start(plan.identity, plan.members, RandomId(), flags_.peers);
    UpdateStatus();
    start_namespaces_.Begin();
    Log(LogLevel::kInfo, "listening",
        {{"address", flags_.address},
         {"store", plan.identity.store},
         {"cluster", plan.identity.cluster_id},
         {"data", flags_.data_dir},
         {"tls", options_.tls.files.empty() ? "off" : "on"},
         {"tokens", options_.tokens_file.empty() ? "off" : "on"},
         {"admin", admin_ == nullptr ? "off" : options_.admin_address}});
  }

  // --- Service.

  absl::Status Serve() {
    while (true) {
      loop_->RunOnce(std::min(runtime_.next_deadline(), stop_.look_at()));
      if (!runtime_.failure().ok()) return runtime_.failure();
      FollowDirectory();
      if (stop_.MayHangUp()) return absl::OkStatus();
    }
  }

  // Whom the cluster says to be in it, and where.
  void FollowDirectory() {
    const cluster::Directory& directory = *runtime_.store().directory();
    if (directory.revision() == revision_) return;
    revision_ = directory.revision();
    transport_.SetMembers(MembersOf(directory), GoneFrom(directory));
  }

  // What is wrong in a file must not shut everybody out.
  void ReadFilesAgain() {
    ReadCertificatesAgain();
    if (!options_.tokens_file.empty()) ReadTokensAgain();
  }

  void ReadCertificatesAgain() {
    const absl::StatusOr<ServerTls> tls = LoadTls(options_.tls);
    if (!tls.ok()) {
      return Log(LogLevel::kError, "keeps the certificates that it has",
                 {{"reason", std::string(tls.status().message())}});
    }
    tls_.listener->Become(*tls->listener);
    tls_.links->Become(*tls->links);
    Log(LogLevel::kInfo, "read the certificates again", {{"cert", options_.tls.files.cert}});
  }

  void ReadTokensAgain() {
    auto tokens = TokenTable::Read(options_.tokens_file);
    if (!tokens.ok()) {
      return Log(LogLevel::kError, "keeps the tokens that it has",
                 {{"reason", std::string(tokens.status().message())}});
    }
    Log(LogLevel::kInfo, "read the tokens again", {{"tokens", uint64_t{tokens->size()}}});
    door_.SetTokens(*std::move(tokens));
  }

  void UpdateStatus() {
    const bool well = status_log_.Update(runtime_.store().peers());
    if (!given_up_ && IsGivenUp()) Retire();
    SetServing(well && !stop_.begun() && !given_up_ && start_namespaces_.done());
    if (admin_ != nullptr) Publish(stop_.begun() ? ServerPhase::kStopping : ServerPhase::kServing);
    loop_->StartTimer(loop_->now() + kStatusInterval, [this] { UpdateStatus(); });
  }

  bool IsGivenUp() const {
    const store::Store& store = runtime_.store();
    const pd::StoreInfo* self = store.directory()->Find(store.identity().store);
    return self != nullptr && !pd::IsMember(*self);
  }

  // Nobody answers what it would pass on.
  void Retire() {
    given_up_ = true;
    Log(LogLevel::kError, "given up for lost or removed, which is for ever: stop the store",
        {{"store", flags_.store}});
    Refuse();
  }

  std::vector<StoreId> AliveStores() const {
    std::vector<StoreId> alive = {runtime_.store().identity().store};
    for (const LinkFigures& link : transport_.figures()) {
      if (link.up) alive.push_back(link.store);
    }
    return alive;
  }

  void SetServing(bool serving) {
    for (const char* service :
         {"", "kvrpc.KvCas", "kvrpc.KvRaw", "raftpb.RaftService", "pdpb.Pd"}) {
      health_.SetServing(service, serving);
    }
  }

  void Publish(ServerPhase phase) {
    ServerStatus status;
    status.phase = phase;
    status.taken_at = MonotonicNow();
    status.data_dir = flags_.data_dir;
    status.starting = starting_;
    if (phase != ServerPhase::kStarting) {
      const store::Store& store = runtime_.store();
      status.identity = store.identity();
      status.peers = store.peers();
      status.given_up = given_up_;
      status.namespaces_missing = !start_namespaces_.done();
      status.leader_changes = status_log_.leader_changes();
      status.waiting_calls = store.waiting_calls();
      status.forwarded_calls = store.forwarded_calls();
      status.parked_calls = store.parked_calls();
      status.rows_in_flight = store.rows_in_flight();
      status.outbox_rows = store.outbox_rows();
      status.cluster_waits = store.waiting();
      status.runtime = runtime_.figures();
      status.links = transport_.figures();
      status.grpc = grpc_->counters();
      status.methods = grpc_->method_counters();
      status.unread_output_bytes = grpc_->waiting_output_bytes();
    }
    board_.Publish(std::move(status));
  }

  // --- Stop.

  void OnStopSignal() {
    // The next signal meets the system's own treatment, also when the loop hangs by then. Deferred,
    // as this is a function of the watcher's.
    loop_->Defer([this] { signals_.reset(); });
    Log(LogLevel::kInfo, "stopping",
        {{"store", flags_.store}, {"open_calls", uint64_t{runtime_.open_calls()}}});
    stop_.Begin();
    SetServing(false);
  }

  void Refuse() {
    kv_.Refuse(flags_.store);
    pd_.Refuse(flags_.store);
  }

  const ServerOptions options_;
  const StartFlags& flags_;
  const ServerTls tls_;
  const std::unique_ptr<EventLoop> loop_;
  const pd::PdMachine pd_machine_;
  DataFolder folder_;  // Until Launch.
  std::unique_ptr<Disk> disk_;
  Runtime runtime_;
  Door door_;
  std::unique_ptr<GrpcServer> grpc_;
  Transport transport_;
  pd::Revision revision_;  // Of the directory that the transport knows.
  KvService kv_;
  PdCaller pd_;
  StartNamespaces start_namespaces_;
  HealthService health_;
  StatusLog status_log_;
  std::string starting_;  // What the start waits for.
  StatusBoard board_;
  std::unique_ptr<AdminServer> admin_;      // After board_, which it reads.
  std::unique_ptr<SignalWatcher> signals_;  // Until the first signal.
  bool given_up_ = false;
  GracefulStop stop_;
};

}  // namespace

absl::Status RunServer(const ServerOptions& options, const OpenDisk& open_disk) {
  if (absl::Status s = CheckFlags(options.start); !s.ok()) return s;
  // A closed terminal or pipe must not end a store. A limit on the size of files is an error of the
  // write, and is told like any other.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // It would write a line of its own for every request with a name that is no text. Whoever sent
  // one is told.
  google::protobuf::SetLogHandler(nullptr);
  if (absl::Status s = CheckExposure(options.tls, options.start.address); !s.ok()) return s;
  absl::StatusOr<ServerTls> tls = LoadTls(options.tls);
  if (!tls.ok()) return tls.status();
  absl::StatusOr<std::optional<TokenTable>> tokens = LoadTokens(options);
  if (!tokens.ok()) return tokens.status();
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  return Server(options, *std::move(tls), *std::move(tokens), open_disk, *std::move(loop)).Run();
}

}  // namespace flaredb::net
