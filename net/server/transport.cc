// SPDX-License-Identifier: Apache-2.0
#include "net/server/transport.h"

#include <utility>
#include <variant>

namespace flaredb::net {

Transport::Transport(EventLoop* loop, GrpcServer* server, std::shared_ptr<const TlsContext> tls,
                     Deliver deliver)
    : loop_(loop),
      tls_(std::move(tls)),
      deliver_(std::move(deliver)),
      acceptor_(server, /*want_certificates=*/tls_ != nullptr,
                [this](StoreId from, store::StoreMessage message) {
                  OnMessage(from, std::move(message));
                }) {}

void Transport::Start(const store::Identity& self, const Members& members, uint64_t incarnation) {
  self_ = self;
  incarnation_ = incarnation;
  acceptor_.Start(self, members, incarnation);
  SetMembers(members);
}

void Transport::SetMembers(const Members& members) {
  if (members == members_) return;
  const Members before = std::exchange(members_, members);
  acceptor_.SetMembers(members);
  std::erase_if(links_, [&](const auto& link) {
    const auto now = members.find(link.first);
    return now == members.end() || now->second != before.at(link.first);
  });
  for (const auto& [id, address] : members) {
    if (id != self_.store && !links_.contains(id)) OpenLink(id, address);
  }
}

void Transport::OpenLink(StoreId to, const std::string& address) {
  const LinkHeader header{self_.cluster_id, self_.store, to, incarnation_};
  links_[to] = std::make_unique<PeerLink>(
      loop_, header, address, tls_,
      [this, to](store::ForwardedReply reply) { OnMessage(to, std::move(reply)); });
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
  const auto it = members_.find(store);
  return it == members_.end() ? "" : it->second;
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
