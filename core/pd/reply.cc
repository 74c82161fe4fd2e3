// SPDX-License-Identifier: Apache-2.0
#include "core/pd/reply.h"

#include "core/base/codec.h"
#include "core/pd/fields.h"

namespace flaredb::pd {

namespace {

constexpr uint8_t kFormat = 1;
enum Kind : uint8_t {
  kRefused = 1,
  kDone = 2,
  kIdRange = 3,
  kStoreInfo = 4,
  kNamespace = 5,
  kRegionInfo = 6,
  kClusterView = 7,
  kRegionPage = 8,
  kNamespacePage = 9,
};

template <typename T>
void PutList(const std::vector<T>& list, void (*put)(const T&, ByteWriter*), ByteWriter* out) {
  out->Varint(list.size());
  for (const T& element : list) put(element, out);
}

template <typename T>
std::vector<T> TakeList(T (*take)(ByteReader*), ByteReader* in) {
  std::vector<T> list;
  // Ends at the first defect, so a wrong count costs no more than the bytes that are there.
  for (uint64_t left = in->Varint(); in->ok() && left > 0; --left) list.push_back(take(in));
  return list;
}

void Put(const Refused& refused, ByteWriter* out) {
  out->U8(kRefused);
  out->U8(static_cast<uint8_t>(refused.reason));
  out->Varint(refused.about);
}

Refused TakeRefused(ByteReader* in) {
  const uint8_t reason = in->U8();
  in->Require(reason >= 1 && reason <= static_cast<uint8_t>(Refusal::kNoRegion),
              "the reason of a refusal is known to this program");
  return {Refusal{reason}, in->Varint()};
}

void Put(const Done&, ByteWriter* out) { out->U8(kDone); }

void Put(const IdRange& ids, ByteWriter* out) {
  out->U8(kIdRange);
  out->Varint(ids.first);
  out->Varint(ids.count);
}

void Put(const StoreInfo& store, ByteWriter* out) {
  out->U8(kStoreInfo);
  PutStoreInfo(store, out);
}

void Put(const Namespace& ns, ByteWriter* out) {
  out->U8(kNamespace);
  PutNamespace(ns, out);
}

void Put(const RegionInfo& info, ByteWriter* out) {
  out->U8(kRegionInfo);
  PutRegionInfo(info, out);
}

void Put(const ClusterView& view, ByteWriter* out) {
  out->U8(kClusterView);
  out->Varint(view.cluster.value());
  out->Varint(view.since.value());
  out->Varint(view.revision.value());
  PutList(view.stores, PutStoreInfo, out);
  PutList(view.namespaces, PutNamespace, out);
}

ClusterView TakeClusterView(ByteReader* in) {
  return {ClusterId(in->Varint()), Revision(in->Varint()), Revision(in->Varint()),
          TakeList(TakeStoreInfo, in), TakeList(TakeNamespace, in)};
}

void Put(const RegionPage& page, ByteWriter* out) {
  out->U8(kRegionPage);
  PutList(page.regions, PutRegionInfo, out);
  PutFlag(page.has_hole, out);
  out->Raw(page.next_key);
}

RegionPage TakeRegionPage(ByteReader* in) {
  return {TakeList(TakeRegionInfo, in), TakeFlag(in), std::string(in->Rest())};
}

void Put(const NamespacePage& page, ByteWriter* out) {
  out->U8(kNamespacePage);
  PutList(page.namespaces, PutNamespace, out);
  PutFlag(page.more, out);
}

Reply TakeReply(ByteReader* in) {
  in->FormatVersion(kFormat);
  switch (in->U8()) {
    case kRefused:
      return TakeRefused(in);
    case kDone:
      return Done{};
    case kIdRange:
      return IdRange{in->Varint(), in->Varint()};
    case kStoreInfo:
      return TakeStoreInfo(in);
    case kNamespace:
      return TakeNamespace(in);
    case kRegionInfo:
      return TakeRegionInfo(in);
    case kClusterView:
      return TakeClusterView(in);
    case kRegionPage:
      return TakeRegionPage(in);
    case kNamespacePage:
      return NamespacePage{TakeList(TakeNamespace, in), TakeFlag(in)};
  }
  in->Require(false, "the kind of answer is known to this program");
  return {};
}

}  // namespace

FLAREDB_DEFINE_VARIANT(Reply)

std::string EncodeReply(const Reply& reply) {
  ByteWriter out;
  out.U8(kFormat);
  std::visit([&](const auto& r) { Put(r, &out); }, reply);
  return out.Take();
}

absl::StatusOr<Reply> DecodeReply(std::string_view bytes) {
  ByteReader in(bytes);
  Reply reply = TakeReply(&in);
  if (absl::Status status = in.Finish("an answer"); !status.ok()) return status;
  return reply;
}

}  // namespace flaredb::pd
