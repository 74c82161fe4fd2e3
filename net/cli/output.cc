// SPDX-License-Identifier: Apache-2.0
#include "net/cli/output.h"

#include <nlohmann/json.hpp>

#include "net/cli/text.h"

namespace flaredb::net {
namespace {

using Json = nlohmann::ordered_json;

// Bytes that are no UTF-8 come out as other characters.
std::string DumpLossy(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsUtf8(const std::string& bytes) { return Json::parse(DumpLossy(bytes)) == bytes; }

void AddBytes(const OutputStyle& style, const std::string& name, const std::string& bytes,
              Json* object) {
  if (style.encoding != Encoding::kNone || IsUtf8(bytes)) {
    (*object)[name] = Encode(style.encoding, bytes);
  } else {
    (*object)[name + "_base64"] = Encode(Encoding::kBase64, bytes);
  }
}

std::string Line(const Json& object) { return DumpLossy(object) + "\n"; }

// A value alone, which may have lines of its own.
std::string Alone(const OutputStyle& style, const std::string& value) {
  const std::string text = Encode(style.encoding, value);
  if (style.format == Format::kTable) return EscapeText(text) + "\n";
  return style.encoding == Encoding::kNone ? text : text + "\n";
}

std::string Field(const OutputStyle& style, const std::string& bytes) {
  const std::string text = Encode(style.encoding, bytes);
  return style.format == Format::kTable ? Escape(text) : text;
}

}  // namespace

std::string FormatValue(const OutputStyle& style, const client::Row& row, bool with_version) {
  if (style.format == Format::kJson) {
    Json object = {{"found", true}};
    AddBytes(style, "key", row.key, &object);
    object["version"] = row.version;
    AddBytes(style, "value", row.value, &object);
    return Line(object);
  }
  return (with_version ? std::to_string(row.version) + "\t" : "") + Alone(style, row.value);
}

std::string FormatNotFound(const OutputStyle& style, std::string_view key) {
  if (style.format != Format::kJson) return "";
  Json object = {{"found", false}};
  AddBytes(style, "key", std::string(key), &object);
  return Line(object);
}

std::string FormatRow(const OutputStyle& style, const client::Row& row, bool keys_only) {
  if (style.format == Format::kJson) {
    Json object = Json::object();
    AddBytes(style, "key", row.key, &object);
    object["version"] = row.version;
    if (!keys_only) AddBytes(style, "value", row.value, &object);
    return Line(object);
  }
  std::string text = Field(style, row.key);
  if (!keys_only) text += "\t" + std::to_string(row.version) + "\t" + Field(style, row.value);
  return text + "\n";
}

std::string FormatApplied(const OutputStyle& style, const client::Applied& applied, bool deletes) {
  switch (style.format) {
    case Format::kTable:
      return deletes ? "deleted\n" : "version " + std::to_string(applied.version) + "\n";
    case Format::kJson:
      return Line({{"outcome", "applied"}, {"version", applied.version}});
    case Format::kRaw:
      return deletes ? "" : std::to_string(applied.version) + "\n";
  }
  return "";
}

std::string FormatMismatch(const OutputStyle& style, const client::Mismatch& mismatch) {
  if (style.format != Format::kJson) return "";
  return Line({{"outcome", "mismatch"}, {"version", mismatch.version}});
}

std::string FormatUnknown(const OutputStyle& style, const client::Unknown& unknown) {
  if (style.format != Format::kJson) return "";
  return Line({{"outcome", "unknown"}, {"request_id", client::ToString(unknown.id)}});
}

std::string FormatValue(const OutputStyle& style, const client::RawRow& row) {
  if (style.format == Format::kJson) {
    Json object = {{"found", true}};
    AddBytes(style, "key", row.key, &object);
    object["hlc"] = row.hlc;
    AddBytes(style, "value", row.value, &object);
    return Line(object);
  }
  return Alone(style, row.value);
}

std::string FormatRow(const OutputStyle& style, const client::RawRow& row, bool keys_only) {
  if (style.format == Format::kJson) {
    Json object = Json::object();
    AddBytes(style, "key", row.key, &object);
    object["hlc"] = row.hlc;
    if (!keys_only) AddBytes(style, "value", row.value, &object);
    return Line(object);
  }
  return Field(style, row.key) + (keys_only ? "" : "\t" + Field(style, row.value)) + "\n";
}

std::string FormatAccepted(const OutputStyle& style, const client::Accepted& accepted) {
  switch (style.format) {
    case Format::kTable:
      return "accepted\n";
    case Format::kJson:
      return Line({{"outcome", "accepted"}, {"hlc", accepted.hlc}});
    case Format::kRaw:
      return std::to_string(accepted.hlc) + "\n";
  }
  return "";
}

std::string FormatNamespace(const OutputStyle& style, const client::NamespaceInfo& ns) {
  switch (style.format) {
    case Format::kTable:
      return Escape(ns.name) + "\t" + ns.mode + "\t" +
             (ns.state == ns.mode ? "" : ns.state + "\t") +
             (ns.mode_epoch == 0 ? "would be created" : "epoch " + std::to_string(ns.mode_epoch)) +
             (ns.from_default ? "\tby default" : "") + "\n";
    case Format::kJson:
      return Line({{"namespace", ns.name},
                   {"mode", ns.mode},
                   {"state", ns.state},
                   {"mode_epoch", ns.mode_epoch},
                   {"from_default", ns.from_default}});
    case Format::kRaw:
      return ns.mode + "\n";
  }
  return "";
}

std::string FormatListed(const OutputStyle& style, const client::NamespaceInfo& ns) {
  return style.format == Format::kRaw ? ns.name + "\n" : FormatNamespace(style, ns);
}

std::string FormatChanged(const OutputStyle& style, const client::ModeChanged& changed) {
  if (style.format != Format::kJson) {
    std::string text = FormatNamespace(style, changed.ns);
    if (style.format == Format::kTable) {
      for (const std::string& sentence : changed.waiting_for) text += Escape(sentence) + "\n";
    }
    return text;
  }
  Json object = Json::parse(FormatNamespace(style, changed.ns));
  object["waiting_for"] = changed.waiting_for;
  if (!changed.stores.empty()) object["stores"] = changed.stores;
  if (!changed.regions.empty()) object["regions"] = changed.regions;
  return Line(object);
}

std::string_view NameOf(client::StoreState state) {
  switch (state) {
    case client::StoreState::kUp:
      return "up";
    case client::StoreState::kDraining:
      return "draining";
    case client::StoreState::kLost:
      return "lost";
    case client::StoreState::kRemoved:
      return "removed";
    case client::StoreState::kDrained:
      return "drained";
  }
  return "of a newer release";
}

std::string FormatStore(const OutputStyle& style, const StoreRow& row) {
  const std::string state(NameOf(row.store.state));
  switch (style.format) {
    case Format::kTable:
      return "store " + std::to_string(row.store.id) + "\t" + Escape(row.store.address) + "\t" +
             state + "\treplicas " + std::to_string(row.replicas) + "\tleads " +
             std::to_string(row.leads) + "\tanswers " + (row.answers ? "yes" : "no") + "\n";
    case Format::kJson:
      return Line({{"store", row.store.id},
                   {"address", row.store.address},
                   {"state", state},
                   {"replicas", row.replicas},
                   {"leads", row.leads},
                   {"answers", row.answers},
                   {"cluster_waits_for", row.cluster_waits_for}});
    case Format::kRaw:
      return std::to_string(row.store.id) + "\n";
  }
  return "";
}

}  // namespace flaredb::net
