// SPDX-License-Identifier: Apache-2.0
// Histories made wrong on purpose, a rule each, beside their correct neighbours. Checker C judges
// every one of them too.
#include "sim/history/versioned_checker.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "sim/history/versioned_model.h"
#include "sim/history/wgl.h"

namespace flaredb::sim {
namespace {

using OpRef = VersionedHistory::OpRef;

// One key, "k"; each call is one client that invokes and completes at once.
class Key {
 public:
  OpRef StartGet() { return history_.InvokeGet(++client_, "k"); }
  OpRef StartCas(uint64_t expected, ValueId value) {
    return history_.InvokeCas(++client_, "k", expected, value);
  }
  OpRef StartDelete(uint64_t expected) {
    return history_.InvokeCasDelete(++client_, "k", expected);
  }
  void Found(uint64_t version, ValueId value) { history_.OkFound(StartGet(), version, value); }
  void NotFound() { history_.OkNotFound(StartGet()); }
  void Cas(uint64_t expected, ValueId value, uint64_t version) {
    history_.OkCas(StartCas(expected, value), version);
  }
  void Delete(uint64_t expected) { history_.OkCasDelete(StartDelete(expected)); }
  void CasMismatch(uint64_t expected, ValueId value, uint64_t current) {
    history_.Mismatch(StartCas(expected, value), current);
  }

  VersionedHistory& history() { return history_; }

  // Both checkers' verdict; fails the test if they differ.
  Verdict Check() const {
    const Verdict verdict = CheckVersioned(history_);
    VersionedModel model;
    EXPECT_EQ(CheckWgl(&model, {ForWgl(history_.ops(0))}).linearizable, verdict.linearizable);
    EXPECT_EQ(verdict.why.empty(), verdict.linearizable);
    return verdict;
  }

