// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "sim/history/corpus.h"
#include "sim/history/jepsen_parser.h"
#include "sim/history/kv_parser.h"
#include "sim/history/versioned_checker.h"
#include "sim/history/versioned_parser.h"

namespace flaredb::sim {
namespace {

using Kind = RegisterOp::Kind;

TEST(JepsenParser, ReadsEveryKindOfEvent) {
  const auto ops = ParseJepsenLog("a.log",
                                  "INFO  jepsen.util - 0\t:invoke\t:write\t4\r\n"
                                  "INFO jepsen.util - 1 :invoke :read nil\n"
                                  "\n"
                                  "INFO jepsen.util - 2 :invoke :cas [4 1]\n"
                                  "INFO jepsen.util - 0 :ok :write 4\n"
                                  "INFO jepsen.util - 1 :ok :read 4\n"
                                  "INFO jepsen.util - 2 :fail :cas [4 1]\n"
                                  "INFO jepsen.util - 0 :invoke :read nil\n"
                                  "INFO jepsen.util - 0 :fail :read :timed-out\n"
                                  "INFO jepsen.util - 1 :invoke :write 3\n"
                                  "INFO jepsen.util - 1 :info :write :timed-out\n"
                                  "INFO jepsen.util - 3 :invoke :write 9");
  ASSERT_TRUE(ops.ok()) << ops.status();
  ASSERT_EQ(ops->size(), 5u);
  EXPECT_EQ((*ops)[0].op, (RegisterOp{Kind::kWrite, 4, 0}));
  EXPECT_EQ((*ops)[0].invoke, 1u);
  EXPECT_EQ((*ops)[0].complete, 5u);
  EXPECT_EQ((*ops)[1].op, (RegisterOp{Kind::kRead, 4, 0}));
  EXPECT_EQ((*ops)[2].op, (RegisterOp{Kind::kCasMismatch, 1, 4}));
  EXPECT_EQ((*ops)[3].complete, kNever);
  EXPECT_EQ((*ops)[4].complete, kNever);
}

TEST(JepsenParser, AFailedWriteIsNoWrite) {
  const auto ops = ParseJepsenLog("a.log",
                                  "INFO jepsen.util - 0 :invoke :write 4\n"
                                  "INFO jepsen.util - 0 :fail :write :timed-out\n");
  ASSERT_TRUE(ops.ok());
  EXPECT_TRUE(ops->empty());
}

std::string JepsenError(std::string_view line) {
  const std::string text = "INFO jepsen.util - 0 :invoke :write 4\n" + std::string(line);
  return std::string(ParseJepsenLog("a.log", text).status().message());
}

TEST(JepsenParser, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(JepsenError("garbage"),
            "a.log:2: expected: INFO jepsen.util - PROCESS :TYPE :FUNCTION VALUE");
  EXPECT_EQ(JepsenError("INFO jepsen.util - x :ok :write 4"),
            "a.log:2: the process must be a number");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :done :write 4"),
            "a.log:2: the type must be :invoke, :ok, :fail or :info");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :ok :add 4"),
            "a.log:2: the function must be :read, :write or :cas");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :ok :write 4x"),
            "a.log:2: the value must be nil, a number, [from to] or :timed-out");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :ok :write nil"), "a.log:2: a :write needs a number");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :ok :write 4 5"),
            "a.log:2: there are words after the value");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 1 :invoke :cas 4"),
            "a.log:2: a :cas needs a value of the form [from to]");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :ok :write :timed-out"),
            "a.log:2: only :fail and :info can be :timed-out");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :invoke :write 4"),
            "a.log:2: the process invokes an operation while its last one is open");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 1 :ok :write 4"),
            "a.log:2: the process completes an operation that it has not invoked");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :ok :read 4"),
            "a.log:2: the process completes another kind of operation");
  EXPECT_EQ(JepsenError("INFO jepsen.util - 0 :ok :write 5"),
            "a.log:2: the process completes an operation with other values than it invoked");
}

TEST(KvParser, ReadsEveryKindOfEvent) {
  const auto history =
      ParseKvLog("a.txt",
                 "{:process 0, :type :invoke, :f :put, :key \"k\", :value \"a \\\"b\\\\\"}\n"
                 "{:process 1, :type :invoke, :f :get, :key \"l\", :value nil}\n"
                 "{:process 0, :type :ok, :f :put, :key \"k\", :value \"a \\\"b\\\\\"}\n"
                 "{:process 1, :type :ok, :f :get, :key \"l\", :value \"\"}\n"
                 "{:process 0, :type :invoke, :f :append, :key \"l\", :value \"x\"}\n"
                 "{:process 0, :type :fail, :f :append, :key \"l\", :value \"x\"}\n"
                 "{:process 1, :type :invoke, :f :append, :key \"l\", :value \"y\"}\n"
                 "{:process 1, :type :info, :f :append, :key \"l\", :value :timed-out}\n");
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->ops.size(), 3u);
  ASSERT_EQ(history->keys.size(), 2u);
  EXPECT_EQ(history->strings.text(history->ops[0].op.value), "a \"b\\");
  EXPECT_EQ(history->ops[0].complete, 3u);
  EXPECT_EQ(history->ops[1].op, (KvOp{KvOp::Kind::kGet, 1, StringTable::kEmpty}));
  EXPECT_EQ(history->ops[2].complete, kNever);
}

