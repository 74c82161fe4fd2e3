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
  // The regions with a replica on `store`, as "1, 2".
  std::string RegionsOn(uint64_t store) const {
    std::vector<uint64_t> ids;
    for (const client::RegionInfo& region : regions) {
      if (IsOn(region, store)) ids.push_back(region.id);
    }
    return absl::StrJoin(ids, ", ");
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
  uint64_t replicas = 0;
  uint64_t leads = 0;
  for (const client::RegionInfo& region : view.regions) {
    replicas += IsOn(region, store.id) ? 1 : 0;
    leads += region.leader == store.id ? 1 : 0;
  }
  return FormatStore(run.style(), store, replicas, leads);
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

// Of what was just looked at. Nullopt: it is done.
std::optional<ExitCode> Set(const OperatorRun& run, const View& view, uint64_t store,
                            StoreState state) {
  const auto result = run.cluster->SetStoreState(store, state, view.table.revision, run.timeout());
  if (!std::holds_alternative<client::StoreInfo>(result)) return FailChange(result);
  return std::nullopt;
}

// Looks, and sets the state of the command's store.
ExitCode SetOwn(const OperatorRun& run, StoreState state) {
  const auto view = Look(run);
  if (const auto* error = std::get_if<client::Error>(&view)) return Fail(*error);
  const uint64_t store = run.arguments.store;
  if (const auto code = Set(run, std::get<View>(view), store, state)) return *code;
  client::StoreInfo info{store, "", state};
  if (const client::StoreInfo* was = std::get<View>(view).Find(store)) info.address = was->address;
  Print(Describe(run, std::get<View>(view), info));
  return kExitOk;
}

// To give a store up is for ever, and loses what only its disk has. Of what was just looked at.
// Nullopt: it is done.
std::optional<ExitCode> GiveUp(const OperatorRun& run, const View& view, uint64_t store) {
  const client::StoreInfo* info = view.Find(store);
  const bool given_up = info != nullptr && info->state == StoreState::kLost;
  const std::vector<uint64_t>& alive = view.table.alive;
  if (!given_up && !run.arguments.force && std::count(alive.begin(), alive.end(), store) > 0) {
    PrintError(Store(store) +
               " is alive, and to give it up is for ever: drain and remove it, or stop it first; "
               "--force does it all the same");
    return kExitRefused;
  }
  return Set(run, view, store, StoreState::kLost);
}

// Waits as long as `left` finds something to wait for.
template <typename Left>
ExitCode WaitFor(const OperatorRun& run, const Left& left, View* last) {
  Waiting waiting(run.arguments.wait);
  while (true) {
    auto view = Look(run);
    std::string what;
    if (const auto* error = std::get_if<client::Error>(&view)) {
      // The cluster is being changed: its leaders may be, too.
      if (error->kind != client::Error::kUnavailable) return Fail(*error);
      what = error->message;
    } else {
      *last = std::move(std::get<View>(view));
      what = left(*last);
    }
    if (what.empty()) return kExitOk;
    if (waiting.Again(what)) continue;
    if (run.arguments.wait == 0) return kExitOk;
    PrintError("not done yet: " + what + "; it goes on, and the same command again waits for it");
    return kExitUnavailable;
  }
}

ExitCode Drain(const OperatorRun& run) {
  if (run.arguments.cancel) return SetOwn(run, StoreState::kUp);
  if (const ExitCode code = SetOwn(run, StoreState::kDraining); code != kExitOk) return code;
  const uint64_t store = run.arguments.store;
  View last;
  const auto left = [&](const View& view) -> std::string {
    const client::StoreInfo* info = view.Find(store);
    if (info == nullptr || info->state != StoreState::kDraining) return "";
    const std::string regions = view.RegionsOn(store);
    return Store(store) + (regions.empty() ? " has yet to pass on the writes that it accepted"
                                           : " still has replicas of the regions " + regions);
  };
  return WaitFor(run, left, &last);
}

ExitCode Remove(const OperatorRun& run) {
  if (run.arguments.lost) {
    const auto view = Look(run);
    if (const auto* error = std::get_if<client::Error>(&view)) return Fail(*error);
    const auto code = GiveUp(run, std::get<View>(view), run.arguments.store);
    if (code) return *code;
  }
  return SetOwn(run, StoreState::kRemoved);
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
    if (const std::string regions = now.RegionsOn(old); !regions.empty()) {
      return "replicas of the regions " + regions + " have yet to be replaced";
    }
    const std::string regions = now.RegionsInNeed();
    return regions.empty() ? "" : "the regions " + regions + " have yet to get a replica back";
  };
  const ExitCode code = WaitFor(run, left, &last);
  if (code != kExitOk || !left(last).empty()) return code;
  if (const auto failed = Set(run, last, old, StoreState::kRemoved)) return *failed;
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
  add("list", "Print the stores: number, address, state, replicas, regions that it leads", List);
  const OperatorCommand drain = add("drain", "Move everything away from a store", Drain);
  number(drain);
  drain->add_flag("--cancel", drain.arguments()->cancel, "It stays after all");
  drain.Wait(600);
  const auto force = [](const OperatorCommand& command) {
    command->add_flag("--force", command.arguments()->force, "Also if it is alive");
  };
  const OperatorCommand remove = add("remove", "Let a drained or lost store go, for ever", Remove);
  number(remove);
  remove->add_flag("--lost", remove.arguments()->lost,
                   "It is gone with its disk, and with what it had not passed on");
  force(remove);
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