 private:
  VersionedHistory history_;
  uint32_t client_ = 0;
};

#define EXPECT_RIGHT(key)                             \
  do {                                                \
    const Verdict verdict = (key).Check();            \
    EXPECT_TRUE(verdict.linearizable) << verdict.why; \
  } while (false)
#define EXPECT_WRONG(key, words)                                          \
  do {                                                                    \
    const Verdict verdict = (key).Check();                                \
    EXPECT_FALSE(verdict.linearizable);                                   \
    EXPECT_NE(verdict.why.find(words), std::string::npos) << verdict.why; \
  } while (false)

TEST(VersionedChecker, AcceptsAnEmptyHistory) {
  EXPECT_TRUE(CheckVersioned(VersionedHistory()).linearizable);
}

TEST(VersionedChecker, AcceptsALifeOfAKey) {
  Key key;
  key.NotFound();
  key.Cas(0, 1, 1);
  key.CasMismatch(0, 2, 1);
  key.Cas(1, 3, 2);
  key.Found(2, 3);
  key.Delete(2);
  key.NotFound();
  key.CasMismatch(2, 4, 0);
  key.Cas(0, 5, 4);
  key.Found(4, 5);
  EXPECT_RIGHT(key);
}

TEST(VersionedChecker, RefusesALostUpdate) {
  Key key;
  key.Cas(0, 1, 1);
  const OpRef a = key.StartCas(1, 2);
  const OpRef b = key.StartCas(1, 3);
  key.history().OkCas(a, 2);
  key.history().OkCas(b, 2);
  EXPECT_WRONG(key, "acknowledged twice");
}

TEST(VersionedChecker, RefusesAVersionThatIsReusedAfterADelete) {
  Key key;
  key.Cas(0, 1, 1);
  key.Delete(1);
  key.Cas(0, 2, 2);
  EXPECT_WRONG(key, "acknowledged twice");
}

TEST(VersionedChecker, RefusesAStaleRead) {
  Key key;
  key.Cas(0, 1, 1);
  key.Cas(1, 2, 2);
  key.Found(1, 1);
  EXPECT_WRONG(key, "version 2 must have been written after");
}

TEST(VersionedChecker, AcceptsAnOldReadThatOverlapsTheWrite) {
  Key key;
  key.Cas(0, 1, 1);
  const OpRef write = key.StartCas(1, 2);
  key.Found(1, 1);
  key.history().OkCas(write, 2);
  EXPECT_RIGHT(key);
}

TEST(VersionedChecker, RefusesAReadThatGoesBack) {
  Key key;
  key.Cas(0, 1, 1);
  const OpRef write = key.StartCas(1, 2);
  key.Found(2, 2);
  key.Found(1, 1);
  key.history().OkCas(write, 2);
  EXPECT_WRONG(key, "version 2 must have been written after");
}

TEST(VersionedChecker, RefusesAWriteThatIsOutOfRealTimeOrder) {
  Key key;
  const OpRef first = key.StartCas(0, 1);
  key.Cas(1, 2, 2);
  key.history().OkCas(first, 1);
  EXPECT_RIGHT(key);
  Key late;
  late.Cas(1, 2, 2);
  late.Cas(0, 1, 1);
  EXPECT_WRONG(late, "version 1 must have been written after");
}

TEST(VersionedChecker, RefusesADirtyReadOfARefusedWrite) {
  Key key;
  key.Cas(0, 1, 1);
  const OpRef refused = key.StartCas(1, 2);
  key.Found(2, 2);
  key.history().Fail(refused);
  const OpRef unknown = key.StartCas(1, 3);
  key.history().Info(unknown);
  EXPECT_WRONG(key, "a write that had no effect");
}

TEST(VersionedChecker, RefusesADirtyReadOfAMismatch) {
  Key key;
  key.history().Info(key.StartCas(0, 9));
  const OpRef write = key.StartCas(1, 2);
  key.Found(1, 2);
  key.history().Mismatch(write, 0);
  EXPECT_WRONG(key, "a write that had no effect");
}

TEST(VersionedChecker, RefusesAValueFromNowhere) {
  Key key;
  key.history().Info(key.StartCas(0, 1));
  key.Found(1, 7);
  EXPECT_WRONG(key, "no operation on the key wrote");
}

TEST(VersionedChecker, RefusesAnotherWritersValue) {
  Key key;
  key.Cas(0, 1, 1);
  key.Cas(1, 2, 2);
  key.Found(2, 1);
  EXPECT_WRONG(key, "not what version 2's writer wrote");
}

TEST(VersionedChecker, RefusesTwoValuesOfOneVersion) {
  Key key;
  key.history().Info(key.StartCas(0, 1));
  key.history().Info(key.StartCas(0, 2));
  key.Found(1, 1);
  key.Found(1, 2);
  EXPECT_WRONG(key, "has two values");
}

TEST(VersionedChecker, RefusesAMismatchThatLies) {
  Key same;
  same.Cas(0, 1, 1);
  same.CasMismatch(1, 2, 1);
  EXPECT_WRONG(same, "an answer that no state of the key allows");
  Key old;
  old.Cas(0, 1, 1);
  old.Cas(1, 2, 2);
  old.CasMismatch(7, 3, 1);
  EXPECT_WRONG(old, "version 2 must have been written after");
  Key absent;
  absent.Cas(0, 1, 1);
  absent.CasMismatch(7, 3, 0);
  EXPECT_WRONG(absent, "did not find the key live");
}

TEST(VersionedChecker, RefusesASuccessWhoseVersionIsNotTheNext) {
  Key key;
  key.Cas(0, 1, 1);
  key.Cas(1, 2, 3);
  EXPECT_WRONG(key, "an answer that no state of the key allows");
}

TEST(VersionedChecker, RefusesAVersionThatNobodyCanHaveWritten) {
  Key key;
  key.Cas(0, 1, 1);
  key.Found(2, 5);
  EXPECT_WRONG(key, "no operation can have written it");
  Key huge;
  huge.CasMismatch(0, 1, uint64_t{1} << 60);
  EXPECT_WRONG(huge, "no operation can have written it");
}

TEST(VersionedChecker, AcceptsAnUnknownWriteThatTookEffectOrNot) {
  Key yes;
  yes.history().Info(yes.StartCas(0, 1));
  yes.NotFound();
  yes.Found(1, 1);
  EXPECT_RIGHT(yes);
  Key no;
  no.history().Info(no.StartCas(0, 1));
  no.NotFound();
  no.Cas(0, 2, 1);
  EXPECT_RIGHT(no);
}

TEST(VersionedChecker, RefusesAnUnknownWriteThatTookEffectTwice) {
  Key key;
  key.history().Info(key.StartCas(7, 9));
  key.history().Info(key.StartCas(0, 1));
  key.Found(1, 1);
  key.Delete(1);
  key.Found(3, 1);
  EXPECT_WRONG(key, "one write's value was returned at two versions");
  // The same without values: two creations are implied, one can be.
  Key implied;
  implied.history().Info(implied.StartCas(7, 9));
  implied.history().Info(implied.StartCas(0, 1));
  implied.Delete(1);
  implied.CasMismatch(0, 2, 3);
  EXPECT_WRONG(implied, "no operation can have written it");
}

TEST(VersionedChecker, RefusesAnUnknownWriteBeforeItsInvocation) {
  Key key;
  const OpRef read = key.StartGet();
  key.history().OkFound(read, 1, 1);
  key.history().Info(key.StartCas(0, 1));
  EXPECT_WRONG(key, "version 1 must have been written after");
}

TEST(VersionedChecker, RefusesAnUnknownWriteThatExpectedAnotherVersion) {
  Key key;
  key.Cas(0, 1, 1);
  key.history().Info(key.StartCas(5, 2));
  key.Found(2, 2);
  EXPECT_WRONG(key, "can't have produced version 2");
}

TEST(VersionedChecker, RefusesAResurrectedDelete) {
  Key key;
  key.Cas(0, 1, 1);
  key.Delete(1);
  key.Found(1, 1);
  EXPECT_WRONG(key, "version 2 must have been written after");
  Key live_tombstone;
  live_tombstone.Cas(0, 1, 1);
  live_tombstone.Delete(1);
  live_tombstone.Found(2, 1);
  EXPECT_WRONG(live_tombstone, "is the tombstone of");
}

TEST(VersionedChecker, RefusesACreationOverALiveKey) {
  Key key;
  key.Cas(0, 1, 1);
  key.Cas(0, 2, 2);
  EXPECT_WRONG(key, "was not what it expected");
}

TEST(VersionedChecker, RefusesAPutOverATombstone) {
  Key key;
  key.Cas(0, 1, 1);
  key.Delete(1);
  key.Cas(2, 2, 3);
  EXPECT_WRONG(key, "was not what it expected");
}

TEST(VersionedChecker, RefusesNotFoundInTheMiddleOfALife) {
  Key key;
  key.Cas(0, 1, 1);
  key.NotFound();
  key.Delete(1);
  EXPECT_WRONG(key, "did not find the key live");
}

TEST(VersionedChecker, AcceptsNotFoundThatOverlapsTheCreationOrTheDelete) {
  Key creation;
  const OpRef create = creation.StartCas(0, 1);
  creation.NotFound();
  creation.history().OkCas(create, 1);
  EXPECT_RIGHT(creation);
  Key deletion;
  deletion.Cas(0, 1, 1);
  const OpRef remove = deletion.StartDelete(1);
  deletion.NotFound();
  deletion.history().OkCasDelete(remove);
  EXPECT_RIGHT(deletion);
}

TEST(VersionedChecker, ChoosesForEachAbsenceTheSideOfTheLifeThatIsFree) {
  // Both answers overlap creation and deletion; a read between them leaves one side to each.
  Key key;
  const OpRef create = key.StartCas(0, 1);
  key.NotFound();
  const OpRef remove = key.StartDelete(1);
  key.Found(1, 1);
  key.NotFound();
  key.history().OkCas(create, 1);
  key.history().OkCasDelete(remove);
  EXPECT_RIGHT(key);
}

TEST(VersionedChecker, AnUnknownDeleteExplainsAnAbsence) {
  Key key;
  key.Cas(0, 1, 1);
  key.history().Info(key.StartDelete(1));
  key.Found(1, 1);
  key.NotFound();
  EXPECT_RIGHT(key);
  key.Found(1, 1);
  EXPECT_WRONG(key, "did not find the key live");
}

TEST(VersionedChecker, UnknownWritesBeyondTheLastVersionExplainAnAbsence) {
  Key key;
  key.Cas(0, 1, 1);
  key.history().Info(key.StartCas(1, 2));
  key.history().Info(key.StartDelete(2));
  key.NotFound();
  EXPECT_RIGHT(key);
}

TEST(VersionedChecker, AGapIsFilledByPutsOrByADeleteAndACreation) {
  // Version 3 was seen; 2 is either a put or a tombstone.
  Key puts;
  puts.Cas(0, 1, 1);
  puts.history().Info(puts.StartCas(1, 2));
  puts.history().Info(puts.StartCas(2, 3));
  puts.CasMismatch(9, 4, 3);
  EXPECT_RIGHT(puts);
  Key recreated;
  recreated.Cas(0, 1, 1);
  recreated.history().Info(recreated.StartDelete(1));
  recreated.history().Info(recreated.StartCas(0, 3));
  recreated.CasMismatch(9, 4, 3);
  EXPECT_RIGHT(recreated);
  Key neither;
  neither.Cas(0, 1, 1);
  neither.history().Info(neither.StartDelete(1));
  neither.history().Info(neither.StartCas(2, 3));
  neither.CasMismatch(9, 4, 3);
  EXPECT_WRONG(neither, "no operation can have written it");
}

TEST(VersionedChecker, AnOpenKindIsSettledByALaterNeed) {
  // Version 2 was put or deleted. Only the deletion explains an absence before version 3 was seen;
  // it takes the one creation, which version 5 needs too.
  const auto build = [](Key* key, bool absence, bool recreated) {
    key->Cas(0, 1, 1);
    key->history().Info(key->StartDelete(1));
    key->history().Info(key->StartCas(1, 2));
    key->history().Info(key->StartCas(2, 3));
    key->history().Info(key->StartCas(0, 4));
    if (absence) key->NotFound();
    key->CasMismatch(9, 5, 3);
    if (!recreated) return;
    key->Delete(3);
    key->CasMismatch(9, 6, 5);
  };
  Key absent;
  build(&absent, true, false);
  EXPECT_RIGHT(absent);
  Key recreated;
  build(&recreated, false, true);
  EXPECT_RIGHT(recreated);
  Key both;
  build(&both, true, true);
  EXPECT_FALSE(both.Check().linearizable);
}

TEST(VersionedChecker, NamesTheKeyAndTwoOperations) {
  VersionedHistory history;
  history.OkCas(history.InvokeCas(1, "fine", 0, 1), 1);
  history.OkCas(history.InvokeCas(1, "broken", 0, 2), 1);
  history.OkCas(history.InvokeCas(2, "broken", 1, 3), 2);
  history.OkFound(history.InvokeGet(3, "broken"), 1, 2);
  EXPECT_EQ(CheckVersioned(history).why,
            "key \"broken\": version 2 must have been written after the invocation of client 3's "
            "Get -> version 1, value 2 [events 7..8], and before the completion of client 2's "
            "CAS(expected 1, value 3) -> version 2 [events 5..6]");
}

TEST(VersionedChecker, InsistsOnUniqueValues) {
  Key key;
  key.history().Info(key.StartCas(0, 1));
  key.history().Info(key.StartCas(0, 1));
  key.Found(1, 1);
  EXPECT_THROW(CheckVersioned(key.history()), InvariantViolation);
}

}  // namespace
}  // namespace flaredb::sim
