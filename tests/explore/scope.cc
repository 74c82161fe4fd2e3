// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/scope.h"

namespace flaredb::explore {

std::vector<Scope> DefaultScopes() {
  std::vector<Scope> scopes;
  const auto add = [&](const char* name, const char* about) -> Scope& {
    scopes.emplace_back();
    scopes.back().name = name;
    scopes.back().about = about;
    return scopes.back();
  };
  {
    // Four terms and one crash are what Figure 8 needs: an entry of term 1, another leader, an
    // unfinished reign in term 3 that brings the entry to a majority, and the one who lacks it.
    Scope& s = add("reigns", "short reigns over four terms, writes that are lost");
    s.share = 2;
    s.terms = 4;
    s.crashes = 1;
    s.link = 1;
    s.replies_at_once = s.writes_at_once = true;
  }
  {
    Scope& s = add("elections", "campaigns that overlap, votes that come late");
    s.elections = Elections::kPreVotesAtOnce;
    s.terms = 2;
    s.link = 1;
    s.replies_at_once = s.writes_at_once = true;
  }
  {
    Scope& s = add("votes", "votes that are repeated, or lost in a crash");
    s.elections = Elections::kPreVotesAtOnce;
    s.terms = 2;
    s.crashes = 1;
    s.duplicates = 1;
    s.replies_at_once = true;
    s.link = 1;
  }
  {
    Scope& s = add("replication", "entries of two reigns, pipelined, late and out of order");
    s.terms = 2;
    s.entries = 2;
    s.writes_at_once = true;
  }
  {
    Scope& s = add("writes", "crashes between any two writes of two reigns");
    s.terms = 2;
    s.entries = 1;
    s.crashes = 2;
    s.replies_at_once = true;
    s.link = 1;
  }
  {
    Scope& s = add("copies", "messages that arrive again, also after a crash");
    s.terms = 2;
    s.entries = 1;
    s.crashes = 1;
    s.duplicates = 2;
    s.heartbeats = 1;
    s.writes_at_once = true;
  }
  {
    Scope& s = add("membership", "voters leave through a joint configuration");
    s.terms = 2;
    s.changes = 1;
    s.crashes = 1;
    s.link = 1;
    s.replies_at_once = s.writes_at_once = true;
  }
  {
    Scope& s = add("promotion", "a learner becomes a voter, or takes the place of one");
    s.voters = 2;
    s.terms = 3;
    s.changes = 1;
    s.crashes = 1;
    s.link = 1;
    s.replies_at_once = s.writes_at_once = true;
  }
  {
    Scope& s = add("transfer", "leadership is handed over while entries are on their way");
    s.terms = 3;
    s.entries = 1;
    s.transfers = 1;
    s.crashes = 1;
    s.replies_at_once = s.writes_at_once = true;
  }
  {
    Scope& s = add("snapshots", "logs are compacted, and who lags gets a snapshot in two pieces");
    s.terms = 2;
    s.compactions = 1;
    s.crashes = 1;
    s.replies_at_once = s.writes_at_once = true;
  }
  {
    Scope& s = add("stepwise", "every message and every write on its own");
    s.elections = Elections::kStepwise;
    s.terms = 2;
    s.crashes = 1;
    s.duplicates = 1;
    s.link = 3;
    s.stale_requests = true;
  }
  return scopes;
}

}  // namespace flaredb::explore
