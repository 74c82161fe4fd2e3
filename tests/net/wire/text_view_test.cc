// SPDX-License-Identifier: Apache-2.0
#include "net/wire/text_view.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proto/errorpb.pb.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::DynamicMessageFactory;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Message;

// What a client that got the files in the text view makes of kvrpc.
class TextView : public testing::Test {
 protected:
  TextView() { Add(kvrpc::CasRequest::descriptor()->file()); }

  void Add(const FileDescriptor* file) {
    for (int i = 0; i < file->dependency_count(); ++i) Add(file->dependency(i));
    FileDescriptorProto proto;
    file->CopyTo(&proto);
    ShowAsText(&proto);
    EXPECT_NE(pool_.BuildFile(proto), nullptr);
  }
  const Descriptor* Type(const std::string& name) const {
    const Descriptor* type = pool_.FindMessageTypeByName(name);
    EXPECT_NE(type, nullptr) << name;
    return type;
  }

  DescriptorPool pool_;
};

TEST_F(TextView, AKeyInJsonIsTheKeyThatTheServerGets) {
  DynamicMessageFactory factory(&pool_);
  std::unique_ptr<Message> request(factory.GetPrototype(Type("kvrpc.CasRequest"))->New());
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(
          R"({"namespace":"default","key":"test","value":"b","expected_version":0})", request.get())
          .ok());
  kvrpc::CasRequest got;
  ASSERT_TRUE(got.ParseFromString(request->SerializeAsString()));
  EXPECT_EQ(got.key(), "test");
  EXPECT_EQ(got.value(), "b");
}

TEST_F(TextView, EveryFieldThatHoldsKeysOrValuesIsTextAndNoOtherChanges) {
  const FileDescriptor* compiled = kvrpc::CasRequest::descriptor()->file();
  std::vector<std::string> bytes;
  for (int i = 0; i < compiled->message_type_count(); ++i) {
    const Descriptor* type = compiled->message_type(i);
    const Descriptor* shown = Type(type->full_name());
    ASSERT_EQ(shown->field_count(), type->field_count());
    for (int j = 0; j < type->field_count(); ++j) {
      const FieldDescriptor* field = type->field(j);
      if (field->type() != FieldDescriptor::TYPE_BYTES) {
        EXPECT_EQ(shown->field(j)->type(), field->type()) << field->full_name();
      } else if (shown->field(j)->type() == FieldDescriptor::TYPE_BYTES) {
        bytes.push_back(field->name());
      }
    }
  }
  ASSERT_FALSE(bytes.empty());
  for (const std::string& name : bytes) EXPECT_TRUE(name.ends_with("page_token")) << name;
}

TEST_F(TextView, OtherFilesStayAsTheyAre) {
  FileDescriptorProto before;
  errorpb::Error::descriptor()->file()->CopyTo(&before);
  FileDescriptorProto after = before;
  ShowAsText(&after);
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
}

}  // namespace
}  // namespace flaredb::net