std::string KvError(std::string_view line) {
  const std::string text =
      "{:process 0, :type :invoke, :f :put, :key \"k\", :value \"v\"}\n" + std::string(line);
  return std::string(ParseKvLog("a.txt", text).status().message());
}

TEST(KvParser, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(KvError("garbage"), "a.txt:2: expected a map: {:process 0, :type :invoke, ...}");
  EXPECT_EQ(KvError("{process 0}"), "a.txt:2: expected a field's name such as :process, or }");
  EXPECT_EQ(KvError("{:process 0"), "a.txt:2: expected a field's name such as :process, or }");
  EXPECT_EQ(KvError("{:process }"), "a.txt:2: a field has no value");
  EXPECT_EQ(KvError("{:key \"k}"), "a.txt:2: a string does not end, or has an unknown escape");
  EXPECT_EQ(KvError("{:f :get, :f :put}"), "a.txt:2: a field stands there twice");
  EXPECT_EQ(KvError("{:f :get} {"), "a.txt:2: there is more after the map");
  EXPECT_EQ(KvError("{:f :get}"), "a.txt:2: a map needs :process, :type, :f, :key and :value");
  EXPECT_EQ(KvError("{:process 0, :type :done, :f :put, :key \"k\", :value \"v\"}"),
            "a.txt:2: :type must be :invoke, :ok, :fail or :info");
  EXPECT_EQ(KvError("{:process 0, :type :ok, :f :del, :key \"k\", :value \"v\"}"),
            "a.txt:2: :f must be :get, :put or :append");
  EXPECT_EQ(KvError("{:process 0, :type :ok, :f :put, :key 7, :value \"v\"}"),
            "a.txt:2: :key must be a string");
  EXPECT_EQ(KvError("{:process 1, :type :invoke, :f :put, :key \"k\", :value nil}"),
            "a.txt:2: :value must be a string here");
  EXPECT_EQ(KvError("{:process 0, :type :invoke, :f :put, :key \"k\", :value \"v\"}"),
            "a.txt:2: the process invokes an operation while its last one is open");
  EXPECT_EQ(KvError("{:process 1, :type :ok, :f :put, :key \"k\", :value \"v\"}"),
            "a.txt:2: the process completes an operation that it has not invoked");
  EXPECT_EQ(KvError("{:process 0, :type :ok, :f :put, :key \"k\", :value \"w\"}"),
            "a.txt:2: the process completes another operation than it invoked");
}

TEST(ExpectedTable, ReadsItsRows) {
  const auto rows = ParseExpectedTable("T.tsv",
                                       "file\tmodel\tlinearizable\n"
                                       "a/b.log\tetcd_cas_register\ttrue\n"
                                       "c.txt\tkv_nopartition\tfalse\n");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].file, "a/b.log");
  EXPECT_TRUE((*rows)[0].linearizable);
  EXPECT_EQ((*rows)[1].model, CorpusModel::kKvNoPartition);
}

TEST(ExpectedTable, SaysWhereAndWhatIsWrong) {
  const auto error = [](std::string_view text) {
    return std::string(ParseExpectedTable("T.tsv", text).status().message());
  };
  const std::string header = "file\tmodel\tlinearizable\n";
  EXPECT_EQ(error("a\tkv_partitioned\ttrue\n"),
            "T.tsv:1: the first line must be: file model linearizable");
  EXPECT_EQ(error(header + "a\tkv_partitioned\n"),
            "T.tsv:2: a row needs three columns: file, model, true or false");
  EXPECT_EQ(error(header + "a\tqueue\ttrue\n"),
            "T.tsv:2: unknown model \"queue\": use etcd_cas_register, kv_partitioned, "
            "kv_nopartition or flaredb");
  EXPECT_EQ(error(header + "a\tkv_partitioned\tyes\n"),
            "T.tsv:2: the last column must be true or false");
  EXPECT_EQ(error(header), "T.tsv:1: the table has no rows");
}

TEST(Corpus, AMissingFileIsNamed) {
  const auto verdict = CheckCorpusFile(CorpusModel::kKvPartitioned, "no/such/file.txt");
  ASSERT_FALSE(verdict.ok());
  EXPECT_NE(verdict.status().ToString().find("cannot open no/such/file.txt"), std::string::npos);
}

