// SPDX-License-Identifier: Apache-2.0
#include "core/kv/command.h"

#include <limits>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb::kv {

namespace {

constexpr uint8_t kFormat = 1;
enum Kind : uint8_t { kCompareAndSwap = 1, kCompareAndDelete = 2 };

// Everything but the key and value; no more than this.
constexpr size_t kFixedRoom = 64;

void PutNamespace(NamespaceId ns, ByteWriter* out) {
  INVARIANT(ns != NamespaceId::kNone);
  out->Varint(static_cast<uint32_t>(ns));
}

NamespaceId TakeNamespace(ByteReader* in) {
  const uint64_t ns = in->Varint();
  in->Require(ns != 0 && ns <= std::numeric_limits<uint32_t>::max(),
              "a namespace id has 32 bits and is not 0");
  return NamespaceId{static_cast<uint32_t>(ns)};
}

void PutRetry(const Retry& retry, ByteWriter* out) {
  out->U8(retry.id ? 1 : 0);
  if (retry.id) {
    out->U64(retry.id.client_hi);
    out->U64(retry.id.client_lo);
    out->Varint(retry.id.seq);
  }
  out->Varint(retry.seen_index.value());
}

Retry TakeRetry(ByteReader* in) {
  Retry retry;
  const uint8_t has_id = in->U8();
  in->Require(has_id <= 1, "a flag is 0 or 1");
  if (has_id == 1) {
    retry.id.client_hi = in->U64();
    retry.id.client_lo = in->U64();
    retry.id.seq = in->Varint();
    in->Require(static_cast<bool>(retry.id), "a request id is not all zero");
  }
  retry.seen_index = Index(in->Varint());
  return retry;
}

void Put(const CompareAndSwap& swap, ByteWriter* out) {
  out->U8(kCompareAndSwap);
  PutNamespace(swap.ns, out);
  PutRetry(swap.retry, out);
  out->Varint(swap.expected.value());
  out->Bytes(swap.key);
  out->Raw(swap.value);
}

void Put(const CompareAndDelete& erase, ByteWriter* out) {
  INVARIANT(erase.expected >= Version(1));
  out->U8(kCompareAndDelete);
  PutNamespace(erase.ns, out);
  PutRetry(erase.retry, out);
  out->Varint(erase.expected.value());
  out->Raw(erase.key);
}

CompareAndSwap TakeCompareAndSwap(ByteReader* in) {
  CompareAndSwap swap;
  swap.ns = TakeNamespace(in);
  swap.retry = TakeRetry(in);
  swap.expected = Version(in->Varint());
  swap.key = in->Bytes();
  swap.value = in->Rest();
  return swap;
}

CompareAndDelete TakeCompareAndDelete(ByteReader* in) {
  CompareAndDelete erase;
  erase.ns = TakeNamespace(in);
  erase.retry = TakeRetry(in);
  erase.expected = Version(in->Varint());
  in->Require(erase.expected >= Version(1), "a deletion expects a version of at least 1");
  erase.key = in->Rest();
  return erase;
}

size_t ValueSize(const CompareAndSwap& swap) { return swap.value.size(); }
size_t ValueSize(const CompareAndDelete&) { return 0; }

Command TakeCommand(ByteReader* in) {
  in->FormatVersion(kFormat);
  switch (in->U8()) {
    case kCompareAndSwap:
      return TakeCompareAndSwap(in);
    case kCompareAndDelete:
      return TakeCompareAndDelete(in);
  }
  in->Require(false, "the kind of command is known to this program");
  return {};
}

}  // namespace

std::string EncodeCommand(const Command& command) {
  return std::visit(
      [](const auto& c) {
        ByteWriter out(kFixedRoom + c.key.size() + ValueSize(c));
        out.U8(kFormat);
        Put(c, &out);
        return out.Take();
      },
      command);
}

absl::StatusOr<Command> DecodeCommand(std::string_view bytes) {
  ByteReader in(bytes);
  Command command = TakeCommand(&in);
  if (absl::Status status = in.Finish("a command"); !status.ok()) return status;
  return command;
}

}  // namespace flaredb::kv
