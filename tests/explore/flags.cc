// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/flags.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

#include "absl/status/status.h"

namespace flaredb::explore {
namespace {

constexpr uint64_t kStatesMax = 4'000'000'000;  // They are numbered with 32 bits.

struct Bound {
  const char* name;
  uint32_t Scope::*field;
  uint32_t first;
  uint32_t last;
  const char* meaning;
};

constexpr Bound kBounds[] = {
    {"nodes", &Scope::nodes, 1, kNodesMax, "replicas"},
    {"voters", &Scope::voters, 1, kNodesMax, "of them voters at the start; the others learn"},
    {"terms", &Scope::terms, 1, kTermsMax, "terms"},
    {"entries", &Scope::entries, 0, 255, "entries that clients propose"},
    {"crashes", &Scope::crashes, 0, 255, "crashes, each with a restart"},
    {"duplicates", &Scope::duplicates, 0, 255, "messages that arrive twice"},
    {"heartbeats", &Scope::heartbeats, 0, 255, "times that a leader makes contact"},
    {"changes", &Scope::changes, 0, 255, "membership changes"},
    {"transfers", &Scope::transfers, 0, 255, "leadership transfers"},
    {"compactions", &Scope::compactions, 0, 255, "compactions of a log"},
    {"link", &Scope::link, 1, 255, "messages on their way from one replica to another"},
};

struct Grain {
  const char* name;
  Elections elections;
};

constexpr Grain kGrains[] = {
    {"stepwise", Elections::kStepwise},
    {"pre-votes-at-once", Elections::kPreVotesAtOnce},
    {"votes-at-once", Elections::kVotesAtOnce},
};

struct Switch {
  const char* name;
  bool Scope::*field;
  const char* meaning;
};

constexpr Switch kSwitches[] = {
    {"replies-at-once", &Scope::replies_at_once, "answers of followers arrive at once"},
    {"writes-at-once", &Scope::writes_at_once, "writes of followers are durable at once"},
    {"stale-requests", &Scope::stale_requests, "requests of terms that are over still arrive"},
};

absl::Status Wrong(const std::string& argument, const std::string& why) {
  return absl::InvalidArgumentError(argument + ": " + why + " (--help shows all flags).");
}

std::optional<uint64_t> ParseNumber(std::string_view text, uint64_t first, uint64_t last) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < first || value > last) return std::nullopt;
  return value;
}

absl::Status SetInScope(const std::string& argument, const std::string& name,
                        const std::string& value, Scope* scope) {
  if (name == "--elections") {
    for (const Grain& grain : kGrains) {
      if (value != grain.name) continue;
      scope->elections = grain.elections;
      return absl::OkStatus();
    }
    return Wrong(argument, "elections are stepwise, pre-votes-at-once or votes-at-once");
  }
  for (const Switch& s : kSwitches) {
    if (name != std::string("--") + s.name) continue;
    if (value != "yes" && value != "no") return Wrong(argument, "the answer is yes or no");
    scope->*s.field = value == "yes";
    return absl::OkStatus();
  }
  for (const Bound& bound : kBounds) {
    if (name != std::string("--") + bound.name) continue;
    const auto number = ParseNumber(value, bound.first, bound.last);
    if (!number) {
      return Wrong(argument, "a whole number from " + std::to_string(bound.first) + " to " +
                                 std::to_string(bound.last) + " is wanted");
    }
    scope->*bound.field = static_cast<uint32_t>(*number);
    return absl::OkStatus();
  }
  return Wrong(argument, "there is no such flag");
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments) {
  Flags flags;
  flags.scopes = DefaultScopes();
  bool named = false;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value =
        equals == std::string::npos ? std::string() : argument.substr(equals + 1);
    if (argument == "--help") {
      flags.help = true;
    } else if (name == "--states") {
      const auto states = ParseNumber(value, 1, kStatesMax);
      if (!states) {
        return Wrong(argument, "a number of states from 1 to 4000000000 is wanted");
      }
      flags.states_max = *states;
    } else if (name == "--scope") {
      const auto is_other = [&](const Scope& scope) { return scope.name != value; };
      if (named || std::all_of(flags.scopes.begin(), flags.scopes.end(), is_other)) {
        return Wrong(argument, named ? "one scope can be named" : "there is no such scope");
      }
      named = true;
      std::erase_if(flags.scopes, is_other);
    } else if (!named) {
      const absl::Status status = SetInScope(argument, name, value, &flags.scopes.front());
      return status.ok() ? Wrong(argument, "name a scope before its bounds, as in --scope=reigns")
                         : status;
    } else {
      const absl::Status status = SetInScope(argument, name, value, &flags.scopes.front());
      if (!status.ok()) return status;
    }
  }
  if (flags.scopes.front().voters > flags.scopes.front().nodes) {
    return Wrong("--voters", "there are more voters than nodes");
  }
  return flags;
}

std::string Usage() {
  std::ostringstream out;
  out << R"(Explores what three real replicas can do, breadth first and every state once, and checks each state.

  ./bazelw run --config=opt //tests:explore -- [flags]

  --states=N     End after N states, over all scopes. Default: 1000000.
  --scope=NAME   One scope only. The flags below change its bounds.
  --help         This text.

Scopes, each deep in one direction:
)";
  for (const Scope& scope : DefaultScopes()) {
    out << "  " << scope.name << std::string(13 - scope.name.size(), ' ') << scope.about << "\n";
  }
  out << "\nBounds of a scope; a move that passes one is not taken:\n";
  for (const Bound& bound : kBounds) {
    const std::string flag = std::string("--") + bound.name + "=N";
    out << "  " << flag << std::string(17 - flag.size(), ' ') << bound.meaning << "\n";
  }
  out << R"(
Its grain; what happens at once is not interleaved with anything:
  --elections=stepwise|pre-votes-at-once|votes-at-once
)";
  for (const Switch& s : kSwitches) {
    const std::string flag = std::string("--") + s.name + "=yes|no";
    out << "  " << flag << std::string(26 - flag.size(), ' ') << s.meaning << "\n";
  }
  out << R"(
A violation prints a shortest way to it. The last line is always
  states=N depth=D violations=V states_per_s=S
Exit codes: 0 passed, 1 violation, 2 wrong usage.
)";
  return out.str();
}

}  // namespace flaredb::explore
