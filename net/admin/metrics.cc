// SPDX-License-Identifier: Apache-2.0
#include "net/admin/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace flaredb::net {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// As go-grpc-prometheus spells them.
const char* CodeName(absl::StatusCode code) {
  constexpr std::array<const char*, 17> kNames = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  const auto number = static_cast<size_t>(code);
  return number < kNames.size() ? kNames[number] : "Unknown";
}

// "/kvrpc.KvCas/Get"
Labels MethodOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return {{"grpc_service", path.substr(1, slash - 1)}, {"grpc_method", path.substr(slash + 1)}};
}

double Seconds(Duration d) { return static_cast<double>(d.nanoseconds()) / 1e9; }

// Collects families in the order of their first use.
class Page {
 public:
  template <typename Number>
  void Gauge(std::string_view name, std::string_view help, Number value, Labels labels = {}) {
    Add(MetricType::Gauge, name, help, std::move(labels)).gauge.value = static_cast<double>(value);
  }
  template <typename Number>
  void Counter(std::string_view name, std::string_view help, Number value, Labels labels = {}) {
    Add(MetricType::Counter, name, help, std::move(labels)).counter.value =
        static_cast<double>(value);
  }
  void Times(std::string_view name, std::string_view help, const Histogram& times,
             Labels labels = {}) {
    ClientMetric::Histogram& out =
        Add(MetricType::Histogram, name, help, std::move(labels)).histogram;
    for (size_t i = 0; i < times.counts().size(); ++i) {
      out.sample_count += times.counts()[i];
      const double bound = i < Histogram::kBounds.size() ? Seconds(Histogram::kBounds[i])
                                                         : std::numeric_limits<double>::infinity();
      out.bucket.push_back({out.sample_count, bound});
    }
    out.sample_sum = Seconds(times.sum());
  }

  std::string Text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  ClientMetric& Add(MetricType type, std::string_view name, std::string_view help, Labels labels) {
    auto it = std::find_if(families_.begin(), families_.end(),
                           [name](const MetricFamily& family) { return family.name == name; });
    if (it == families_.end()) {
      it = families_.insert(it, MetricFamily{std::string(name), std::string(help), type, {}});
    }
    it->metric.emplace_back().label = std::move(labels);
    return it->metric.back();
  }

  std::vector<MetricFamily> families_;
};

void AddStore(const ServerStatus& status, Page* page) {
  // A store that starts has not read yet who it is.
  if (status.phase != ServerPhase::kStarting) {
    page->Gauge("flaredb_store_info", "1; the labels tell which store of which cluster this is.", 1,
                {{"cluster", std::to_string(status.identity.cluster_id)},
                 {"store", std::to_string(status.identity.store.value())}});
  }
  page->Gauge("flaredb_store_waiting_calls",
              "Calls of clients and other stores that are not answered yet.", status.waiting_calls);
  page->Gauge("flaredb_store_forwarded_calls", "Calls under way to the leader on another store.",
              status.forwarded_calls);
  page->Gauge("flaredb_store_parked_calls", "Calls that wait until a leader is known.",
              status.parked_calls);
  page->Gauge("flaredb_store_unsynced_rows", "Rows applied in memory and not yet synced.",
              status.rows_in_flight);
  page->Gauge("flaredb_store_outbox_rows",
              "Writes to eventual namespaces that are not applied on this store yet.",
              status.outbox_rows);
  page->Gauge("flaredb_cluster_waits",
              "Things that the cluster waits for, as this store was last told.",
              status.cluster_waits.size());
}

void AddReplicas(const ServerStatus& status, Page* page) {
  constexpr std::array<const char*, 4> kRoles = {"follower", "pre_candidate", "candidate",
                                                 "leader"};
  std::array<uint64_t, kRoles.size()> roles{};
  uint64_t without_leader = 0, silenced = 0, resting = 0, log_entries = 0, proposals = 0,
           proposal_bytes = 0, snapshots = 0, apply_lag = 0, durable_lag = 0, follower_lag = 0;
  for (const store::PeerView& peer : status.peers) {
    const raft::View& raft = peer.raft;
    ++roles[static_cast<size_t>(raft.role)];
    without_leader += raft.leader ? 0 : 1;
    silenced += peer.poisoned ? 1 : 0;
    resting += raft.resting ? 1 : 0;
    log_entries += raft.last_log.index.value() - raft.base.index.value();
    proposals += raft.backlog.proposals;
    proposal_bytes += raft.backlog.proposal_bytes;
    snapshots += raft.backlog.snapshots;
    apply_lag = std::max(apply_lag, raft.commit_index.value() - peer.applied_index.value());
    durable_lag = std::max(durable_lag, raft.last_log.index.value() - raft.durable_index.value());
    for (const raft::ProgressView& follower : raft.progress) {
      if (follower.peer == raft.id) continue;
      follower_lag =
          std::max(follower_lag, raft.last_log.index.value() - follower.match_index.value());
    }
  }
  for (size_t i = 0; i < kRoles.size(); ++i) {
    page->Gauge("flaredb_raft_replicas", "Replicas of regions on this store, by role.", roles[i],
                {{"role", kRoles[i]}});
  }
  page->Gauge("flaredb_raft_replicas_without_leader",
              "Replicas that do not know a leader of their region.", without_leader);
  page->Gauge("flaredb_raft_replicas_silenced", "Replicas that a broken invariant silenced.",
              silenced);
  page->Gauge("flaredb_raft_replicas_resting",
              "Replicas without messages of their own, as nobody wants anything of their region.",
              resting);
  page->Counter("flaredb_raft_leader_changes_total",
                "Times that a replica was seen to have a new leader.", status.leader_changes);
  page->Gauge("flaredb_raft_log_entries", "Entries kept in the logs of all replicas.", log_entries);
  page->Gauge("flaredb_raft_proposals_pending", "Proposed here and not yet committed.", proposals);
  page->Gauge("flaredb_raft_proposal_bytes_pending", "Payload of the pending proposals.",
              proposal_bytes);
  page->Gauge("flaredb_raft_snapshots_active", "Snapshots that are being sent or received.",
              snapshots);
  page->Gauge("flaredb_raft_apply_lag_entries_max",
              "Committed and not applied entries of the replica that has most of them.", apply_lag);
  page->Gauge("flaredb_raft_durable_lag_entries_max",
              "Entries not yet synced of the replica that has most of them.", durable_lag);
  page->Gauge("flaredb_raft_follower_lag_entries_max",
              "Entries that the slowest follower of a region led here does not have.",
              follower_lag);
}

