// SPDX-License-Identifier: Apache-2.0
// Namespaces, and the switch of their modes.
#include "core/pd/namespaces.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::pd {
namespace {

using std::string_literals::operator""s;
using enum ModeState;

class Namespaces : public MachineOfRows {
 protected:
  void SetUp() override { Must(Founding()); }

  Namespace Ensure(const std::string& name, std::optional<Mode> mode = std::nullopt) {
    return Must<Namespace>(EnsureNamespace{name, mode});
  }
  Namespace Ns(const std::string& name = "ns") { return Get<Namespace>(GetNamespace{name}); }
  Namespace Start(Mode mode) {
    return Must<Namespace>(StartModeSwitch{"ns", mode, Ns().mode_epoch});
  }
  Namespace Step() { return Must<Namespace>(AdvanceModeSwitch{"ns", Ns().mode_epoch}); }
  // "ns", anew, in `state`.
  void Reach(ModeState state) {
    data_.rows.clear();
    Must(Founding());
    Ensure("ns");
    if (state == kStrong) return;
    Start(Mode::kEventual);
    if (state == kToEventual) return;
    Step();
    if (state == kEventual) return;
    Start(Mode::kStrong);
    if (state == kToStrongFence) Step();
    ASSERT_EQ(Ns().state, state);
  }
};

TEST_F(Namespaces, AreCreatedByUseOrByChoice) {
  EXPECT_EQ(Ensure("logs"),
            (Namespace{kv::NamespaceId{2}, "logs", kStrong, ModeEpoch(1), true, Revision(3)}));
  EXPECT_EQ(Ensure("metrics", Mode::kEventual), (Namespace{kv::NamespaceId{3}, "metrics", kEventual,
                                                           ModeEpoch(1), false, Revision(4)}));
  EXPECT_EQ(Ensure("users", Mode::kStrong),
            (Namespace{kv::NamespaceId{4}, "users", kStrong, ModeEpoch(1), false, Revision(5)}));
  // One that is there stays as it is.
  EXPECT_EQ(Ensure("logs", Mode::kEventual), Ns("logs"));
  EXPECT_EQ(Ns("logs").state, kStrong);
  EXPECT_TRUE(Ns("logs").from_default);
  EXPECT_EQ(Ensure("default").id, kv::NamespaceId::kDefault);
  EXPECT_EQ(Get<Refused>(GetNamespace{"log"}), Refused{Refusal::kNoSuchNamespace});
}

TEST_F(Namespaces, NamesArePrintableUtf8WithoutSlash) {
  for (const std::string& good :
       {"a"s, " "s, "a.b-c_d:e=f"s, "na\xc3\xafve"s, "\xe6\x97\xa5\xe6\x9c\xac"s,
        "\xf0\x9f\xa6\x80"s, "\xc2\xa0"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
        "\xee\x80\x80"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s, std::string(255, 'n')}) {
    EXPECT_TRUE(IsNamespaceName(good)) << good;
  }
  for (const std::string& bad :
       {""s, "a/b"s, "/"s, "a\0b"s, "a\nb"s, "\x1f"s, "\x7f"s, "\xc2\x80"s, "\xc2\x9f"s,
        // Not well-formed: continued, cut short, too long a spelling, surrogates, beyond the end.
        "\x80"s, "\xbf"s, "a\xc3"s, "\xc3("s, "\xe6\x97"s, "\xe6\x97("s, "\xf0\x9f\xa6"s,
        "\xc0\xaf"s, "\xc1\xbf"s, "\xe0\x9f\xbf"s, "\xf0\x8f\xbf\xbf"s, "\xed\xa0\x80"s,
        "\xed\xbf\xbf"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s,
        std::string(256, 'n')}) {
    EXPECT_FALSE(IsNamespaceName(bad)) << bad;
  }
  EXPECT_EQ(Not(EnsureNamespace{"a/b", std::nullopt}), Refused{Refusal::kBadName});
}

TEST_F(Namespaces, ThereIsALimit) {
  // One is there from the beginning.
  for (uint64_t i = 1; i < kNamespacesMax; ++i) {
    MutableObjectRows rows(kObject, data_);
    machine_.Apply(EncodeCommand(EnsureNamespace{std::to_string(i), std::nullopt}), &rows);
    data_.Write(rows.changes());
  }
  EXPECT_EQ(Not(EnsureNamespace{"more", std::nullopt}), Refused{Refusal::kTooManyNamespaces});
  EXPECT_EQ(Ns(std::to_string(kNamespacesMax - 1)).id,
            kv::NamespaceId{static_cast<uint32_t>(kNamespacesMax)});
  Ensure("1");

  const NamespacePage page = Get<NamespacePage>(ListNamespaces{"", "", kNamespacesMax});
  EXPECT_EQ(page.namespaces.size(), kPageRowsMax);
  EXPECT_TRUE(page.more);
}

TEST_F(Namespaces, AreListedInPages) {
  for (const char* name : {"log", "logs", "logs2", "lo", "metrics"}) Ensure(name);
  const auto names = [this](const std::string& prefix, const std::string& after, uint64_t limit) {
    const NamespacePage page = Get<NamespacePage>(ListNamespaces{prefix, after, limit});
    std::string list;
    for (const Namespace& ns : page.namespaces) list += ns.name + " ";
    return list + (page.more ? "..." : ".");
  };
  EXPECT_EQ(names("", "", 10), "default lo log logs logs2 metrics .");
  EXPECT_EQ(names("log", "", 10), "log logs logs2 .");
  EXPECT_EQ(names("log", "", 2), "log logs ...");
  EXPECT_EQ(names("log", "logs", 2), "logs2 .");
  EXPECT_EQ(names("log", "a", 3), "log logs logs2 .");
  EXPECT_EQ(names("log", "x", 3), ".");
  EXPECT_EQ(names("x", "", 3), ".");
}

// Every arrow of core/pd/mode_switch.h, and where there is none.
TEST_F(Namespaces, EveryCommandInEveryState) {
  struct Row {
    ModeState state;
    std::optional<ModeState> start_strong;  // Nullopt: refused.
    std::optional<ModeState> start_eventual;
    ModeState step;
    std::optional<ModeState> cancel;
  };
  const Row rows[] = {
      {kStrong, kStrong, kToEventual, kStrong, kStrong},
      {kToEventual, std::nullopt, kToEventual, kEventual, kToStrongFence},
      {kEventual, kToStrongDrain, kEventual, kEventual, kEventual},
      {kToStrongDrain, kToStrongDrain, std::nullopt, kToStrongFence, kEventual},
      {kToStrongFence, kToStrongFence, std::nullopt, kStrong, std::nullopt},
  };
  const auto expect = [&](const Row& row, std::optional<ModeState> next, auto command,
                          Refusal refusal) {
    Reach(row.state);
    const Namespace before = Ns();
    const Command now = command(before.mode_epoch);
    if (!next) {
      EXPECT_EQ(Not(now), Refused{refusal});
      EXPECT_EQ(Ns(), before);
      return;
    }
    const Namespace after = Must<Namespace>(now);
    EXPECT_EQ(after, Ns());
    EXPECT_EQ(after.state, *next);
    EXPECT_EQ(after.mode_epoch, *next == row.state ? before.mode_epoch : before.mode_epoch.next());
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(static_cast<int>(row.state));
    const auto to = [](Mode mode) {
      return [mode](ModeEpoch seen) { return StartModeSwitch{"ns", mode, seen}; };
    };
    expect(row, row.start_strong, to(Mode::kStrong), Refusal::kOtherSwitch);
    expect(row, row.start_eventual, to(Mode::kEventual), Refusal::kOtherSwitch);
    expect(
        row, row.step,
        [](ModeEpoch at) {
          return AdvanceModeSwitch{"ns", at};
        },
        Refusal::kNotUnderstood);
    expect(
        row, row.cancel,
        [](ModeEpoch at) {
          return CancelModeSwitch{"ns", at};
        },
        Refusal::kTooLate);
  }
}

TEST_F(Namespaces, AtAnotherEpochASwitchStaysWhereItIs) {
  for (const ModeState state : {kStrong, kToEventual, kEventual, kToStrongDrain, kToStrongFence}) {
    Reach(state);
    const Namespace before = Ns();
    for (const ModeEpoch at : {ModeEpoch(), before.mode_epoch.prev(), before.mode_epoch.next()}) {
      EXPECT_EQ(Must<Namespace>(AdvanceModeSwitch{"ns", at}), before);
      EXPECT_EQ(Must<Namespace>(CancelModeSwitch{"ns", at}), before);
    }
  }
}

TEST_F(Namespaces, AnOldCopyOfAStartComesTooLate) {
  Reach(kStrong);
  const StartModeSwitch start{"ns", Mode::kEventual, Ns().mode_epoch};
  Must<Namespace>(start);
  Step();
  Start(Mode::kStrong);
  Step();
  Step();
  ASSERT_EQ(Ns().state, kStrong);
  EXPECT_EQ(Not(start), (Refused{Refusal::kModeChanged, 6}));
  // Who did not look does not mind.
  EXPECT_EQ(Must<Namespace>(StartModeSwitch{"ns", Mode::kEventual, ModeEpoch()}).state,
            kToEventual);
}

TEST_F(Namespaces, WhoChoosesTheModeThatThereIsHasChosen) {
  Reach(kStrong);
  ASSERT_TRUE(Ns().from_default);
  const Revision before = Ns().changed;
  const Namespace chosen = Start(Mode::kStrong);
  EXPECT_FALSE(chosen.from_default);
  EXPECT_EQ(chosen.mode_epoch, ModeEpoch(1));
  EXPECT_EQ(chosen.changed, before.next());
  EXPECT_EQ(Start(Mode::kStrong), chosen);
  Reach(kToEventual);
  EXPECT_FALSE(Ns().from_default);
}

TEST_F(Namespaces, WhatIsNotThereHasNoMode) {
  const Refused refused{Refusal::kNoSuchNamespace};
  EXPECT_EQ(Not(StartModeSwitch{"x", Mode::kStrong, ModeEpoch()}), refused);
  EXPECT_EQ(Not(CancelModeSwitch{"x", ModeEpoch(1)}), refused);
  EXPECT_EQ(Not(AdvanceModeSwitch{"x", ModeEpoch(1)}), refused);
}

TEST(ModeSwitch, SaysWhereItLeads) {
  EXPECT_EQ(TargetOf(kStrong), Mode::kStrong);
  EXPECT_EQ(TargetOf(kToEventual), Mode::kEventual);
  EXPECT_EQ(TargetOf(kEventual), Mode::kEventual);
  EXPECT_EQ(TargetOf(kToStrongDrain), Mode::kStrong);
  EXPECT_EQ(TargetOf(kToStrongFence), Mode::kStrong);
}

}  // namespace
}  // namespace flaredb::pd
