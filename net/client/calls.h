// SPDX-License-Identifier: Apache-2.0
// Calls with protocol buffers for requests and replies.
#ifndef FLAREDB_NET_CLIENT_CALLS_H_
#define FLAREDB_NET_CLIENT_CALLS_H_

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/time.h"
#include "net/client/attempts.h"
#include "net/client/client.h"
#include "net/client/leaders.h"
#include "net/client/result.h"

namespace flaredb::client {

template <typename Message>
std::string NotA() {
  return "the store's reply is not a valid " + Message().GetTypeName() +
         ": use the same version of the program everywhere";
}

// Attempts::Read.
template <typename Response, typename Request>
Result<Response> Read(Attempts* attempts, std::string_view method, const Request& request,
                      Duration timeout, const Place* place = nullptr) {
  Result<std::string> reply = attempts->Read(method, request.SerializeAsString(), timeout, place);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  Response response;
  if (!response.ParseFromString(std::get<std::string>(reply))) {
    return Error{Error::kRefused, NotA<Response>()};
  }
  return response;
}

// `Request`: of either mode.
template <typename Request>
Request ScanRequestOf(const KeyRange& range, const ScanOptions& options) {
  Request request;
  request.set_start_key(range.begin);
  request.set_end_key(range.end);
  request.set_namespace_(options.ns);
  request.set_limit(options.limit);
  request.set_keys_only(options.keys_only);
  request.set_page_token(options.page_token);
  return request;
}

// What a write was answered with.
template <typename Response>
std::variant<Response, Unknown, Error> ParseWriteReply(Attempts::WriteReply reply) {
  if (auto* unknown = std::get_if<Unknown>(&reply)) return std::move(*unknown);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  Response response;
  if (!response.ParseFromString(std::get<std::string>(reply))) {
    return Unknown{{}, NotA<Response>()};
  }
  return response;
}

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_CALLS_H_
