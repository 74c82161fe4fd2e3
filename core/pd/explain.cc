// SPDX-License-Identifier: Apache-2.0
#include "core/pd/explain.h"

#include <string_view>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "core/pd/ids.h"
#include "core/pd/namespaces.h"

namespace flaredb::pd {

namespace {

// What a refusal is about, as far as the request says.
struct Subject {
  std::string store;    // "store 4"
  std::string id;       // "4"
  std::string address;  // Of the store.
  std::string name;     // "namespace \"logs\""
  std::string detail;   // Of this kind of request.
};

std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(ToAbsl(text)), "\"");
}

Subject AboutStore(StoreId id, const std::string& address = "") {
  Subject subject;
  subject.id = absl::StrCat(id.value());
  subject.store = absl::StrCat("store ", subject.id);
  subject.address = Quoted(address);
  return subject;
}

Subject AboutName(const std::string& name) {
  Subject subject;
  subject.name = absl::StrCat("namespace ", Quoted(name));
  return subject;
}

Subject About(const Bootstrap& c) { return AboutStore(c.store.id, c.store.address); }
Subject About(const PutStore& c) { return AboutStore(c.store.id, c.store.address); }
Subject About(const SetStoreState& c) { return AboutStore(c.store); }
Subject About(const EnsureNamespace& c) { return AboutName(c.name); }
Subject About(const StartModeSwitch& c) { return AboutName(c.name); }
Subject About(const CancelModeSwitch& c) { return AboutName(c.name); }
Subject About(const AdvanceModeSwitch& c) { return AboutName(c.name); }
Subject About(const GetNamespace& q) { return AboutName(q.name); }
Subject About(const AllocateIds& c) {
  Subject subject;
  subject.detail = absl::StrCat(c.count);
  return subject;
}
Subject About(const PutRegion& c) {
  Subject subject;
  subject.detail = absl::StrCat("region ", c.info.region.id.value());
  return subject;
}
Subject About(const GetRegion& q) {
  Subject subject;
  subject.detail = Quoted(q.key);
  return subject;
}
Subject About(const GetCluster&) { return {}; }
Subject About(const ScanRegions&) { return {}; }
Subject About(const ListNamespaces&) { return {}; }

std::string IllegalStep(const std::string& store, StoreState now) {
  if (now == StoreState::kUp) return absl::StrCat(store, " is up: drain it before you remove it");
  if (now == StoreState::kDraining) {
    return absl::StrCat(store, " is still being drained: wait until flaredb store list shows that ",
                        "it is drained, or, if it is gone with its disk, give it up with: flaredb ",
                        "store remove --lost");
  }
  if (now == StoreState::kLost) {
    return absl::StrCat(store, " was given up for lost, which is for ever: it can only be removed");
  }
  return absl::StrCat(store, " was removed, which is for ever: nothing is left to be done");
}