TEST(VersionedParser, ReadsEveryKindOfEvent) {
  const auto history = ParseVersionedLog("a.log",
                                         "1 invoke cas k 0 10\n"
                                         "2 invoke get k\r\n"
                                         "1 ok 1\n"
                                         "\n"
                                         "2 ok 1 10\n"
                                         "1 invoke cas_delete k 1\n"
                                         "2 invoke cas k 7 11\n"
                                         "2 mismatch 1\n"
                                         "1 ok\n"
                                         "2 invoke get k\n"
                                         "2 ok 0\n"
                                         "2 invoke cas j 0 12\n"
                                         "2 info\n"
                                         "2 invoke get j\n"
                                         "2 fail\n"
                                         "3 invoke get j");
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->keys(), 2u);
  ASSERT_EQ(history->ops(0).size(), 5u);
  const VersionedOp& created = history->ops(0)[0];
  EXPECT_EQ(Describe(created), "client 1's CAS(expected 0, value 10) -> version 1 [events 1..3]");
  EXPECT_EQ(Describe(history->ops(0)[1]), "client 2's Get -> version 1, value 10 [events 2..4]");
  EXPECT_EQ(Describe(history->ops(0)[2]),
            "client 1's CAS-delete(expected 1) -> deleted [events 5..8]");
  EXPECT_EQ(history->ops(0)[3].outcome, Outcome::kMismatch);
  EXPECT_EQ(history->ops(0)[4].version, 0u);
  ASSERT_EQ(history->ops(1).size(), 3u);
  EXPECT_EQ(history->ops(1)[0].outcome, Outcome::kUnknown);
  EXPECT_EQ(history->ops(1)[1].outcome, Outcome::kNotApplied);
  EXPECT_EQ(history->ops(1)[2].complete, kNever);
  EXPECT_TRUE(CheckVersioned(*history).linearizable);
}

TEST(VersionedParser, AStaleReadIsFoundInItsHistory) {
  const auto history = ParseVersionedLog("a.log",
                                         "1 invoke cas k 0 10\n"
                                         "1 ok 1\n"
                                         "2 invoke get k\n"
                                         "2 ok 0\n");
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_FALSE(CheckVersioned(*history).linearizable);
}

TEST(VersionedParser, SaysWhereAndWhatIsWrong) {
  const auto error = [](std::string_view line) {
    const std::string text = "1 invoke cas k 0 10\n" + std::string(line);
    return std::string(ParseVersionedLog("a.log", text).status().message());
  };
  EXPECT_EQ(error("x ok 1"), "a.log:2: the client must be a number");
  EXPECT_EQ(error("4294967296 ok 1"), "a.log:2: the client must be a number");
  EXPECT_EQ(error("1"), "a.log:2: expected: CLIENT EVENT ...");
  EXPECT_EQ(error("1 invoke get k"),
            "a.log:2: the client invokes while its last operation is open");
  EXPECT_EQ(error("2 ok 1"), "a.log:2: the client completes an operation that it has not invoked");
  EXPECT_EQ(error("2 invoke get"), "a.log:2: expected: CLIENT invoke OPERATION KEY ...");
  EXPECT_EQ(error("2 invoke get k 1"), "a.log:2: expected: CLIENT invoke get KEY");
  EXPECT_EQ(error("2 invoke put k 1"), "a.log:2: the operation must be get, cas or cas_delete");
  EXPECT_EQ(error("2 invoke cas k 1"), "a.log:2: expected: CLIENT invoke cas KEY EXPECTED VALUE");
  EXPECT_EQ(error("2 invoke cas k 1 10"), "a.log:2: the value was written before");
  EXPECT_EQ(error("2 invoke cas_delete k"),
            "a.log:2: expected: CLIENT invoke cas_delete KEY EXPECTED");
  EXPECT_EQ(error("1 done"), "a.log:2: the event must be invoke, ok, mismatch, fail or info");
  EXPECT_EQ(error("1 ok"), "a.log:2: a cas produced a version: CLIENT ok VERSION");
  EXPECT_EQ(error("1 ok 0"), "a.log:2: a cas produced a version: CLIENT ok VERSION");
  EXPECT_EQ(error("1 fail 1"), "a.log:2: nothing follows fail and info");
  EXPECT_EQ(error("1 mismatch"), "a.log:2: a write has a mismatch, with one version");
  EXPECT_EQ(error("2 invoke get k\n2 mismatch 1"),
            "a.log:3: a write has a mismatch, with one version");
  EXPECT_EQ(error("2 invoke get k\n2 ok 1"), "a.log:3: a get found: VERSION VALUE, or nothing: 0");
  EXPECT_EQ(error("2 invoke cas_delete k 1\n2 ok 1"),
            "a.log:3: nothing follows the ok of a cas_delete");
}

}  // namespace
}  // namespace flaredb::sim
