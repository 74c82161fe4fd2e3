// SPDX-License-Identifier: Apache-2.0
// The tokens file of a store: who its clients are, and what each may do. The file has the SHA-256
// of a token, never the token.
//
//   [[token]]
//   name = "web"                 # in logs and errors
//   sha256 = "4f7c..."           # of the token
//   read = ["catalog", "logs"]   # names of namespaces; ["*"] is all of them
//   write = ["logs"]             # does not mean that it may read
//   admin = false                # stores, regions and modes; neither reads nor writes keys
#ifndef FLAREDB_NET_ACCESS_TOKENS_H_
#define FLAREDB_NET_ACCESS_TOKENS_H_

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "net/tls/secret.h"

namespace flaredb::net {

// "*" is every namespace, also those that come later.
using NamespaceNames = std::set<std::string, std::less<>>;

struct TokenRights {
  NamespaceNames read;
  NamespaceNames write;
  bool admin = false;

  bool MayRead(std::string_view ns) const;
  bool MayWrite(std::string_view ns) const;
};

struct Token {
  std::string name;
  Sha256 sha256{};
  TokenRights rights;
};

class TokenTable {
 public:
  // INVALID_ARGUMENT, one sentence: the file can't be read, may be read by others than its owner,
  // or has a mistake, which is told with its line and column.
  static absl::StatusOr<TokenTable> Read(const std::string& path);
  // The same for the content of a file.
  static absl::StatusOr<TokenTable> Parse(const std::string& path, std::string_view content);
  // Writes the entry at the end of the file, and makes one that its owner alone may use if there is
  // none. As Read; also if the token is none, or has the name of another one.
  static absl::Status Append(const std::string& path, const Token& token);

  // Whose token `secret` is; nullptr: nobody's. Compares with all of them, each in constant time.
  const Token* Find(std::string_view secret) const;
  size_t size() const { return tokens_.size(); }

 private:
  std::vector<Token> tokens_;
};

// A new token. It begins with "flaredb_", so that people and scanners know what they found.
absl::StatusOr<std::string> DrawToken();

// 1 to 64 letters, digits and ".", "_", "-".
bool IsTokenName(std::string_view name);

// What a tokens file is to say about the token.
std::string FormatToken(const Token& token);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ACCESS_TOKENS_H_
