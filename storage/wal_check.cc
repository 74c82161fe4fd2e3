// SPDX-License-Identifier: Apache-2.0
#include "storage/wal_check.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/rocks_error.h"

namespace flaredb::storage {
namespace {

// RocksDB's log format (its wiki, "Write Ahead Log File Format"): blocks of 32 KiB, each a run of
// fragments with a header {masked CRC-32C of type and payload (4), payload length (2), type (1)},
// little-endian. A batch is one kFull fragment, or kFirst kMiddle* kLast; no fragment crosses a
// block, and what is too short for a header at the end of a block is zeros. The recyclable kinds
// are not used here (rocks_options: recycle_log_file_num stays 0).
constexpr size_t kBlock = 32768;
constexpr size_t kHeader = 7;
constexpr size_t kSector = 512;
enum Type : uint8_t { kZero = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };
// A batch starts with its sequence number (8) and its count of mutations (4).
constexpr size_t kBatchHeader = 12;

uint64_t LoadLe(std::string_view bytes) {
  uint64_t x = 0;
  for (size_t i = bytes.size(); i > 0; --i) x = x << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return x;
}

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t x = i;
    for (int bit = 0; bit < 8; ++bit) x = (x >> 1) ^ ((x & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = x;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

uint32_t Crc32c(std::string_view bytes) {
  uint32_t crc = ~uint32_t{0};
  for (char c : bytes) crc = kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

constexpr uint32_t kMask = 0xa282ead8u;
uint32_t Masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + kMask; }
uint32_t Unmasked(uint32_t masked) {
  const uint32_t turned = masked - kMask;
  return (turned >> 17) | (turned << 15);
}
uint32_t MaskedCrc32c(std::string_view bytes) { return Masked(Crc32c(bytes)); }

// The header at `at`, which must be inside `content`.
struct Header {
  uint32_t crc;
  size_t length;
  uint8_t type;
};
Header HeaderAt(std::string_view content, size_t at) {
  return {static_cast<uint32_t>(LoadLe(content.substr(at, 4))),
          static_cast<size_t>(LoadLe(content.substr(at + 4, 2))),
          static_cast<uint8_t>(content[at + 6])};
}

// Where the header of the next fragment lies, at or after `at`.
size_t SkipBlockTail(size_t at) {
  const size_t left = kBlock - at % kBlock;
  return left < kHeader ? at + left : at;
}

enum class Verdict { kGood, kShort, kLengthWrong, kBad };

// The fragment whose header starts at `at`.
Verdict JudgeFragment(std::string_view content, size_t at) {
  if (at + kHeader > content.size()) return Verdict::kShort;
  const Header header = HeaderAt(content, at);
  const size_t end = at + kHeader + header.length;
  if (end > content.size() && end <= at - at % kBlock + kBlock) {
    const bool fits = MaskedCrc32c(content.substr(at + kHeader - 1)) == header.crc;
    return fits ? Verdict::kLengthWrong : Verdict::kShort;
  }
  if (end > at - at % kBlock + kBlock) {
    // No writer makes a fragment that leaves its block.
    return Verdict::kLengthWrong;
  }
  if (header.type < kFull || header.type > kLast) return Verdict::kBad;
  const bool valid =
      MaskedCrc32c(content.substr(at + kHeader - 1, header.length + 1)) == header.crc;
  return valid ? Verdict::kGood : Verdict::kBad;
}

// Whether `bytes` have the checksum `wanted` once one of their bits is flipped. A flipped bit
// changes a CRC in a way that depends on its place only: the last byte's as the table says, an
// earlier one's as if zeros followed.
bool OneBitExplains(std::string_view bytes, uint32_t wanted) {
  const uint32_t wrong = Crc32c(bytes) ^ wanted;
  std::array<uint32_t, 8> change;
  for (uint32_t bit = 0; bit < 8; ++bit) change[bit] = kCrcTable[1u << bit];
  for (size_t left = bytes.size(); left > 0; --left) {
    for (uint32_t& c : change) {
      if (c == wrong) return true;
      c = kCrcTable[c & 0xff] ^ (c >> 8);
    }
  }
  return false;
}

// Whether the bad fragment at `at` is a good one with one flipped bit: in its checksum, its length,
// or what the checksum covers.
bool OneBitFlipped(std::string_view content, size_t at) {
  if (at + kHeader > content.size()) return false;
  const Header header = HeaderAt(content, at);
  const auto covered = [&](size_t length) { return content.substr(at + kHeader - 1, length + 1); };
  const auto inside = [&](size_t length) { return at + kHeader + length <= content.size(); };
  if (inside(header.length)) {
    const std::string_view bytes = covered(header.length);
    if (std::popcount(header.crc ^ MaskedCrc32c(bytes)) == 1) return true;
    if (OneBitExplains(bytes, Unmasked(header.crc))) return true;
  }
  for (uint32_t bit = 0; bit < 16; ++bit) {
    const size_t length = header.length ^ (size_t{1} << bit);
    if (inside(length) && MaskedCrc32c(covered(length)) == header.crc) return true;
  }
  return false;
}

// Whether the start of a valid batch lies anywhere at or after `at`.
bool BatchStartsAfter(std::string_view content, size_t at) {
  for (; at + kHeader <= content.size(); ++at) {
    const uint8_t type = static_cast<uint8_t>(content[at + 6]);
    if ((type == kFull || type == kFirst) && JudgeFragment(content, at) == Verdict::kGood) {
      return true;
    }
  }
  return false;
}

// Whether what lies of some sector within [begin, end of file) reads as zeros.
bool SectorMissing(std::string_view content, size_t begin) {
  while (begin < content.size()) {
    const size_t end = std::min(content.size(), begin - begin % kSector + kSector);
    if (content.substr(begin, end - begin).find_first_not_of('\0') == std::string_view::npos) {
      return true;
    }
    begin = end;
  }
  return false;
}

// Takes a varint off the front of `bytes`. nullopt when there is none.
std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t x = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    x |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return x;
  }
  return std::nullopt;
}

// The sequence number in a record of a manifest (RocksDB's VersionEdit): fields of a tag and a
// value. Those that may come before it are numbers and strings; 0 when it is not among them.
uint64_t LastSequenceOf(std::string_view edit) {
  enum Tag : uint64_t { kComparator = 1, kLastSequence = 4, kDatabaseId = 8193 };
  constexpr std::array<uint64_t, 5> kNumbers = {2, 3, 9, 10, 203};
  while (const std::optional<uint64_t> tag = TakeVarint(edit)) {
    const bool is_string = *tag == kComparator || *tag == kDatabaseId;
    const bool is_number = std::find(kNumbers.begin(), kNumbers.end(), *tag) != kNumbers.end();
    if (!is_string && !is_number && *tag != kLastSequence) return 0;
    const std::optional<uint64_t> value = TakeVarint(edit);
    if (!value) return 0;
    if (*tag == kLastSequence) return *value;
    if (is_string) edit.remove_prefix(std::min<uint64_t>(*value, edit.size()));
  }
  return 0;
}

struct Scan {
  LogEnd end;
  uint64_t good_bytes;  // Length of the prefix of whole, valid records.
};

// Calls `on_record` with the first kHeadBytes of each valid record; false from it says that the
// record cannot be one.
constexpr size_t kHeadBytes = 256;
Scan ScanRecords(std::string_view content, absl::FunctionRef<bool(std::string_view)> on_record) {
  Scan scan{LogEnd::kWhole, 0};
  const auto end_with = [&scan](LogEnd end) {
    scan.end = end;
    return scan;
  };
  // The batch that a bad fragment at `at` belongs to starts at scan.good_bytes.
  const auto judge_rest = [&](size_t at) {
    const bool nothing_there =
        content.find_first_not_of('\0', scan.good_bytes) == std::string_view::npos;
    if (nothing_there) return LogEnd::kTorn;
    if (BatchStartsAfter(content, at + 1) || OneBitFlipped(content, at)) return LogEnd::kDamaged;
    return SectorMissing(content, scan.good_bytes) ? LogEnd::kTorn : LogEnd::kDamaged;
  };

  bool within_batch = false;
  std::string head;  // Of the batch: a block may end within.
  for (size_t at = 0;;) {
    at = SkipBlockTail(at);
    if (at >= content.size()) return end_with(within_batch ? LogEnd::kShort : LogEnd::kWhole);
    const Verdict verdict = JudgeFragment(content, at);
    if (verdict == Verdict::kShort) {
      return end_with(BatchStartsAfter(content, at + 1) ? LogEnd::kDamaged : LogEnd::kShort);
    }
    // Sectors that are missing make a length smaller, never larger.
    if (verdict == Verdict::kLengthWrong) return end_with(LogEnd::kDamaged);
    if (verdict == Verdict::kBad) return end_with(judge_rest(at));

    const Header header = HeaderAt(content, at);
    const bool starts = header.type == kFull || header.type == kFirst;
    const bool ends = header.type == kFull || header.type == kLast;
    // Valid fragments in an impossible order: one between them was lost.
    if (starts == within_batch) return end_with(judge_rest(at));
    if (starts) head.clear();
    head.append(content.substr(at + kHeader, std::min(kHeadBytes - head.size(), header.length)));
    at += kHeader + header.length;
    within_batch = !ends;
    if (ends) {
      if (!on_record(head)) return end_with(LogEnd::kDamaged);
      scan.good_bytes = at;
    }
  }
}

}  // namespace

LogScan ScanWal(std::string_view content) {
  LogScan scan;
  const Scan records = ScanRecords(content, [&scan](std::string_view head) {
    if (head.size() < kBatchHeader) return false;
    const uint64_t sequence = LoadLe(head.substr(0, 8));
    if (scan.batches == 0) scan.first_sequence = sequence;
    scan.next_sequence = sequence + LoadLe(head.substr(8, 4));
    ++scan.batches;
    return true;
  });
  scan.end = records.end;
  scan.good_bytes = records.good_bytes;
  return scan;
}

ManifestScan ScanManifest(std::string_view content) {
  ManifestScan scan;
  const Scan records = ScanRecords(content, [&scan](std::string_view head) {
    scan.last_sequence = std::max(scan.last_sequence, LastSequenceOf(head));
    return true;
  });
  scan.end = records.end;
  scan.good_bytes = records.good_bytes;
  return scan;
}

absl::StatusOr<WalTail> CheckWal(rocksdb::Env* env, const std::string& folder, uint64_t flushed) {
  std::vector<std::string> names;
  if (rocksdb::Status s = env->GetChildren(folder, &names); !s.ok()) {
    return ErrorFromRocks(s, absl::StrCat("listing ", folder));
  }
  std::vector<std::pair<uint64_t, std::string>> logs;
  for (const std::string& name : names) {
    uint64_t number = 0;
    if (absl::EndsWith(name, ".log") &&
        absl::SimpleAtoi(absl::string_view(name).substr(0, name.size() - 4), &number)) {
      logs.emplace_back(number, absl::StrCat(folder, "/", name));
    }
  }
  std::sort(logs.begin(), logs.end());

  WalTail tail = WalTail::kWhole;
  uint64_t known = flushed;  // All writes up to this number are somewhere.
  // The last log that did not end whole, unless a later one went on behind it.
  LogScan interrupted;
  std::string interrupted_name;
  const auto damaged = [](const std::string& name, uint64_t offset) {
    return absl::DataLossError(
        absl::StrCat("the write-ahead log ", name, " is damaged at byte ", offset,
                     ", in writes that were acknowledged; do not start on this folder again, "
                     "restore the store from its other replicas"));
  };
  for (const auto& [number, name] : logs) {
    std::string content;
    if (rocksdb::Status s = rocksdb::ReadFileToString(env, name, &content); !s.ok()) {
      return ErrorFromRocks(s, absl::StrCat("reading ", name));
    }
    const LogScan scan = ScanWal(content);
    if (scan.end == LogEnd::kDamaged) return damaged(name, scan.good_bytes);
    if (scan.batches > 0) {
      if (scan.first_sequence > known + 1) {
        return absl::DataLossError(absl::StrCat(
            "the write-ahead log ", name, " begins with write ", scan.first_sequence,
            ", but the files before it end with write ", known,
            ": acknowledged writes are missing; do not start on this folder again, restore the "
            "store from its other replicas"));
      }
      known = std::max(known, scan.next_sequence - 1);
    }
    // An earlier start found the interrupted end and went on behind it in this file: then the
    // numbers join. Otherwise something acknowledged is missing between them. RocksDB will read the
    // interrupted end again, so `tail` stays what it is.
    if (interrupted.end != LogEnd::kWhole && scan.batches > 0) {
      if (interrupted.batches > 0 && scan.first_sequence != interrupted.next_sequence) {
        return damaged(interrupted_name, interrupted.good_bytes);
      }
      interrupted = {};
    }
    if (scan.end != LogEnd::kWhole) {
      interrupted = scan;
      interrupted_name = name;
      if (scan.end == LogEnd::kTorn) tail = WalTail::kTorn;
    }
  }
  return tail;
}

}  // namespace flaredb::storage