std::string Sentence(const Subject& s, const Refused& refused) {
  const uint64_t about = refused.about;
  switch (refused.reason) {
    case Refusal::kNotUnderstood:
      return "some store runs an older release, which does not know this request: upgrade every "
             "store before you use what is new";
    case Refusal::kNotBootstrapped:
      return "there is no cluster yet: start its first store without --peer";
    case Refusal::kBootstrapped:
      return absl::StrCat("cluster ", about, " was founded by another store: ", s.store,
                          " can join it, with --peer and an empty data folder");
    case Refusal::kBadRegions:
      return absl::StrCat(
          "the regions that ", s.store, " brings cannot be the first of a cluster: together those ",
          "hold every key once, and each has a replica there and ids up to ", kChosenIdMax);
    case Refusal::kBadStoreId:
      return absl::StrCat("the store id ", s.id,
                          " was not allocated, and one that is chosen is at most ", kChosenIdMax,
                          ": start the store with another --store-id");
    case Refusal::kBadAddress:
      return absl::StrCat("the address ", s.address, " of ", s.store, " is not HOST:PORT with a ",
                          "port from 1 to 65535: start it with another --addr");
    case Refusal::kNoLongerMember:
      return absl::StrCat(s.store,
                          " was given up for lost or removed, which is for ever: start this ",
                          "one with an empty data folder and a --store-id that was never used");
    case Refusal::kOtherInstance:
      return absl::StrCat(
          s.store, " has another disk, so the data folder of this one was emptied, ",
          "or is a copy: start it with the folder that it had, or, if that is lost, ",
          "with a --store-id N that was never used, and run: flaredb store replace ", s.id,
          " --with N");
    case Refusal::kAddressTaken:
      return absl::StrCat("the address ", s.address, " belongs to store ", about,
                          ": if that one is gone and ", s.store,
                          " takes its place, run: ", "flaredb store replace ", about, " --with ",
                          s.id, "; otherwise start ", s.store, " with another --addr");
    case Refusal::kStoreChanged:
      return absl::StrCat(s.store, " was changed by somebody else, at revision ", about,
                          ": look at it again (flaredb store list) before you repeat this");
    case Refusal::kNoSuchStore:
      return absl::StrCat("there is no ", s.store, ": flaredb store list shows all that there are");
    case Refusal::kIllegalStep:
      return IllegalStep(s.store, StoreState{static_cast<uint8_t>(about)});
    case Refusal::kLastStore:
      return absl::StrCat(s.store,
                          " is the last one that takes replicas: let another one join first");
    case Refusal::kHasReplicas:
      return absl::StrCat("region ", about, ", and perhaps others, still has a replica on ",
                          s.store, ": wait until they have moved (flaredb store list)");
    case Refusal::kRegionsUnknown:
      return absl::StrCat(
          "the region of some keys is not known at the moment and may still have a ", "replica on ",
          s.store, ": try again in a few seconds");
    case Refusal::kTooManyIds:
      return absl::StrCat(s.detail, " ids were asked for: from 1 to ", kIdsMax,
                          " are given at once");
    case Refusal::kBadName:
      return absl::StrCat(s.name, " cannot be: a name has 1 to ", kNameBytesMax,
                          " bytes of UTF-8, without control characters and '/'");
    case Refusal::kTooManyNamespaces:
      return absl::StrCat(s.name, " would be one more than the ", kNamespacesMax,
                          " that a cluster may have: use a prefix of keys in one that there is");
    case Refusal::kNoSuchNamespace:
      return absl::StrCat("there is no ", s.name,
                          ": a strong one is created by its first write, an eventual one by ",
                          "\"flaredb ns set-mode\"");
    case Refusal::kModeChanged:
      return absl::StrCat("the mode of ", s.name, " was changed by somebody else, to mode epoch ",
                          about, ": look at it again before you repeat this");
    case Refusal::kOtherSwitch:
      return absl::StrCat(
          s.name, " is on its way to the other mode: cancel that, or wait until it ", "is there");
    case Refusal::kTooLate:
      return absl::StrCat(s.name,
                          " is being fenced on its way to strong, which can't be cancelled: ",
                          "wait until it is there, then switch again");
    case Refusal::kStaleRegion:
      return absl::StrCat("something newer than this report of ", s.detail, " is known of region ",
                          about, ": nothing is left to be done");
    case Refusal::kNoRegion:
      return absl::StrCat("the region of the key ", s.detail,
                          " is not known at the moment: try again in a few seconds");
  }
  return absl::StrCat("refused, for the reason ", static_cast<int>(refused.reason),
                      " of a newer release: upgrade this program");
}

}  // namespace

std::string Explain(const Command& command, const Refused& refused) {
  return Sentence(std::visit([](const auto& c) { return About(c); }, command), refused);
}

std::string Explain(const Query& query, const Refused& refused) {
  return Sentence(std::visit([](const auto& q) { return About(q); }, query), refused);
}

}  // namespace flaredb::pd
