// SPDX-License-Identifier: Apache-2.0
#include "examples/locks/lock_service.h"

#include <cstdlib>
#include <optional>
#include <sstream>

namespace flaredb::examples {
namespace {

// Token and owner of the latest grant; it stays, or tokens would begin anew.
constexpr std::string_view kGrant = "grant";
// There while that grant is in force: how often it was renewed.
constexpr std::string_view kHeld = "held";

std::string Join(std::string_view verb, std::string_view owner, uint64_t number) {
  std::ostringstream out;
  out << verb << ' ' << owner << ' ' << number;
  return out.str();
}

Lock ReadLock(const ObjectRows& rows) {
  Lock lock{false, 0, "-", 0};
  if (const std::optional<std::string> grant = rows.Get(kGrant)) {
    std::istringstream(*grant) >> lock.token >> lock.owner;
  }
  if (const std::optional<std::string> renewals = rows.Get(kHeld)) {
    lock.held = true;
    std::istringstream(*renewals) >> lock.renewals;
  }
  return lock;
}

void WriteLock(const Lock& lock, MutableObjectRows* rows) {
  rows->Put(kGrant, std::to_string(lock.token) + " " + lock.owner);
  if (lock.held) {
    rows->Put(kHeld, std::to_string(lock.renewals));
  } else {
    rows->Delete(kHeld);
  }
}

void End(Lock* lock) {
  lock->held = false;
  lock->renewals = 0;
}

bool Holds(const Lock& lock, const std::string& owner, uint64_t token) {
  return lock.held && lock.owner == owner && lock.token == token;
}

bool OnRenew(const std::string& owner, uint64_t token, Lock* lock) {
  if (!Holds(*lock, owner, token)) return false;
  ++lock->renewals;
  return true;
}

bool OnExpire(uint64_t token, uint64_t seen_renewals, Lock* lock) {
  if (lock->token != token || (lock->held && lock->renewals != seen_renewals)) return false;
  End(lock);
  return true;
}

}  // namespace

std::string Encode(const Lock& lock) {
  return Join(lock.held ? "held" : "free", std::to_string(lock.token) + " " + lock.owner,
              lock.renewals);
}

Lock DecodeLock(std::string_view text) {
  std::istringstream in{std::string(text)};
  Lock lock;
  std::string state;
  in >> state >> lock.token >> lock.owner >> lock.renewals;
  lock.held = state == "held";
  return lock;
}

std::string Acquire(std::string_view owner, uint64_t seen_token) {
  return Join("acquire", owner, seen_token);
}
std::string Renew(std::string_view owner, uint64_t token) { return Join("renew", owner, token); }
std::string Release(std::string_view owner, uint64_t token) {
  return Join("release", owner, token);
}
std::string Expire(uint64_t token, uint64_t seen_renewals) {
  return Join("expire", std::to_string(token), seen_renewals);
}

bool LockService::OnAcquire(const std::string& owner, uint64_t seen_token, Lock* lock) const {
  // Granted at an earlier attempt, and perhaps over by now.
  if (lock->token == seen_token + 1 && lock->owner == owner) return true;
  if (lock->held || lock->token != seen_token) return false;
  *lock = {true, seen_token + 1, owner, 0};
  return true;
}

bool LockService::OnRelease(const std::string& owner, uint64_t token, Lock* lock) const {
  if (lock->owner != owner || lock->token != token) return false;
  End(lock);
  return true;
}

std::string LockService::Apply(std::string_view command, MutableObjectRows* rows) const {
  std::istringstream in{std::string(command)};
  std::string verb;
  std::string who;  // Owner, or the token to expire.
  uint64_t number = 0;
  if (!(in >> verb >> who >> number)) return "not a command";

  Lock lock = ReadLock(*rows);
  const std::string before = Encode(lock);
  bool ok = false;
  if (verb == "acquire") {
    ok = OnAcquire(who, number, &lock);
  } else if (verb == "renew") {
    ok = OnRenew(who, number, &lock);
  } else if (verb == "release") {
    ok = OnRelease(who, number, &lock);
  } else if (verb == "expire") {
    ok = OnExpire(std::strtoull(who.c_str(), nullptr, 10), number, &lock);
  } else {
    return "not a command";
  }
  const std::string after = Encode(lock);
  if (after != before) WriteLock(lock, rows);
  return (ok ? "ok " : "no ") + after;
}

std::string LockService::Query(std::string_view, const ObjectRows& rows) const {
  return Encode(ReadLock(rows));
}

}  // namespace flaredb::examples
