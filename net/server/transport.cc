// SPDX-License-Identifier: Apache-2.0
#include "net/server/transport.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "net/address.h"

namespace flaredb::net {

Transport::Transport(EventLoop* loop, GrpcServer* server, std::shared_ptr<const TlsContext> tls,
                     Deliver deliver, Expelled expelled)
    : loop_(loop),
      tls_(std::move(tls)),
      deliver_(std::move(deliver)),
      expelled_(std::move(expelled)),
      acceptor_(
          server,
          [this](StoreId from, store::StoreMessage message) {
            OnMessage(from, std::move(message));
          },
          [this](StoreId from, const std::string& address) { OnGreeting(from, address); }) {}

void Transport::Start(const store::Identity& self, const Members& members, uint64_t incarnation,
                      Members hints) {
  self_ = self;
  hints_ = std::move(hints);
  incarnation_ = incarnation;
  if (const auto at = members.find(self.store); at != members.end()) self_address_ = at->second;
  acceptor_.Start(self, incarnation);
  SetMembers(members);
}

void Transport::SetMembers(const Members& members, const std::set<StoreId>& gone) {
  acceptor_.SetGone(gone);
  for (const auto& [id, address] : members_) {
    if (!members.contains(id)) addresses_.erase(id);
  }
  for (const StoreId id : gone) addresses_.erase(id);
  for (const auto& [id, address] : members) {
    const auto before = members_.find(id);
    if (before == members_.end() || before->second != address) addresses_[id] = address;
  }
  members_ = members;
  Link();
}

void Transport::OnGreeting(StoreId from, const std::string& address) {
  if (!ParseHostPort(address).ok()) return;
  addresses_[from] = address;
  Link();
  if (std::exchange(callers_[from], address) != address) acceptor_.SetCallers(callers_);
}

// Nobody knows better than itself where the other end of the link is.
void Transport::OnCallers(StoreId of, const Members& callers) {
  for (const auto& [store, address] : callers) {
    if (store != of && ParseHostPort(address).ok()) hearsay_[store] = address;
  }
  Link();
}

std::vector<std::string> Transport::AddressesOf(StoreId store, const std::string& known) const {
  std::vector<std::string> addresses = {known};
  for (const Members* others : {&hints_, &hearsay_}) {
    const auto other = others->find(store);
    if (other == others->end()) continue;
    const bool listed =
        std::find(addresses.begin(), addresses.end(), other->second) != addresses.end();
    if (!listed) addresses.push_back(other->second);
  }
  return addresses;
}

void Transport::Link() {
  std::erase_if(links_, [&](const auto& link) {
    const auto now = addresses_.find(link.first);
    if (now == addresses_.end()) return true;
    const std::vector<std::string> addresses = AddressesOf(link.first, now->second);
    return addresses != link.second->addresses() && !link.second->Follow(addresses);
  });
  for (const auto& [id, address] : addresses_) {
    if (id == self_.store || links_.contains(id)) continue;
    const LinkHeader header{self_.cluster_id, self_.store, id, incarnation_, self_address_};
    links_[id] = std::make_unique<PeerLink>(
        loop_, header, AddressesOf(id, address), tls_,
        [this, id = id](store::ForwardedReply reply) { OnMessage(id, std::move(reply)); },
        expelled_, [this, id = id](const Members& callers) { OnCallers(id, callers); });
  }
}

void Transport::Stop() {
  acceptor_.Stop();
  links_.clear();
}

void Transport::Send(StoreId to, const store::StoreMessage& message) {
  const auto link = links_.find(to);
  if (link != links_.end()) link->second->Add(message);
}

void Transport::Flush() {
  for (const auto& [id, link] : links_) link->Flush();
}

std::string Transport::AddressOf(StoreId store) const {
  const auto it = addresses_.find(store);
  return it == addresses_.end() ? "" : it->second;
}

std::vector<LinkFigures> Transport::figures() const {
  std::vector<LinkFigures> figures;
  for (const auto& [id, link] : links_) figures.push_back(link->figures());
  return figures;
}

void Transport::OnMessage(StoreId from, store::StoreMessage message) {
  if (const auto* reply = std::get_if<store::ForwardedReply>(&message)) {
    if (const auto link = links_.find(from); link != links_.end()) {
      link->second->NoteAnswered(reply->id);
    }
  }
  deliver_(from, std::move(message));
}

}  // namespace flaredb::net
