// SPDX-License-Identifier: Apache-2.0
#include "sim/page/page.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "sim/page/record_json.h"
#include "tests/sim/synthetic_record.h"

namespace flaredb::sim {
namespace {

std::string JsonOf(const Record& record) {
  std::ostringstream out;
  WriteJson(record, out);
  return out.str();
}

std::string PageOf(const Record& record) {
  std::ostringstream out;
  WritePage(record, out);
  return out.str();
}

// By a parser that we did not write.
google::protobuf::Struct Parse(const std::string& json) {
  google::protobuf::Struct parsed;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &parsed);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return parsed;
}

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Page, DataIsJsonThatHoldsEverything) {
  const Record record = SyntheticRecord(7, 5000);
  const google::protobuf::Struct parsed = Parse(JsonOf(record));
  const auto& members = parsed.fields();
  EXPECT_EQ(members.at("name").string_value(), "seed 18446744073709551615");
  EXPECT_EQ(members.at("nodes").number_value(), 7);
  EXPECT_EQ(members.at("end").number_value(), 1e10);
  EXPECT_EQ(members.at("messages").list_value().values_size(), 5000);
  EXPECT_EQ(members.at("operations").list_value().values_size(),
            static_cast<int>(record.operations.size()));
  EXPECT_EQ(members.at("faults").list_value().values_size(), 16);
  EXPECT_EQ(members.at("states").list_value().values_size(),
            static_cast<int>(record.states.size()));
  const auto& failure = members.at("failure").struct_value().fields();
  EXPECT_EQ(failure.at("sentence").string_value(), record.failure->sentence);
  ASSERT_EQ(failure.at("nodes").list_value().values_size(), 2);
  EXPECT_EQ(failure.at("nodes").list_value().values(0).number_value(), 1);
  const auto& message = members.at("messages").list_value().values(17).list_value();
  ASSERT_EQ(message.values_size(), 8);
  EXPECT_EQ(message.values(0).number_value(), record.messages[17].from);
  EXPECT_EQ(message.values(2).number_value(),
            static_cast<double>(record.messages[17].sent.nanoseconds()));
  EXPECT_EQ(message.values(7).string_value(), record.messages[17].text);
}

TEST(Page, RunThatPassedHasNoFailure) {
  const google::protobuf::Struct parsed = Parse(JsonOf(Record()));
  EXPECT_TRUE(parsed.fields().at("failure").has_null_value());
}

TEST(Page, WhatNeverEndedHasNoEnd) {
  Record record;
  record.faults.push_back({"split", Instant(), Instant::Max(), {}});
  record.Add(Record::Message());
  const google::protobuf::Struct parsed = Parse(JsonOf(record));
  const auto& fault = parsed.fields().at("faults").list_value().values(0).list_value();
  EXPECT_EQ(fault.values(1).number_value(), -1);
  const auto& message = parsed.fields().at("messages").list_value().values(0).list_value();
  EXPECT_EQ(message.values(3).number_value(), -1);
}

TEST(Page, StringsStayStrings) {
  const std::string text = "</script>\n<!-- & \"quoted\" \\ \t";
  std::ostringstream out;
  WriteJsonString(text, out);
  EXPECT_EQ(out.str().find_first_of("<>&\n\t"), std::string::npos) << out.str();
  EXPECT_EQ(Parse("{\"s\":" + out.str() + "}").fields().at("s").string_value(), text);
}

TEST(Page, BytesBeyondAsciiAreNamed) {
  std::ostringstream out;
  WriteJsonString("k\xff\x01\x7f", out);
  EXPECT_EQ(Parse("{\"s\":" + out.str() + "}").fields().at("s").string_value(), "k\\xff\x01\\x7f");
}

TEST(Page, NoTextLeavesItsScript) {
  Record record = SyntheticRecord(3, 10);
  const size_t scripts = CountOf(PageOf(record), "</script");
  record.replay = record.name = record.operations[0].what = "</script><script>alert(1)</script>";
  EXPECT_EQ(CountOf(PageOf(record), "</script"), scripts);
}

TEST(Page, SameRecordSameBytes) {
  EXPECT_EQ(PageOf(SyntheticRecord(5, 300)), PageOf(SyntheticRecord(5, 300)));
}

TEST(Page, EveryMarkIsReplacedAndNothingIsFetched) {
  const std::string page = PageOf(SyntheticRecord(3, 10));
  for (const char* mark :
       {"{{style}}", "{{run}}", "{{script}}", "http:", "https:", "src=", "url("}) {
    EXPECT_EQ(page.find(mark), std::string::npos) << mark;
  }
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(Page, FiveThousandMessagesTakeLessThanTwoMegabytes) {
  EXPECT_LT(PageOf(SyntheticRecord(7, 5000)).size(), 2000000u);
}

}  // namespace
}  // namespace flaredb::sim