void AddRuntime(const ServerStatus& status, const ProcessFigures& process, Page* page) {
  page->Counter("flaredb_loop_events_total", "Events that the store's turns handled.",
                status.runtime.events);
  page->Times("flaredb_loop_turn_seconds", "Turns of the store, with what they caused.",
              status.runtime.turn_seconds);
  page->Times("flaredb_disk_commit_seconds",
              "From handing a group commit to the disk until told that it is synced.",
              status.runtime.commit_seconds);
  page->Gauge("flaredb_disk_commits_waiting", "Group commits that are not synced yet.",
              status.runtime.commits_waiting);
  page->Counter("flaredb_disk_log_reads_total", "Reads of log entries that had left memory.",
                status.runtime.log_fetches);
  page->Gauge("flaredb_disk_free_bytes", "Room left on the file system of the data folder.",
              process.disk_free_bytes);
  page->Gauge("flaredb_disk_size_bytes", "Size of the file system of the data folder.",
              process.disk_size_bytes);
}

void AddLinks(const ServerStatus& status, Page* page) {
  for (const LinkFigures& link : status.links) {
    const Labels to = {{"to", std::to_string(link.store.value())}};
    page->Gauge("flaredb_link_up", "1 while the link to the other store is open.", link.up ? 1 : 0,
                to);
    page->Counter("flaredb_link_opened_total", "Times that the link came up.", link.opened, to);
    page->Counter("flaredb_link_messages_sent_total", "Messages sent to the other store.",
                  link.messages_sent, to);
    page->Counter("flaredb_link_messages_dropped_total",
                  "Messages not sent for want of a link or of room in it.", link.messages_dropped,
                  to);
    page->Counter("flaredb_link_sent_bytes_total", "Bytes of the messages sent.", link.bytes_sent,
                  to);
    page->Gauge("flaredb_link_unsent_bytes", "Bytes that wait for the other store to read.",
                link.unsent_bytes, to);
  }
}

// The names that go-grpc-prometheus gave them, which dashboards know.
void AddGrpc(const ServerStatus& status, Page* page) {
  page->Gauge("flaredb_grpc_connections", "Connections of clients and other stores.",
              status.grpc.connections_now);
  page->Counter("flaredb_grpc_connections_accepted_total", "Connections accepted.",
                status.grpc.connections_total);
  page->Counter("flaredb_grpc_connections_refused_total",
                "Connections closed at once for being over a limit.",
                status.grpc.connections_refused);
  page->Counter("flaredb_grpc_connections_dropped_total",
                "Connections ended for abuse, a stall, a time-out or loss, or to make room.",
                status.grpc.connections_dropped);
  page->Gauge("flaredb_grpc_unread_output_bytes", "Replies that clients have not read yet.",
              status.unread_output_bytes);
  for (const auto& [path, counters] : status.methods) {
    page->Counter("grpc_server_started_total", "Calls begun.", counters.started, MethodOf(path));
  }
  for (const auto& [path, counters] : status.methods) {
    // A rate needs a first value: what never happened is 0, not absent.
    std::map<absl::StatusCode, uint64_t> handled = {{absl::StatusCode::kOk, 0}};
    for (const auto& [code, count] : counters.handled) handled[code] = count;
    for (const auto& [code, count] : handled) {
      Labels labels = MethodOf(path);
      labels.push_back({"grpc_code", CodeName(code)});
      page->Counter("grpc_server_handled_total", "Calls ended, by status.", count,
                    std::move(labels));
    }
  }
  for (const auto& [path, counters] : status.methods) {
    page->Times("grpc_server_handling_seconds", "From a call's headers to its status.",
                counters.seconds, MethodOf(path));
  }
}

// The names that client libraries of all languages give them.
void AddProcess(const ProcessFigures& process, Page* page) {
  page->Counter("process_cpu_seconds_total", "Processor time used.", process.cpu_seconds);
  page->Gauge("process_resident_memory_bytes", "Memory in use.", process.resident_bytes);
  page->Gauge("process_virtual_memory_bytes", "Address space in use.", process.virtual_bytes);
  page->Gauge("process_open_fds", "Open file descriptors.", process.open_fds);
  page->Gauge("process_max_fds", "Limit of open file descriptors.", process.max_fds);
  page->Gauge("process_threads", "Threads.", process.threads);
  page->Gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.",
              process.start_time_seconds);
}

}  // namespace

std::string MetricsPage(const ServerStatus& status, const ProcessFigures& process) {
  Page page;
  AddStore(status, &page);
  AddReplicas(status, &page);
  AddRuntime(status, process, &page);
  AddLinks(status, &page);
  AddGrpc(status, &page);
  AddProcess(process, &page);
  return page.Text();
}

}  // namespace flaredb::net
