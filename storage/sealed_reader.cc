// SPDX-License-Identifier: Apache-2.0
#include "storage/sealed_reader.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/record_codec.h"
#include "storage/rocks_error.h"
#include "storage/slices.h"

namespace flaredb::storage {

absl::StatusOr<std::optional<std::string>> SealedReader::Get(std::string_view key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status s =
      folder_.db().Get({}, folder_.family(Family::kData), ToSlice(key), &value);
  if (s.IsNotFound()) return std::nullopt;
  if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("reading the data of key ", Hex(key)));
  const absl::StatusOr<std::string_view> body = Unseal(Family::kData, key, FromSlice(value));
  if (!body.ok()) return body.status();
  return std::string(*body);
}

absl::Status SealedReader::Scan(
    std::string_view begin, std::string_view end,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice upper = ToSlice(end);
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(
      folder_.db().NewIterator(options, folder_.family(Family::kData)));
  for (it->Seek(ToSlice(begin)); it->Valid(); it->Next()) {
    const std::string_view key = FromSlice(it->key());
    const absl::StatusOr<std::string_view> body =
        Unseal(Family::kData, key, FromSlice(it->value()));
    if (!body.ok()) return body.status();
    if (!visit(key, *body)) return absl::OkStatus();
  }
  if (!it->status().ok()) {
    return ErrorFromRocks(it->status(), absl::StrCat("scanning the data from key ", Hex(begin)));
  }
  return absl::OkStatus();
}

}  // namespace flaredb::storage
