// SPDX-License-Identifier: Apache-2.0
#include "sim/world/failing_rows.h"

#include <utility>

#include "absl/status/status.h"
#include "core/kv/key.h"

namespace flaredb::sim {
namespace {

absl::Status Lost() { return absl::DataLossError("the disk can't read this row any more"); }

// What a user's own machine writes may be anything.
bool IsRecord(std::string_view key) {
  const std::optional<kv::DecodedKey> decoded = kv::DecodeKey(key);
  return decoded && decoded->ns != kv::NamespaceId::kMachine;
}

}  // namespace

bool FailingRows::State::Takes(RowDefect defect) {
  if (next != defect) return false;
  failed = std::exchange(next, RowDefect::kNone);
  return true;
}

class FailingRows::Pinned : public DataReader {
 public:
  Pinned(std::unique_ptr<DataReader> base, std::shared_ptr<State> state)
      : base_(std::move(base)), state_(std::move(state)) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    if (state_->Takes(RowDefect::kLost)) return Lost();
    return base_->Get(key);
  }
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override {
    if (state_->Takes(RowDefect::kLost)) return Lost();
    return base_->Scan(begin, end, visit);
  }

 private:
  const std::unique_ptr<DataReader> base_;
  const std::shared_ptr<State> state_;
};

absl::StatusOr<std::optional<std::string>> FailingRows::Get(std::string_view key) const {
  if (state_->Takes(RowDefect::kLost)) return Lost();
  absl::StatusOr<std::optional<std::string>> value = base_->Get(key);
  if (value.ok() && value->has_value() && IsRecord(key) && state_->Takes(RowDefect::kStrange)) {
    (**value)[0] = '\xff';
  }
  return value;
}

absl::Status FailingRows::Scan(
    std::string_view begin, std::string_view end,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const {
  if (state_->next == RowDefect::kNone) return base_->Scan(begin, end, visit);
  bool lost = false;
  const absl::Status status =
      base_->Scan(begin, end, [&](std::string_view key, std::string_view value) {
        lost = state_->Takes(RowDefect::kLost);
        if (lost) return false;
        if (!IsRecord(key) || !state_->Takes(RowDefect::kStrange)) return visit(key, value);
        std::string strange(value);
        strange[0] = '\xff';
        return visit(key, strange);
      });
  return lost ? Lost() : status;
}

std::unique_ptr<DataReader> FailingRows::Pin() const {
  return std::make_unique<Pinned>(base_->Pin(), state_);
}

}  // namespace flaredb::sim
