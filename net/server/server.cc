// SPDX-License-Identifier: Apache-2.0
#include "net/server/server.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/store/recovery.h"
#include "net/event_loop.h"
#include "net/grpc_health.h"
#include "net/grpc_reflection.h"
#include "net/grpc_server.h"
#include "net/server/kv_service.h"
#include "net/server/log.h"
#include "net/server/runtime.h"
#include "net/server/status_log.h"
#include "net/server/transport.h"
#include "net/signals.h"

namespace flaredb::net {
namespace {

constexpr Duration kStatusInterval = Duration::Milliseconds(100);
// How long a stop waits for open calls, and then for the last bytes to leave.
constexpr Duration kStopForCalls = Duration::Seconds(3);
constexpr Duration kStopForConnections = Duration::Milliseconds(200);
// A page of a scan has to fit into a message, with what its encoding adds.
constexpr size_t kScanBytesMax = 2 << 20;

uint64_t RandomId() {
  std::random_device device;
  const uint64_t id = uint64_t{device()} << 32 | device();
  return id == 0 ? 1 : id;
}

class Server {
 public:
  Server(const StartFlags& flags, const OpenDisk& open_disk, std::unique_ptr<EventLoop> loop)
      : flags_(flags),
        open_disk_(open_disk),
        loop_(std::move(loop)),
        runtime_(loop_.get()),
        grpc_(std::make_unique<GrpcServer>(loop_.get(), GrpcServerOptions())),
        transport_(loop_.get(), grpc_.get(),
                   [this](StoreId from, store::StoreMessage message) {
                     runtime_.Deliver(store::MessageReceived{from, std::move(message)});
                   }),
        kv_(grpc_.get(), &runtime_, [this](StoreId store) { return transport_.AddressOf(store); }),
        health_(grpc_.get()) {
    RegisterReflection(grpc_.get());
  }
  // Connections first: their calls end in the objects that would go before them.
  ~Server() { grpc_.reset(); }

  absl::Status Run() {
    auto signals =
        SignalWatcher::Create(loop_.get(), {SIGINT, SIGTERM}, [this](int) { OnStopSignal(); });
    if (!signals.ok()) return signals.status();
    // The address first: a store that can't be reached must not leave a folder behind.
    if (absl::StatusOr<uint16_t> port = grpc_->Listen(flags_.address); !port.ok()) {
      if (absl::IsInvalidArgument(port.status())) return port.status();
      return absl::UnavailableError(port.status().message());
    }
    if (absl::Status s = Start(); !s.ok()) return s;
    if (absl::Status s = Serve(); !s.ok()) return s;
    HangUp();
    Log(LogLevel::kInfo, "stopped", {{"store", flags_.store}});
    return absl::OkStatus();
  }

 private:
  // --- Start.

  absl::Status Start() {
    std::error_code error;
    std::filesystem::create_directories(flags_.data_dir, error);
    if (error) {
      return absl::UnavailableError(absl::StrCat("cannot use ", flags_.data_dir,
                                                 " as data folder: ", error.message(),
                                                 "; give another one to --data-dir"));
    }
    if (absl::Status s = OpenFolder(); !s.ok()) return s;
    absl::StatusOr<std::optional<Members>> remembered = ReadMembersFile(MembersPath());
    // A damaged list does not matter to whoever gives a new one.
    if (!remembered.ok() && flags_.initial_cluster.has_value()) remembered = std::nullopt;
    if (!remembered.ok()) return remembered.status();

    std::optional<FoundStore> found;
    if (recovered_.has_value()) found = FoundStore{recovered_->identity, Holders(), *remembered};
    absl::StatusOr<StartPlan> plan = PlanStart(flags_, found, RandomId());
    if (!plan.ok()) return plan.status();
    if (!recovered_.has_value()) {
      if (absl::Status s = Found(*plan); !s.ok()) return s;
    }
    if (plan->members != *remembered) {
      if (absl::Status s = WriteMembersFile(MembersPath(), plan->members); !s.ok()) return s;
    }
    Launch(*plan);
    return absl::OkStatus();
  }

  std::string MembersPath() const { return flags_.data_dir + "/members"; }

  // Opens the database and reads what an earlier start left there.
  absl::Status OpenFolder() {
    auto disk =
        open_disk_(flags_.data_dir + "/db", [this, mailbox = loop_->mailbox()](store::Event event) {
          OnDiskEvent(mailbox.get(), std::move(event));
        });
    if (!disk.ok()) return disk.status();
    disk_ = *std::move(disk);
    auto logs = disk_->RecoverLogs();
    if (!logs.ok()) return logs.status();
    auto recovered = store::Recover(disk_->data(), *logs);
    if (recovered.ok()) {
      recovered_ = *std::move(recovered);
    } else if (!absl::IsNotFound(recovered.status())) {
      return recovered.status();
    }
    return absl::OkStatus();
  }

