// SPDX-License-Identifier: Apache-2.0
#include "net/cli/playground.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/cli/playground_janitor.h"
#include "net/cli/playground_shell.h"
#include "net/cli/processes.h"
#include "net/client/client.h"
#include "net/client/cluster.h"

namespace flaredb::net {
namespace {

constexpr int kStores = 3;
constexpr uint16_t kFirstPort = 50051;
// The cluster is ready in about two seconds; a machine under load may take longer.
constexpr std::time_t kReadySeconds = 40;
constexpr Duration kReadyAttempt = Duration::Milliseconds(250);
constexpr int kStopSeconds = 5;

struct StoreProcess {
  int id = 0;
  std::string address;
  std::string folder;
  std::string log;
  pid_t pid = 0;  // 0 when it has ended.
};

// How the user calls this program: as short as it works where he is.
std::string CommandForUser(const std::string& executable) {
  std::error_code error;
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace != nullptr && std::filesystem::current_path(error) == workspace) {
    const std::string built = "bazel-bin/net/cli/flaredb";
    if (std::filesystem::equivalent(built, executable, error)) return built;
  }
  return executable;
}

class Playground {
 public:
  explicit Playground(PlaygroundUse use) : use_(use) {}

  absl::Status Run() {
    BlockSignals();
    if (absl::Status s = MakeFolder(); !s.ok()) return s;
    std::vector<std::string> folders;
    for (const StoreProcess& store : stores_) folders.push_back(store.folder);
    auto janitor = PlaygroundJanitor::Start(folder_, folders);
    if (!janitor.ok()) {
      std::filesystem::remove_all(folder_);
      return janitor.status();
    }
    absl::Status status = StartStores();
    if (status.ok()) status = WaitUntilReady();
    if (status.ok() && !stop_) {
      PrintWelcome();
      if (use_ == PlaygroundUse::kShell) status = OpenShell();
      if (status.ok()) WaitForStop();
    }
    shell_.reset();
    StopStores();
    janitor->Finish();
    if (status.ok()) std::puts("Stopped; nothing is left.");
    return status;
  }

 private:
  void BlockSignals() {
    // Whoever ignores it is not told of its children's ends, and passes that on.
    std::signal(SIGCHLD, SIG_DFL);
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals_, signal);
    sigprocmask(SIG_BLOCK, &signals_, nullptr);
  }

