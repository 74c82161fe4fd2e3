// SPDX-License-Identifier: Apache-2.0
#include "net/wire/text_view.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace flaredb::net {
namespace {

// Not page_token: it is nothing that a person writes, and no UTF-8.
constexpr std::array<std::string_view, 6> kTexts = {"key",    "value",     "current_value",
                                                    "prefix", "start_key", "end_key"};

bool IsText(std::string_view field) {
  return std::find(kTexts.begin(), kTexts.end(), field) != kTexts.end();
}

}  // namespace

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;

void ShowAsText(FileDescriptorProto* file) {
  if (file->package() != "kvrpc") return;
  for (DescriptorProto& message : *file->mutable_message_type()) {
    for (FieldDescriptorProto& field : *message.mutable_field()) {
      if (field.type() == FieldDescriptorProto::TYPE_BYTES && IsText(field.name())) {
        field.set_type(FieldDescriptorProto::TYPE_STRING);
      }
    }
  }
}

}  // namespace flaredb::net
