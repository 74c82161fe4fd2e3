// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "net/cli/commands.h"
#include "net/cli/operator_command.h"
#include "net/cli/option_checks.h"
#include "net/cli/text.h"
#include "net/cli/waiting.h"

namespace flaredb::net {
namespace {

using client::StoreState;

constexpr size_t kReplicas = 3;  // Of every region, where there are stores for them.

std::string Store(uint64_t id) { return "store " + std::to_string(id); }

bool IsOn(const client::RegionInfo& region, uint64_t store) {
  for (const uint64_t id : region.stores) {
    if (id == store) return true;
  }
  return false;
}

// The table, and the regions, at about the same time.
struct View {
  client::StoreTable table;
  std::vector<client::RegionInfo> regions;

  const client::StoreInfo* Find(uint64_t store) const {
    for (const client::StoreInfo& info : table.stores) {
      if (info.id == store) return &info;
    }
    return nullptr;
  }
  bool Answers(uint64_t store) const {
    return std::count(table.alive.begin(), table.alive.end(), store) > 0;
  }
  // A region with a replica on `store` that may have no majority, as a sentence; empty: there is
  // none. Who leads was told when there was a leader, so what counts is who answers now.
  std::string WithoutMajorityOn(uint64_t store) const {
    for (const client::RegionInfo& region : regions) {
      std::vector<uint64_t> answering;
      for (const uint64_t id : region.stores) {
        if (id != store && Answers(id)) answering.push_back(id);
      }
      if (!IsOn(region, store) || 2 * answering.size() > region.stores.size()) continue;
      return "region " + std::to_string(region.id) + " needs most of its stores " +
             absl::StrJoin(region.stores, ", ") + ", of which " +
             (answering.empty() ? "none" : "only " + absl::StrJoin(answering, ", ")) +
             (answering.size() > 1 ? " answer" : " answers");
    }
    return "";
  }
  // What is to be moved away from `store`, as a sentence; empty: nothing.
  std::string ReplicasOn(uint64_t store) const {
    std::vector<uint64_t> ids;
    for (const client::RegionInfo& region : regions) {
      if (IsOn(region, store)) ids.push_back(region.id);
    }
    if (ids.empty()) return "";
    return Store(store) + " still has replicas of the regions " + absl::StrJoin(ids, ", ");
  }
  // The regions that have fewer replicas than the stores that are up could hold.
  std::string RegionsInNeed() const {
    size_t up = 0;
    for (const client::StoreInfo& info : table.stores) up += info.state == StoreState::kUp ? 1 : 0;
    std::vector<uint64_t> ids;
    for (const client::RegionInfo& region : regions) {
      if (region.stores.size() < std::min(up, kReplicas)) ids.push_back(region.id);
    }
    return absl::StrJoin(ids, ", ");
  }
};
std::variant<View, client::Error> Look(const OperatorRun& run) {
  View view;
  auto table = run.cluster->ListStores(run.timeout());
  if (auto* error = std::get_if<client::Error>(&table)) return std::move(*error);
  view.table = std::move(std::get<0>(table));
  auto regions = run.cluster->ListRegions(run.timeout());
  if (auto* error = std::get_if<client::Error>(&regions)) return std::move(*error);
  view.regions = std::move(std::get<0>(regions));
  return view;
}

std::string Describe(const OperatorRun& run, const View& view, const client::StoreInfo& store) {
  StoreRow row{.store = store,
               .answers = view.Answers(store.id),
               .cluster_waits_for = view.table.waiting_for};
  for (const client::RegionInfo& region : view.regions) {
    row.replicas += IsOn(region, store.id) ? 1 : 0;
    row.leads += region.leader == store.id ? 1 : 0;
  }
  return FormatStore(run.style(), row);
}

ExitCode List(const OperatorRun& run) {
  const auto view = Look(run);
  if (const auto* error = std::get_if<client::Error>(&view)) return Fail(*error);
  for (const client::StoreInfo& store : std::get<View>(view).table.stores) {
    Print(Describe(run, std::get<View>(view), store));
  }
  for (const std::string& sentence : std::get<View>(view).table.waiting_for) {
    std::fprintf(stderr, "%s\n", Escape(sentence).c_str());
  }
  return kExitOk;
}

using SetResult = client::ChangeResult<client::StoreInfo>;

// Of what was just looked at.
SetResult Set(const OperatorRun& run, const View& view, uint64_t store, StoreState state) {
  return run.cluster->SetStoreState(store, state, view.table.revision, run.timeout());
}

// Looks, and sets the state of the command's store.
ExitCode SetOwn(const OperatorRun& run, StoreState state) {
  const auto view = Look(run);
  if (const auto* error = std::get_if<client::Error>(&view)) return Fail(*error);
  const auto result = Set(run, std::get<View>(view), run.arguments.store, state);
  const auto* store = std::get_if<client::StoreInfo>(&result);
  if (store == nullptr) return FailChange(result);
  Print(Describe(run, std::get<View>(view), *store));
  return kExitOk;
}

// Waits as long as `left` finds something to wait for. Nullopt: it is done; kUnavailable: the time
// was over, and the message is what is left.
//   last  as it was at the last look that succeeded
template <typename Left>
std::optional<client::Error> WaitFor(const OperatorRun& run, const Left& left, View* last) {
  Waiting waiting(run.arguments.wait);
  while (true) {
    auto view = Look(run);
    std::string what;
    if (auto* error = std::get_if<client::Error>(&view)) {
      // The cluster is being changed: its leaders may be, too.
      if (error->kind != client::Error::kUnavailable) return std::move(*error);
      what = std::move(error->message);
    } else {
      *last = std::move(std::get<View>(view));
      what = left(*last);
    }
    if (what.empty()) return std::nullopt;
    if (!waiting.Again(what)) return client::Error{client::Error::kUnavailable, std::move(what)};
  }
}

ExitCode FailNotDone(const client::Error& left) {
  if (left.kind != client::Error::kUnavailable) return Fail(left);
  PrintError("not done yet: " + left.message +
             "; it goes on, and the same command again waits for it");
  return kExitUnavailable;
}

// To give a store up is for ever, and loses what only its disk has. Of what was just looked at.
// Nullopt: it is done, or was before: the same command may be given again.
std::optional<ExitCode> GiveUp(const OperatorRun& run, const View& view, uint64_t store) {
  const client::StoreInfo* info = view.Find(store);
  // One that is not in the table was removed, which may be said twice, or refused if there was
  // none.
  const bool given_up = info == nullptr || info->state == StoreState::kLost;
  if (!given_up && !run.arguments.force) {
    std::string why;
    if (view.Answers(store)) {
      why = Store(store) +
            " is alive, and to give it up is for ever: drain and remove it, or stop it first";
    } else if (why = view.WithoutMajorityOn(store); !why.empty()) {
      why += ": start the others again first, as to give " + Store(store) + " up is for ever";
    }
    if (!why.empty()) {
      PrintError(why + "; --force does it all the same");
      return kExitRefused;
    }
  }
  const SetResult result =
      Set(run, view, store, info != nullptr ? StoreState::kLost : StoreState::kRemoved);
  if (!std::holds_alternative<client::StoreInfo>(result)) return FailChange(result);
  return std::nullopt;
}

ExitCode FailNotRemoved(uint64_t store, const std::string& why) {
  PrintError(Store(store) + " is given up; it is not removed yet: " + why +
             "; give the command again");
  return kExitUnavailable;
}

// Waits as WaitFor, and removes a store that is given up: what it is then, or how it failed.
template <typename Left>
std::variant<client::StoreInfo, ExitCode> LetGo(const OperatorRun& run, uint64_t store,
                                                const Left& left, View* last) {
  if (const auto error = WaitFor(run, left, last)) {
    if (last->Find(store) == nullptr) return FailNotDone(*error);
    return FailNotRemoved(store, error->message);
  }
  const SetResult result = Set(run, *last, store, StoreState::kRemoved);
  if (const auto* error = std::get_if<client::Error>(&result)) {
    return FailNotRemoved(store, error->message);
  }
  if (const auto* unknown = std::get_if<client::Unknown>(&result)) {
    PrintError(Store(store) + " is given up; whether it is removed is not known: " +
               unknown->message + "; give the command again");
    return kExitUnknown;
  }
  return std::get<client::StoreInfo>(result);
}

// Says so when too few stores are left without `store` for the replicas that a region should have.
void WarnOfFew(const View& view, uint64_t store) {
  size_t left = 0;
  for (const client::StoreInfo& info : view.table.stores) {
    left += info.id != store && info.state == StoreState::kUp ? 1 : 0;
  }
  if (left >= kReplicas) return;
  const std::string count = std::to_string(left);
  std::fprintf(stderr, "now %s take%s replicas: regions keep %s, and stop while %s\n",
               (count + (left == 1 ? " store" : " stores")).c_str(), left == 1 ? "s" : "",
               count.c_str(), left == 1 ? "it is down" : "one of them is down");
}

ExitCode Drain(const OperatorRun& run) {
  if (run.arguments.cancel) return SetOwn(run, StoreState::kUp);
  const uint64_t store = run.arguments.store;
  auto view = Look(run);
  if (const auto* error = std::get_if<client::Error>(&view)) return Fail(*error);
  View last = std::move(std::get<View>(view));
  const SetResult result = Set(run, last, store, StoreState::kDraining);
  if (!std::holds_alternative<client::StoreInfo>(result)) return FailChange(result);
  WarnOfFew(last, store);
  client::StoreInfo row = std::get<client::StoreInfo>(result);
  const auto left = [&](const View& now) -> std::string {
    const client::StoreInfo* info = now.Find(store);
    row.state = info != nullptr ? info->state : StoreState::kRemoved;
    if (row.state != StoreState::kDraining) return "";
    std::string replicas = now.ReplicasOn(store);
    if (!replicas.empty()) return replicas;
    return Store(store) + " has yet to pass on the writes that it accepted";
  };
  const auto error = WaitFor(run, left, &last);
  Print(Describe(run, last, row));
  if (error && run.arguments.wait > 0) return FailNotDone(*error);
  if (row.state != StoreState::kUp) return kExitOk;
  PrintError("somebody else has cancelled the drain of " + Store(store));
  return kExitRefused;
}

ExitCode Remove(const OperatorRun& run) {
  if (!run.arguments.lost) return SetOwn(run, StoreState::kRemoved);
  const uint64_t store = run.arguments.store;
  auto view = Look(run);
  if (const auto* error = std::get_if<client::Error>(&view)) return Fail(*error);
  View last = std::move(std::get<View>(view));
  if (const auto code = GiveUp(run, last, store)) return *code;
  const auto left = [&](const View& now) { return now.ReplicasOn(store); };
  const auto removed = LetGo(run, store, left, &last);
  if (const auto* code = std::get_if<ExitCode>(&removed)) return *code;
  Print(Describe(run, last, std::get<client::StoreInfo>(removed)));
  return kExitOk;
}

ExitCode Replace(const OperatorRun& run) {
  const uint64_t old = run.arguments.store;
  const uint64_t with = run.arguments.with;
  if (old == with) {
    throw CLI::ValidationError("--with", "the new store needs a number that was never used");
  }
  auto view = Look(run);
  if (const auto* error = std::get_if<client::Error>(&view)) return Fail(*error);
  View last = std::move(std::get<View>(view));
  if (const auto code = GiveUp(run, last, old)) return *code;
  const auto left = [&](const View& now) -> std::string {
    const client::StoreInfo* successor = now.Find(with);
    if (successor == nullptr) {
      return Store(with) + " has not joined yet: start it with --peer and an empty data folder";
    }
    if (successor->state != StoreState::kUp) {
      return Store(with) + " is " + std::string(NameOf(successor->state)) +
             " and takes no replicas";
    }
    if (std::string replicas = now.ReplicasOn(old); !replicas.empty()) return replicas;
    const std::string regions = now.RegionsInNeed();
    return regions.empty() ? "" : "the regions " + regions + " have yet to get a replica back";
  };
  const auto removed = LetGo(run, old, left, &last);
  if (const auto* code = std::get_if<ExitCode>(&removed)) return *code;
  Print(Describe(run, last, *last.Find(with)));
  return kExitOk;
}

}  // namespace

void AddStoreCommand(CLI::App* app, CommandContext* context) {
  CLI::App* store = app->add_subcommand("store", "Look at the stores, and let them go");
  store->require_subcommand(0, 1);
  store->callback([store] { RequireCommand(*store); });
  store->footer(
      "A store joins by being started with --peer. One that is to go is drained, and removed when\n"
      "it holds nothing any more; one that is gone with its disk is replaced. Exit codes: 0 done,\n"
      "2 usage, 3 no answer or not done in time, 4 refused, 6 unknown: repeat the command.");
  const auto add = [&](const char* name, const char* help,
                       ExitCode (*operation)(const OperatorRun&)) {
    return OperatorCommand(store, name, help, context, operation);
  };
  const auto number = [](const OperatorCommand& command) {
    command->add_option("ID", command.arguments()->store, "Number of the store")
        ->required()
        ->check(NumberFrom(1))
        ->type_name("");
  };
  add("list",
      "Print the stores: number, address, state, replicas, regions that it leads, whether it "
      "answers",
      List);
  const OperatorCommand drain = add("drain", "Move everything away from a store", Drain);
  number(drain);
  drain->add_flag("--cancel", drain.arguments()->cancel, "It stays after all");
  drain.Wait(600);
  const auto force = [](const OperatorCommand& command) {
    command->add_flag("--force", command.arguments()->force,
                      "Also if it is alive, or a region has no majority");
  };
  const OperatorCommand remove = add("remove", "Let a drained or lost store go, for ever", Remove);
  number(remove);
  remove->add_flag("--lost", remove.arguments()->lost,
                   "It is gone with its disk, and with what it had not passed on");
  force(remove);
  remove.Wait(600);
  const OperatorCommand replace = add(
      "replace", "Give a store up for lost, for ever, and let a new one take its place", Replace);
  number(replace);
  replace->add_option("--with", replace.arguments()->with, "Number of the new store")
      ->required()
      ->check(NumberFrom(1))
      ->type_name("ID");
  force(replace);
  replace.Wait(600);
}

}  // namespace flaredb::net
