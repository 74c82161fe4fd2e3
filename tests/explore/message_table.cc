// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/message_table.h"

#include <sstream>
#include <string_view>
#include <utility>
#include <variant>

#include "core/raft/membership.h"

namespace flaredb::explore {
namespace {

using namespace raft;  // The messages' own words.

// A text that tells any two different messages apart.
class Key {
 public:
  Key& Add(uint64_t x) {
    text_.append(reinterpret_cast<const char*>(&x), sizeof(x));
    return *this;
  }
  template <typename Tag>
  Key& Add(Ordinal<Tag> x) {
    return Add(x.value());
  }
  Key& Add(LogId id) { return Add(id.term).Add(id.index); }
  Key& Add(std::string_view bytes) {
    Add(bytes.size());
    text_.append(bytes);
    return *this;
  }

  void Add(const PreVoteRequest& m) { Add(m.campaign_term).Add(m.last_log); }
  void Add(const PreVoteReply& m) { Add(m.campaign_term).Add(m.granted); }
  void Add(const VoteRequest& m) { Add(m.last_log).Add(m.leadership_transfer); }
  void Add(const VoteReply& m) { Add(m.granted); }
  void Add(const AppendRequest& m) {
    Add(m.session).Add(m.round).Add(m.prev).Add(m.commit_index).Add(m.accept_unanswered);
    Add(m.entries.size());
    // Where one slice ends and the next begins is not part of the message.
    for (const EntrySlice& slice : m.entries) {
      for (uint32_t i = 0; i < slice.size(); ++i) {
        const EntryView entry = slice.at(i);
        Add(entry.index).Add(entry.term).Add(static_cast<uint64_t>(entry.kind)).Add(entry.payload);
      }
    }
  }
  void Add(const AppendReply& m) {
    Add(m.session).Add(m.round).Add(m.result.index());
    if (const auto* accept = std::get_if<AppendAccept>(&m.result)) {
      Add(accept->match_index).Add(accept->commit_index);
    } else {
      const auto& reject = std::get<AppendReject>(m.result);
      Add(reject.prev_index).Add(reject.hint);
    }
  }
  void Add(const HeartbeatRequest& m) { Add(m.session).Add(m.round).Add(m.rest_at); }
  void Add(const HeartbeatReply& m) { Add(m.session).Add(m.round).Add(m.commit_index); }
  void Add(const TimeoutNow& m) { Add(m.last_log); }
  void Add(const ReadRequest& m) { Add(m.request); }
  void Add(const ReadReply& m) { Add(m.request).Add(m.index); }
  void Add(const SnapshotRequest& m) {
    const SnapshotChunk& chunk = *m.chunk;
    Add(m.session).Add(m.round).Add(chunk.id).Add(chunk.base.last);
    Add(EncodeConfState(chunk.base.conf)).Add(chunk.number).Add(chunk.last).Add(chunk.checksum);
    Add(chunk.data);
  }
  void Add(const SnapshotReply& m) { Add(m.session).Add(m.round).Add(m.id).Add(m.next_chunk); }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

class Text {
 public:
  void Add(const PreVoteRequest& m) {
    out_ << "pre-vote request for t" << m.campaign_term << ", log ends " << At(m.last_log);
  }
  void Add(const PreVoteReply& m) {
    out_ << "pre-vote " << (m.granted ? "granted" : "refused") << " for t" << m.campaign_term;
  }
  void Add(const VoteRequest& m) { out_ << "vote request, log ends " << At(m.last_log); }
  void Add(const VoteReply& m) { out_ << "vote " << (m.granted ? "granted" : "refused"); }
  void Add(const AppendRequest& m) {
    out_ << "append after " << At(m.prev) << " [";
    const char* separator = "";
    for (const EntrySlice& slice : m.entries) {
      for (uint32_t i = 0; i < slice.size(); ++i) {
        out_ << separator << At({slice.at(i).term, slice.at(i).index});
        separator = " ";
      }
    }
    out_ << "] commit " << m.commit_index;
  }
  void Add(const AppendReply& m) {
    if (const auto* accept = std::get_if<AppendAccept>(&m.result)) {
      out_ << "append accepted up to " << accept->match_index << ", commit "
           << accept->commit_index;
    } else {
      const auto& reject = std::get<AppendReject>(m.result);
      out_ << "append rejected at " << reject.prev_index << ", may agree at " << At(reject.hint);
    }
  }
  void Add(const HeartbeatRequest& m) { out_ << "heartbeat round " << m.round; }
  void Add(const HeartbeatReply& m) {
    out_ << "heartbeat reply round " << m.round << ", commit " << m.commit_index;
  }

  void Add(const TimeoutNow& m) { out_ << "timeout-now, log ends " << At(m.last_log); }
  void Add(const ReadRequest&) { out_ << "read request"; }
  void Add(const ReadReply& m) { out_ << "read reply at " << m.index; }
  void Add(const SnapshotRequest& m) {
    out_ << "piece " << m.chunk->number << (m.chunk->last ? ", the last," : "") << " of snapshot "
         << m.chunk->id << " at " << At(m.chunk->base.last);
  }
  void Add(const SnapshotReply& m) {
    out_ << "snapshot " << m.id << " wants piece " << m.next_chunk;
  }

  std::string Take() { return out_.str(); }

 private:
  static std::string At(LogId id) {
    std::ostringstream text;
    text << id.index << "@t" << id.term;
    return text.str();
  }
  std::ostringstream out_;
};

}  // namespace

MessageName MessageTable::Add(Message message) {
  Key key;
  key.Add(message.from).Add(message.to).Add(message.term);
  key.Add(message.from_incarnation).Add(message.to_incarnation).Add(message.body.index());
  std::visit([&](const auto& body) { key.Add(body); }, message.body);
  const auto [at, added] =
      names_.try_emplace(key.Take(), static_cast<MessageName>(messages_.size()));
  if (added) messages_.push_back(std::move(message));
  return at->second;
}

std::string Describe(const Message& message) {
  Text text;
  std::visit([&](const auto& body) { text.Add(body); }, message.body);
  std::ostringstream out;
  out << text.Take() << " (S" << message.from << " to S" << message.to << ", t" << message.term
      << ")";
  return out.str();
}

}  // namespace flaredb::explore
