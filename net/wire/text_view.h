// SPDX-License-Identifier: Apache-2.0
// Keys and values as text, for people who call the API by reflection.
#ifndef FLAREDB_NET_WIRE_TEXT_VIEW_H_
#define FLAREDB_NET_WIRE_TEXT_VIEW_H_

namespace google::protobuf {
class FileDescriptorProto;
}  // namespace google::protobuf

namespace flaredb::net {

// Shows the fields of kvrpc that hold keys, their prefixes and ends, and values as `string`; leaves
// other files as they are. Both types are the same bytes on the wire. But a JSON client reads a
// `bytes` field as base64, so that of "key":"a" it makes an error and of "key":"test", without a
// word, three other bytes. The price: such a client can't show a key or value that is no UTF-8.
void ShowAsText(google::protobuf::FileDescriptorProto* file);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_TEXT_VIEW_H_