  absl::Status MakeFolder() {
    auto ports = FreePorts(kFirstPort, kStores);
    if (!ports.ok()) return ports.status();
    std::error_code error;
    std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) parent = "/tmp";
    std::string path = parent / "flaredb-playground-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      return absl::UnavailableError(absl::StrCat("cannot create a folder in ", parent.string(),
                                                 ": ", std::strerror(errno),
                                                 "; set TMPDIR to a folder that is writable"));
    }
    folder_ = path;
    for (int i = 0; i < kStores; ++i) {
      const std::string store_folder = absl::StrCat(folder_, "/store-", i + 1);
      stores_.push_back({.id = i + 1,
                         .address = absl::StrCat("127.0.0.1:", (*ports)[static_cast<size_t>(i)]),
                         .folder = store_folder,
                         .log = store_folder + ".log",
                         .pid = 0});
    }
    return absl::OkStatus();
  }

  absl::Status StartStores() {
    const std::string founder = absl::StrCat(stores_[0].id, "=", stores_[0].address);
    for (StoreProcess& store : stores_) {
      std::vector<std::string> arguments = Command(executable_, store);
      if (&store != &stores_[0]) arguments.insert(arguments.end(), {"--peer", founder});
      absl::StatusOr<pid_t> pid = Spawn(arguments, store.log);
      if (!pid.ok()) return pid.status();
      store.pid = *pid;
    }
    return absl::OkStatus();
  }

  static std::vector<std::string> Command(const std::string& program, const StoreProcess& store) {
    return {program,  "server",      "--store-id", std::to_string(store.id),
            "--addr", store.address, "--data-dir", store.folder};
  }

  // Until every region has a voter on every store, so that one may be killed, and every store
  // answers a linearizable read: then there is a leader, and all know it.
  absl::Status WaitUntilReady() {
    client::ClientOptions options{.endpoints = {stores_[0].address}, .timeout = kReadyAttempt};
    const auto cluster = client::Cluster::Create(options);
    if (!cluster.ok()) return cluster.status();
    std::string waits_for = "store 1";
    if (absl::Status s = Await([&] { return HasGrown(cluster->get(), &waits_for); }, waits_for);
        !s.ok()) {
      return s;
    }
    for (const StoreProcess& store : stores_) {
      options.endpoints = {store.address};
      const auto client = client::Client::Create(options);
      if (!client.ok()) return client.status();
      const auto answers = [&] {
        const auto answer = (*client)->Get("ready?");
        const auto* error = std::get_if<client::Error>(&answer);
        if (error != nullptr) waits_for = error->message;
        return error == nullptr;
      };
      if (absl::Status s = Await(answers, waits_for); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  static bool HasGrown(client::Cluster* cluster, std::string* waits_for) {
    const auto table = cluster->ListStores(kReadyAttempt);
    const auto regions = cluster->ListRegions(kReadyAttempt);
    for (const auto* error :
         {std::get_if<client::Error>(&table), std::get_if<client::Error>(&regions)}) {
      if (error == nullptr) continue;
      *waits_for = error->message;
      return false;
    }
    const std::vector<std::string>& waiting = std::get<client::StoreTable>(table).waiting_for;
    if (!waiting.empty()) *waits_for = waiting.front();
    const auto& rows = std::get<std::vector<client::RegionInfo>>(regions);
    return waiting.empty() && !rows.empty() &&
           std::all_of(rows.begin(), rows.end(), [](const client::RegionInfo& region) {
             return region.stores.size() == size_t{kStores};
           });
  }

  // Until `is_so` or somebody ends the playground. Fails when a store does or time is up.
  absl::Status Await(const std::function<bool()>& is_so, const std::string& waits_for) {
    const std::time_t until = std::time(nullptr) + kReadySeconds;
    while (!is_so()) {
      HandleSignals(false);
      if (stop_) return absl::OkStatus();
      for (const StoreProcess& store : stores_) {
        if (store.pid == 0) return FailedStart(store);
      }
      if (std::time(nullptr) > until) {
        return absl::UnavailableError(
            absl::StrCat("the stores did not become a cluster in time: ", waits_for));
      }
      usleep(20'000);
    }
    return absl::OkStatus();
  }

  static absl::Status FailedStart(const StoreProcess& store) {
    return absl::UnavailableError(
        absl::StrCat("store ", store.id, " did not start: ", LastLine(store.log)));
  }

  void PrintWelcome() {
    std::printf("FlareDB playground: three stores on this machine. %s ends and removes them.\n\n",
                use_ == PlaygroundUse::kShell ? "Leaving the shell" : "Ctrl-C");
    for (const StoreProcess& store : stores_) {
      std::printf("  store %d   %s   pid %d\n", store.id, store.address.c_str(), store.pid);
    }
    std::printf("  data      %s\n\nReady. Try this%s:\n\n", folder_.c_str(),
                use_ == PlaygroundUse::kShell ? "" : " in another terminal");
    PrintExample("kv put greeting hello", stores_[0]);
    PrintExample("kv get greeting", stores_[1]);
    PrintExample("kv cas greeting \"hello again\" --expect 1", stores_[2]);
    std::puts("\nThen kill a store (kill -9 PID): the others go on.");
    std::fflush(stdout);
  }

  void PrintExample(const char* command, const StoreProcess& store) {
    if (use_ == PlaygroundUse::kShell) {
      std::printf("  %s\n", command);
    } else {
      std::printf("  %s %s --addr %s\n", program_.c_str(), command, store.address.c_str());
    }
  }

  absl::Status OpenShell() {
    const std::string addresses =
        absl::StrJoin(stores_, ",", [](std::string* out, const StoreProcess& store) {
          absl::StrAppend(out, store.address);
        });
    auto shell = PlaygroundShell::Start(executable_, addresses);
    if (!shell.ok()) return shell.status();
    shell_ = *std::move(shell);
    return absl::OkStatus();
  }

  void WaitForStop() {
    while (!stop_) HandleSignals(true);
  }

  // Takes one signal, waiting for it if told so.
  void HandleSignals(bool wait) {
    const timespec now{};
    const int signal =
        wait ? sigwaitinfo(&signals_, nullptr) : sigtimedwait(&signals_, nullptr, &now);
    if (signal == SIGCHLD) {
      ReapStores(wait);
      if (shell_ != nullptr) ReapShell();
    } else if (signal == SIGINT && shell_ != nullptr) {
      // Ctrl-C, which is for what the shell does; see ReapShell.
    } else if (signal > 0) {
      stop_ = true;
    }
  }

  // A command that is given up by Ctrl-C takes its shell with it, but not the stores.
  void ReapShell() {
    const std::optional<int> ended = shell_->Ended();
    if (!ended) return;
    const bool given_up = WIFSIGNALED(*ended) && WTERMSIG(*ended) == SIGINT;
    shell_.reset();
    if (given_up) std::puts("");
    stop_ |= !given_up || !OpenShell().ok();
  }

  // Notices the stores that have ended, and says so if the user should know.
  void ReapStores(bool report) {
    for (StoreProcess& store : stores_) {
      int status = 0;
      if (store.pid == 0 || waitpid(store.pid, &status, WNOHANG) != store.pid) continue;
      if (report) PrintEnded(store, status);
      store.pid = 0;
    }
  }

  void PrintEnded(const StoreProcess& store, int status) {
    const std::string how = WIFSIGNALED(status)
                                ? absl::StrCat("was ended by signal ", WTERMSIG(status))
                                : absl::StrCat("ended with code ", WEXITSTATUS(status));
    std::string command;
    for (const std::string& word : Command(program_, store)) {
      absl::StrAppend(&command, command.empty() ? "" : " ", word);
    }
    // While the shell edits a line, a line feed does not take the cursor back.
    const char* end = shell_ == nullptr ? "\n" : "\r\n";
    std::printf("%sStore %d (pid %d) %s. Start it again with:%s%s  %s%s", end, store.id, store.pid,
                how.c_str(), end, end, command.c_str(), end);
    std::fflush(stdout);
  }

  void StopStores() {
    for (const StoreProcess& store : stores_) {
      if (store.pid != 0) kill(store.pid, SIGTERM);
    }
    const std::time_t until = std::time(nullptr) + kStopSeconds;
    for (StoreProcess& store : stores_) {
      while (store.pid != 0) {
        if (waitpid(store.pid, nullptr, WNOHANG) == store.pid) {
          store.pid = 0;
        } else if (std::time(nullptr) > until) {
          kill(store.pid, SIGKILL);
        } else {
          usleep(10'000);
        }
      }
    }
  }

  const PlaygroundUse use_;
  const std::string executable_ = OwnExecutable();
  const std::string program_ = CommandForUser(executable_);
  sigset_t signals_;
  std::string folder_;
  std::vector<StoreProcess> stores_;
  std::unique_ptr<PlaygroundShell> shell_;
  bool stop_ = false;
};

}  // namespace

absl::Status RunPlayground(PlaygroundUse use) { return Playground(use).Run(); }

}  // namespace flaredb::net
