// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sim/cluster/standstill.h"

namespace flaredb::sim {
namespace {

// What the store does with a call, as the end of a sentence.
std::string Held(const store::CallView& call) {
  std::ostringstream out;
  switch (call.step) {
    case store::CallStep::kNowhere:
      out << "holds it, and nobody there works on it";
      break;
    case store::CallStep::kNamed:
      out << "holds it until it knows which namespace its name stands for";
      break;
    case store::CallStep::kParked:
      out << "holds it until a leader is known";
      break;
    case store::CallStep::kForwarded:
      out << "has passed it on to store " << call.store;
      break;
    case store::CallStep::kProposed:
      out << "waits for its entry at index " << call.index;
      break;
    case store::CallStep::kReadAsked:
      out << "waits to hear up to where it may read";
      break;
    case store::CallStep::kReadAt:
      out << "waits to apply index " << call.index << ", where it may read";
      break;
    case store::CallStep::kAccepted:
      out << "waits for the disk to have it";
      break;
  }
  return out.str();
}

// Calls that some client waits for.
using Told = std::vector<const store::CallView*>;

bool Contains(const Told& told, const store::CallView* call) {
  return std::find(told.begin(), told.end(), call) != told.end();
}

const store::CallView* Find(const Standstill::Store& store, uint64_t attempt) {
  for (const auto& [number, call] : store.calls) {
    if (attempt != 0 && number == attempt) return &call;
  }
  return nullptr;
}

const store::CallView* Find(const Standstill::Store& store, const store::ForwardOrigin& origin) {
  for (const auto& [_, call] : store.calls) {
    if (call.origin == store::Origin(origin)) return &call;
  }
  return nullptr;
}

std::string Path(const Standstill& all, const Standstill::Client& client, Told* told) {
  std::ostringstream out;
  uint32_t node = client.store;
  const store::CallView* call = Find(all.stores[node], client.attempt);
  while (true) {
    const Standstill::Store& store = all.stores[node];
    out << "    " << all.names.Store(node) << " ";
    if (call == nullptr) {
      out << (store.runs ? "holds nothing of it\n" : "is down\n");
      return out.str();
    }
    out << Held(*call) << "\n";
    const bool seen = Contains(*told, call);
    told->push_back(call);
    if (seen || call->step != store::CallStep::kForwarded) return out.str();
    const store::ForwardOrigin origin{StoreId(node + 1), call->forward_id};
    node = static_cast<uint32_t>(call->store.value() - 1);
    call = Find(all.stores[node], origin);
  }
}

std::string Asked(const Standstill& all, const Standstill::Client& client) {
  const auto ms = [](Instant t) { return (t - Instant()).milliseconds(); };
  std::ostringstream out;
  out << "  client " << client.number << " wants to " << client.what << " since "
      << ms(client.since) << " ms\n    it asked " << all.names.Store(client.store);
  if (client.attempts > 1) out << ", the last of " << client.attempts << " times,";
  out << " at " << ms(client.asked_at) << " ms";
  if (!client.told.empty()) out << ", and was told last: " << client.told;
  out << "\n";
  return out.str();
}

}  // namespace

std::string WhyWaiting(const Standstill& all) {
  std::ostringstream out;
  Told told;
  for (const Standstill::Client& client : all.clients) {
    out << Asked(all, client);
    if (client.attempt != 0) out << Path(all, client, &told);
  }
  for (uint32_t node = 0; node < all.stores.size(); ++node) {
    const Standstill::Store& store = all.stores[node];
    std::map<std::string, uint32_t> others;
    for (const auto& [_, call] : store.calls) {
      if (!Contains(told, &call)) ++others[Held(call)];
    }
    const std::string name = all.names.Store(node);
    for (const auto& [held, count] : others) {
      out << "  " << name << " (" << count << (count == 1 ? " other call) " : " other calls) ")
          << held << "\n";
    }
    if (store.unfinished != 0) {
      out << "  " << name << " has " << store.unfinished << " commits on the way to its disk"
          << (store.disk_failed ? ", which has failed a write" : "") << "\n";
    }
    if (store.waits_for_no_write()) {
      out << "  " << name << " was not told, or forgot, that write " << store.view.issued_token
          << " of its log is done: it knows of " << store.view.durable_token << ", and holds back "
          << store.view.backlog.gated_messages << " messages until then\n";
    }
  }
  return out.str();
}

std::string Explain(const Standstill& all) {
  return (all.leader ? WhyBehind(all) : WhyNobodyLeads(all)) + WhyWaiting(all);
}

}  // namespace flaredb::sim
