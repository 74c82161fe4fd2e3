// SPDX-License-Identifier: Apache-2.0
#include "sim/page/record_json.h"

#include <cstdint>
#include <string>

namespace flaredb::sim {
namespace {

constexpr int64_t kNever = -1;

int64_t Number(Instant t) { return t.nanoseconds(); }

// A JSON array of numbers and strings on one line.
class Row {
 public:
  explicit Row(std::ostream* out) : out_(*out) { out_ << '['; }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;
  ~Row() { out_ << ']'; }

  Row& Add(uint64_t number) {
    Separate();
    out_ << number;
    return *this;
  }
  Row& AddTime(int64_t nanoseconds) {
    Separate();
    out_ << nanoseconds;
    return *this;
  }
  Row& Add(std::string_view text) {
    Separate();
    WriteJsonString(text, out_);
    return *this;
  }
  Row& Add(const std::vector<uint32_t>& numbers) {
    Separate();
    WriteNumbers(numbers, out_);
    return *this;
  }
  static void WriteNumbers(const std::vector<uint32_t>& numbers, std::ostream& out) {
    Row row(&out);
    for (const uint32_t number : numbers) row.Add(uint64_t{number});
  }

 private:
  void Separate() {
    if (!first_) out_ << ',';
    first_ = false;
  }

  std::ostream& out_;
  bool first_ = true;
};

// A member of the object whose value is an array of rows.
template <typename List, typename WriteRow>
void WriteRows(const char* name, const List& list, std::ostream& out, WriteRow&& write_row) {
  out << ",\n\"" << name << "\":[";
  const char* separator = "\n";
  for (const auto& item : list) {
    out << separator;
    separator = ",\n";
    Row row(&out);
    write_row(item, &row);
  }
  out << ']';
}

void WriteFailure(const std::optional<Record::Failure>& failure, std::ostream& out) {
  out << ",\n\"failure\":";
  if (!failure) {
    out << "null";
    return;
  }
  out << "{\"code\":";
  WriteJsonString(failure->code, out);
  out << ",\"sentence\":";
  WriteJsonString(failure->sentence, out);
  out << ",\"at\":" << Number(failure->at) << ",\"nodes\":";
  Row::WriteNumbers(failure->nodes, out);
  out << '}';
}

}  // namespace

void WriteJsonString(std::string_view text, std::ostream& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out << '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x7f) {
      out << "\\\\x" << kHex[byte >> 4] << kHex[byte & 15];
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      out << "\\u00" << kHex[byte >> 4] << kHex[byte & 15];
    } else {
      if (c == '"' || c == '\\') out << '\\';
      out << c;
    }
  }
  out << '"';
}

void WriteJson(const Record& record, std::ostream& out) {
  out << "{\"name\":";
  WriteJsonString(record.name, out);
  out << ",\n\"replay\":";
  WriteJsonString(record.replay, out);
  out << ",\n\"nodes\":" << record.nodes << ",\"clients\":" << record.clients
      << ",\"end\":" << Number(record.end) << ",\"messagesLeftOut\":" << record.messages_left_out;
  WriteFailure(record.failure, out);
  out << ",\n\"verdict\":";
  WriteJsonString(record.verdict, out);
  WriteRows("counts", record.counts, out,
            [](const auto& count, Row* row) { row->Add(count.first).Add(count.second); });
  WriteRows("phases", record.phases, out, [](const Record::Phase& phase, Row* row) {
    row->AddTime(Number(phase.from)).Add(phase.name);
  });
  WriteRows("faults", record.faults, out, [](const Record::Fault& fault, Row* row) {
    row->AddTime(Number(fault.from))
        .AddTime(fault.until == Instant::Max() ? kNever : Number(fault.until))
        .Add(fault.kind)
        .Add(fault.nodes);
  });
  WriteRows("chances", record.chances, out, [](const Record::Chance& chance, Row* row) {
    row->AddTime(Number(chance.at))
        .AddTime(chance.endpoint ? static_cast<int64_t>(*chance.endpoint) : kNever)
        .Add(chance.kind);
  });
  WriteRows("promises", record.promises, out, [](const Record::Promise& promise, Row* row) {
    row->Add(promise.node).AddTime(Number(promise.from)).AddTime(Number(promise.until));
  });
  WriteRows("events", record.events, out, [](const Record::Event& event, Row* row) {
    row->AddTime(Number(event.at))
        .AddTime(event.node ? static_cast<int64_t>(*event.node) : kNever)
        .Add(event.kind)
        .Add(event.text);
  });
  WriteRows("operations", record.operations, out, [](const Record::Operation& op, Row* row) {
    row->Add(op.slot)
        .Add(op.client)
        .AddTime(Number(op.invoked))
        .AddTime(op.completed ? Number(*op.completed) : kNever)
        .Add(static_cast<uint64_t>(op.outcome))
        .Add(op.attempts)
        .Add(static_cast<uint64_t>(op.accused))
        .Add(op.what)
        .Add(op.answer);
  });
  WriteRows("states", record.states, out, [](const Record::State& state, Row* row) {
    row->Add(state.node)
        .AddTime(Number(state.at))
        .Add(static_cast<uint64_t>(state.status))
        .Add(state.term.value())
        .Add(state.commit_index.value())
        .Add(state.last_index.value())
        .Add(state.durable_index.value())
        .Add(state.applied_index.value());
  });
  WriteRows("messages", record.messages, out, [](const Record::Message& message, Row* row) {
    row->Add(message.from)
        .Add(message.to)
        .AddTime(Number(message.sent))
        .AddTime(message.fate == Record::Fate::kUnderWay ? kNever : Number(message.end))
        .Add(static_cast<uint64_t>(message.fate))
        .Add(static_cast<uint64_t>(message.copy))
        .Add(static_cast<uint64_t>(message.kind))
        .Add(message.text);
  });
  out << "}\n";
}

}  // namespace flaredb::sim