  // On a thread of the disk's. The event waits in a shared_ptr, as a std::function is copyable.
  void OnDiskEvent(Mailbox* mailbox, store::Event event) {
    mailbox->Post([this, shared = std::make_shared<store::Event>(std::move(event))] {
      runtime_.Deliver(std::move(*shared));
    });
  }

  // Makes the folder a store of the plan's cluster, then opens it like any other.
  absl::Status Found(const StartPlan& plan) {
    disk_->Write(
        store::Bootstrap(plan.identity, FirstRegion(plan.members), Incarnation(RandomId())));
    disk_.reset();
    if (absl::Status s = OpenFolder(); !s.ok()) return s;
    if (!recovered_.has_value()) {
      return absl::InternalError(
          absl::StrCat("the first write to ", flags_.data_dir, " failed: check the disk"));
    }
    Log(LogLevel::kInfo, "founded",
        {{"cluster", plan.identity.cluster_id}, {"stores", FormatMembers(plan.members)}});
    return absl::OkStatus();
  }

  // The stores that hold the first region, by id.
  std::vector<StoreId> Holders() const {
    std::vector<StoreId> ids;
    if (recovered_->regions.empty()) return ids;
    for (const Peer& peer : recovered_->regions.front().region.peers) ids.push_back(peer.store);
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  void Launch(const StartPlan& plan) {
    store::Options options;
    options.seed = RandomId();
    options.scan_bytes_max = kScanBytesMax;
    runtime_.Start(options, *std::move(recovered_), disk_.get(), &transport_);
    transport_.Start(plan.identity, plan.members, RandomId());
    UpdateStatus();
    Log(LogLevel::kInfo, "listening",
        {{"address", flags_.address},
         {"store", plan.identity.store},
         {"cluster", plan.identity.cluster_id},
         {"data", flags_.data_dir}});
  }

  // --- Service.

  absl::Status Serve() {
    while (true) {
      loop_->RunOnce(std::min(runtime_.next_deadline(), stop_at_));
      if (!runtime_.failure().ok()) return runtime_.failure();
      if (stopping_ && (runtime_.open_calls() == 0 || loop_->now() >= stop_at_)) {
        return absl::OkStatus();
      }
    }
  }

  void UpdateStatus() {
    const bool serving = status_log_.Update(runtime_.store().peers()) && !stopping_;
    health_.SetServing("", serving);
    health_.SetServing("kvrpc.KvCas", serving);
    loop_->StartTimer(loop_->now() + kStatusInterval, [this] { UpdateStatus(); });
  }

  // --- Stop.

  void OnStopSignal() {
    if (stopping_) {
      stop_at_ = loop_->now();
      return;
    }
    Log(LogLevel::kInfo, "stopping",
        {{"store", flags_.store}, {"open_calls", uint64_t{runtime_.open_calls()}}});
    stopping_ = true;
    stop_at_ = loop_->now() + kStopForCalls;
    health_.SetServing("", false);
    health_.SetServing("kvrpc.KvCas", false);
    grpc_->Drain([this] { drained_ = true; });
  }

  // Tells the other stores, and gives the last replies time to leave.
  void HangUp() {
    transport_.Stop();
    const Instant until = loop_->now() + kStopForConnections;
    while (!drained_ && loop_->now() < until) {
      loop_->RunOnce(std::min(runtime_.next_deadline(), until));
    }
  }

  const StartFlags flags_;
  const OpenDisk& open_disk_;
  const std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Disk> disk_;
  std::optional<store::RecoveredStore> recovered_;  // Between OpenFolder and Launch.
  Runtime runtime_;
  std::unique_ptr<GrpcServer> grpc_;
  Transport transport_;
  KvService kv_;
  HealthService health_;
  StatusLog status_log_;
  bool stopping_ = false;
  bool drained_ = false;
  Instant stop_at_ = Instant::Max();
};

}  // namespace

absl::Status RunServer(const StartFlags& flags, const OpenDisk& open_disk) {
  if (absl::Status s = CheckFlags(flags); !s.ok()) return s;
  // A closed terminal or pipe must not end a store. A limit on the size of files is an error of the
  // write, and is told like any other.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  return Server(flags, open_disk, *std::move(loop)).Run();
}

}  // namespace flaredb::net
