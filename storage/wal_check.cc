// SPDX-License-Identifier: Apache-2.0
#include "storage/wal_check.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

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

uint32_t MaskedCrc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = MakeCrcTable();
  uint32_t crc = ~uint32_t{0};
  for (char c : bytes) crc = kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

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

// Whether some sector of the file reads as zeros within [begin, end of file). Shorter pieces than
// 16 bytes at either end don't count: those can be zeros by chance.
bool SectorMissing(std::string_view content, size_t begin) {
  constexpr size_t kPieceMin = 16;
  while (begin < content.size()) {
    const size_t end = std::min(content.size(), begin - begin % kSector + kSector);
    const std::string_view piece = content.substr(begin, end - begin);
    if (piece.size() >= kPieceMin && piece.find_first_not_of('\0') == std::string_view::npos) {
      return true;
    }
    begin = end;
  }
  return false;
}

}  // namespace

WalScan ScanWal(std::string_view content) {
  WalScan scan;
  const auto end_with = [&scan](WalEnd end) {
    scan.end = end;
    return scan;
  };
  // The batch that a bad fragment at `at` belongs to starts at scan.good_bytes.
  const auto judge_rest = [&](size_t at) {
    const bool nothing_there =
        content.find_first_not_of('\0', scan.good_bytes) == std::string_view::npos;
    if (nothing_there) return WalEnd::kTorn;
    if (BatchStartsAfter(content, at + 1)) return WalEnd::kDamaged;
    return SectorMissing(content, scan.good_bytes) ? WalEnd::kTorn : WalEnd::kDamaged;
  };

  bool within_batch = false;
  std::string batch_header;  // As much of it as was seen: a block may end within.
  for (size_t at = 0;;) {
    at = SkipBlockTail(at);
    if (at >= content.size()) return end_with(within_batch ? WalEnd::kShort : WalEnd::kWhole);
    const Verdict verdict = JudgeFragment(content, at);
    if (verdict == Verdict::kShort) {
      return end_with(BatchStartsAfter(content, at + 1) ? WalEnd::kDamaged : WalEnd::kShort);
    }
    // Sectors that are missing make a length smaller, never larger.
    if (verdict == Verdict::kLengthWrong) return end_with(WalEnd::kDamaged);
    if (verdict == Verdict::kBad) return end_with(judge_rest(at));

    const Header header = HeaderAt(content, at);
    const bool starts = header.type == kFull || header.type == kFirst;
    const bool ends = header.type == kFull || header.type == kLast;
    // Valid fragments in an impossible order: one between them was lost.
    if (starts == within_batch) return end_with(judge_rest(at));
    if (starts) batch_header.clear();
    const size_t wanted = std::min(kBatchHeader - batch_header.size(), header.length);
    batch_header.append(content.substr(at + kHeader, wanted));
    at += kHeader + header.length;
    within_batch = !ends;
    if (ends) {
      if (batch_header.size() < kBatchHeader) return end_with(WalEnd::kDamaged);
      const uint64_t sequence = LoadLe(std::string_view(batch_header).substr(0, 8));
      const uint64_t count = LoadLe(std::string_view(batch_header).substr(8));
      if (scan.batches == 0) scan.first_sequence = sequence;
      scan.next_sequence = sequence + count;
      scan.good_bytes = at;
      ++scan.batches;
    }
  }
}

absl::StatusOr<WalTail> CheckWal(rocksdb::Env* env, const std::string& folder) {
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
  // The last log that did not end whole, unless a later one went on behind it.
  WalScan interrupted;
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
    const WalScan scan = ScanWal(content);
    if (scan.end == WalEnd::kDamaged) return damaged(name, scan.good_bytes);
    // An earlier start found the interrupted end and went on behind it in this file: then the
    // numbers join. Otherwise something acknowledged is missing between them.
    if (interrupted.end != WalEnd::kWhole && scan.batches > 0) {
      if (interrupted.batches > 0 && scan.first_sequence != interrupted.next_sequence) {
        return damaged(interrupted_name, interrupted.good_bytes);
      }
      interrupted = {};
      tail = WalTail::kWhole;
    }
    if (scan.end != WalEnd::kWhole) {
      interrupted = scan;
      interrupted_name = name;
      if (scan.end == WalEnd::kTorn) tail = WalTail::kTorn;
    }
  }
  return tail;
}

}  // namespace flaredb::storage
