// SPDX-License-Identifier: Apache-2.0
// sample_page large|accused|lease|hostile FILE: a page that no healthy run makes.
//   large    seven nodes and 5,000 messages, with a violation
//   accused  a real run; two of its operations are said to contradict each other
//   lease    a lease that two promises should have borne
//   hostile  texts that would break out of the page
#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>

#include "sim/page/page.h"
#include "sim/simulation.h"
#include "sim/world/record.h"
#include "tests/sim/synthetic_record.h"

namespace flaredb::sim {
namespace {

Record Accused() {
  Record record;
  RunOptions options;
  options.record = &record;
  RunSeed(42, options);
  record.name = "seed 42";
  record.replay = "./bazelw run //:sim -- --seed=42";
  record.verdict = "history not linearizable";
  Record::Operation& first = record.operations[record.operations.size() / 2];
  Record::Operation& second = record.operations[record.operations.size() / 2 + 1];
  first.accused = second.accused = true;
  const Instant at =
      std::max(first.completed.value_or(first.invoked), second.completed.value_or(second.invoked));
  record.failure = Record::Failure{"LIN", "two operations contradict each other.", at, {0}};
  return record;
}

Record Lease() {
  Record record = SyntheticRecord(3, 300);
  for (Record::Operation& op : record.operations) op.accused = false;
  const Instant at = Instant() + Duration::Milliseconds(5400);
  record.failure = Record::Failure{
      "LEASE", "store 1 leads term 5 and holds its lease, but store 2 leads as well.", at, {0, 1}};
  record.promises = {{1, at - Duration::Milliseconds(450), at + Duration::Milliseconds(50)},
                     {2, at - Duration::Milliseconds(300), at + Duration::Milliseconds(200)}};
  return record;
}

Record Hostile() {
  constexpr const char* kText =
      "</script><!--<img src=x onerror=\"document.title='broken'\">&lt;\\\"\n";
  Record record = SyntheticRecord(3, 50);
  record.name = record.replay = record.verdict = kText;
  record.failure->sentence = record.failure->code = kText;
  for (Record::Message& message : record.messages) message.text = kText;
  for (Record::Event& event : record.events) event.kind = event.text = kText;
  for (Record::Fault& fault : record.faults) fault.kind = kText;
  for (Record::Chance& chance : record.chances) chance.kind = kText;
  for (Record::Operation& op : record.operations) op.what = op.answer = kText;
  record.operations[0].what = "\xff\xc0 cas \x01\x7f";
  return record;
}

int Main(const std::string& kind, const char* file) {
  std::ofstream out(file, std::ios::binary);
  if (kind == "large") {
    WritePage(SyntheticRecord(7, 5000), out);
  } else if (kind == "accused") {
    WritePage(Accused(), out);
  } else if (kind == "lease") {
    WritePage(Lease(), out);
  } else if (kind == "hostile") {
    WritePage(Hostile(), out);
  } else {
    std::cerr << "no such page: " << kind << "\n";
    return 2;
  }
  out.close();
  return out ? 0 : 1;
}

}  // namespace
}  // namespace flaredb::sim

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: sample_page large|accused|lease|hostile FILE\n";
    return 2;
  }
  return flaredb::sim::Main(argv[1], argv[2]);
}
