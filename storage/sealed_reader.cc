// SPDX-License-Identifier: Apache-2.0
#include "storage/sealed_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/snapshot.h"
#include "storage/record_codec.h"
#include "storage/rocks_error.h"
#include "storage/slices.h"

namespace flaredb::storage {
namespace {

using Visit = absl::FunctionRef<bool(std::string_view key, std::string_view value)>;

absl::StatusOr<std::optional<std::string>> GetSealed(const OpenedFolder& folder,
                                                     const rocksdb::ReadOptions& options,
                                                     std::string_view key) {
  rocksdb::PinnableSlice value;
  const rocksdb::Status s =
      folder.db().Get(options, folder.family(Family::kData), ToSlice(key), &value);
  if (s.IsNotFound()) return std::nullopt;
  if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("reading the data of key ", Hex(key)));
  const absl::StatusOr<std::string_view> body = Unseal(Family::kData, key, FromSlice(value));
  if (!body.ok()) return body.status();
  return std::string(*body);
}

absl::Status ScanSealed(const OpenedFolder& folder, rocksdb::ReadOptions options,
                        std::string_view begin, std::string_view end, Visit visit) {
  const rocksdb::Slice upper = ToSlice(end);
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(
      folder.db().NewIterator(options, folder.family(Family::kData)));
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

class PinnedReader final : public DataReader {
 public:
  explicit PinnedReader(const OpenedFolder& folder) : folder_(folder), snapshot_(&folder.db()) {
    options_.snapshot = snapshot_.snapshot();
    // A snapshot of the whole data is read once and in order: not worth room in the block cache.
    options_.fill_cache = false;
  }

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    return GetSealed(folder_, options_, key);
  }
  absl::Status Scan(std::string_view begin, std::string_view end, Visit visit) const override {
    return ScanSealed(folder_, options_, begin, end, visit);
  }

 private:
  const OpenedFolder& folder_;
  rocksdb::ManagedSnapshot snapshot_;
  rocksdb::ReadOptions options_;
};

}  // namespace

absl::StatusOr<std::optional<std::string>> SealedReader::Get(std::string_view key) const {
  return GetSealed(folder_, {}, key);
}

absl::Status SealedReader::Scan(std::string_view begin, std::string_view end, Visit visit) const {
  return ScanSealed(folder_, {}, begin, end, visit);
}

std::unique_ptr<DataReader> SealedReader::Pin() const {
  return std::make_unique<PinnedReader>(folder_);
}

}  // namespace flaredb::storage
