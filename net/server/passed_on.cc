// SPDX-License-Identifier: Apache-2.0
#include "net/server/passed_on.h"

#include <utility>
#include <variant>

#include "core/kv/command.h"
#include "core/kv/key.h"
#include "core/store/request.h"

namespace flaredb::net {
namespace {

// Empty for what no client asks of a leader.
std::string KeyOf(const store::Operation& operation) {
  struct Visitor {
    std::string operator()(const store::GetRequest& get) const {
      return kv::EncodeKey(get.ns, get.key);
    }
    std::string operator()(const store::ScanRequest& scan) const {
      return kv::EncodeKey(scan.ns, scan.begin);
    }
    std::string operator()(const kv::CompareAndSwap& cas) const {
      return kv::EncodeKey(cas.ns, cas.key);
    }
    std::string operator()(const kv::CompareAndDelete& cas) const {
      return kv::EncodeKey(cas.ns, cas.key);
    }
    std::string operator()(const store::ExecuteRequest&) const { return ""; }
    std::string operator()(const store::QueryRequest&) const { return ""; }
    std::string operator()(const store::RawWriteRequest&) const { return ""; }
    std::string operator()(const kv::NamespaceCommand&) const { return ""; }
  };
  return std::visit(Visitor(), operation);
}

}  // namespace

void PassedOn::OnSent(const store::StoreMessage& message) {
  const auto* forwarded = std::get_if<store::ForwardedRequest>(&message);
  if (forwarded == nullptr) return;
  std::string key = KeyOf(forwarded->request.operation);
  if (key.empty()) return;
  under_way_[forwarded->id] = {forwarded->region, std::move(key)};
  if (under_way_.size() > kUnderWayMax) under_way_.erase(under_way_.begin());
}

void PassedOn::OnReceived(StoreId from, const store::StoreMessage& message) {
  const auto* reply = std::get_if<store::ForwardedReply>(&message);
  if (reply == nullptr) return;
  auto found = under_way_.extract(reply->id);
  if (found.empty() || std::holds_alternative<store::Error>(reply->reply.result)) return;
  answered_.insert_or_assign(std::move(found.mapped().key), Answer{found.mapped().region, from});
}

const PassedOn::Answer* PassedOn::Find(std::string_view encoded_key) const {
  const auto found = answered_.find(encoded_key);
  return found == answered_.end() ? nullptr : &found->second;
}

}  // namespace flaredb::net
