// SPDX-License-Identifier: Apache-2.0
#include "net/access/tokens.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "core/pd/namespaces.h"

namespace flaredb::net {
namespace {

constexpr std::string_view kAll = "*";
constexpr size_t kTokenNameBytesMax = 64;
// A hundred times what a thousand tokens need.
constexpr off_t kFileBytesMax = 16 << 20;

bool Has(const NamespaceNames& names, std::string_view ns) {
  return names.contains(ns) || names.contains(kAll);
}

// Reads the parsed file; the first mistake is kept, with its place.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  absl::StatusOr<std::vector<Token>> File(const toml::table& file) {
    for (const auto& [key, node] : file) {
      const toml::array* const entries = node.as_array();
      if (key.str() != "token" || entries == nullptr) {
        Wrong(key.source(), "only [[token]] entries may stand here");
        continue;
      }
      for (const toml::node& entry : *entries) Add(entry);
    }
    if (tokens_.empty() && status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat(
          path_,
          " has no tokens, so nobody could call the store: \"flaredb token new\" makes one"));
    }
    if (!status_.ok()) return status_;
    return std::move(tokens_);
  }

 private:
  void Wrong(const toml::source_region& at, std::string_view what) {
    if (!status_.ok()) return;
    status_ = absl::InvalidArgumentError(
        absl::StrCat(path_, ":", at.begin.line, ":", at.begin.column, ": ", ToAbsl(what)));
  }

  void Add(const toml::node& node) {
    const toml::table* const entry = node.as_table();
    if (entry == nullptr) return Wrong(node.source(), "a token is a table: write [[token]]");
    Token token;
    bool has_digest = false;
    for (const auto& [key, value] : *entry) {
      const std::string_view word = key.str();
      if (word == "name") {
        token.name = Name(value);
      } else if (word == "sha256") {
        token.sha256 = Digest(value);
        has_digest = true;
      } else if (word == "read") {
        token.rights.read = Namespaces(value);
      } else if (word == "write") {
        token.rights.write = Namespaces(value);
      } else if (word == "admin") {
        token.rights.admin = Switch(value);
      } else {
        Wrong(key.source(), "unknown key: a token has name, sha256, read, write and admin");
      }
    }
    if (token.name.empty()) Wrong(node.source(), "the token has no name: write name = \"...\"");
    if (!has_digest) {
      Wrong(node.source(), "the token has no sha256: \"flaredb token new\" writes one");
    }
    const TokenRights& rights = token.rights;
    if (rights.read.empty() && rights.write.empty() && !rights.admin) {
      Wrong(node.source(), "the token has no right: write read, write or admin, or take it out");
    }
    for (const Token& other : tokens_) {
      if (other.name == token.name) {
        Wrong(node.source(), "a token of this name stands above: choose another name");
      }
      if (other.sha256 == token.sha256) {
        Wrong(node.source(), "token \"" + other.name + "\" has the same sha256: make a new one");
      }
    }
    tokens_.push_back(std::move(token));
  }

  std::string Name(const toml::node& value) {
    std::string name = value.value_exact<std::string>().value_or("");
    if (!IsTokenName(name)) {
      Wrong(value.source(), "a token's name has 1 to 64 letters, digits, \".\", \"_\" and \"-\"");
    }
    return name;
  }

  Sha256 Digest(const toml::node& value) {
    const std::string text = value.value_exact<std::string>().value_or("");
    Sha256 digest{};
    const bool hex = std::all_of(text.begin(), text.end(),
                                 [](unsigned char c) { return std::isxdigit(c) != 0; });
    if (!hex || text.size() != 2 * digest.size()) {
      Wrong(value.source(), "sha256 is no digest: it has 64 hexadecimal digits");
      return digest;
    }
    const std::string bytes = absl::HexStringToBytes(text);
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
  }

  NamespaceNames Namespaces(const toml::node& value) {
    NamespaceNames names;
    const toml::array* const array = value.as_array();
    if (array == nullptr) {
      Wrong(value.source(), "this is no array of names: write [\"logs\"], or [\"*\"] for all");
      return names;
    }
    for (const toml::node& item : *array) {
      std::string name = item.value_exact<std::string>().value_or("");
      if (!pd::IsNamespaceName(name)) {
        Wrong(item.source(), "this is no name of a namespace, nor \"*\", which stands for all");
      }
      names.insert(std::move(name));
    }
    return names;
  }

  bool Switch(const toml::node& value) {
    const auto on = value.value_exact<bool>();
    if (!on.has_value()) Wrong(value.source(), "admin is neither true nor false");
    return on.value_or(false);
  }

  const std::string& path_;
  std::vector<Token> tokens_;
  absl::Status status_;
};

absl::Status Cannot(const char* act, const std::string& path, const char* why) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot ", act, " the tokens file ", path, ": ", why, "; check the path"));
}

// An open file that its owner alone may use.
class Descriptor {
 public:
  // A pipe must not keep the store waiting.
  Descriptor(const std::string& path, int flags)
      : path_(path), fd_(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // All of it.
  absl::StatusOr<std::string> Read() const {
    struct stat info {};
    if (fd_ < 0 || fstat(fd_, &info) != 0) return Cannot("read", path_, std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return Cannot("read", path_, "it is no regular file");
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("others than its owner may use the tokens file ", path_,
                       ": say \"chmod 600 ", path_, "\""));
    }
    if (info.st_size > kFileBytesMax) return Cannot("read", path_, "it is larger than 16 MiB");
    std::string content(static_cast<size_t>(info.st_size), '\0');
    size_t size = 0;
    while (size < content.size()) {
      const ssize_t got = read(fd_, content.data() + size, content.size() - size);
      if (got < 0) return Cannot("read", path_, std::strerror(errno));
      if (got == 0) break;
      size += static_cast<size_t>(got);
    }
    content.resize(size);
    return content;
  }

  absl::Status Write(const std::string& text) const {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written == static_cast<ssize_t>(text.size())) return absl::OkStatus();
    return Cannot("write", path_, written < 0 ? std::strerror(errno) : "the disk is full");
  }

 private:
  const std::string& path_;
  const int fd_;
};

std::string FormatNames(const NamespaceNames& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? "\"" : ", \"";
    for (const char c : name) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return "[" + text + "]";
}

}  // namespace

bool TokenRights::MayRead(std::string_view ns) const { return Has(read, ns); }
bool TokenRights::MayWrite(std::string_view ns) const { return Has(write, ns); }

absl::StatusOr<TokenTable> TokenTable::Parse(const std::string& path, std::string_view content) {
  toml::table file;
  try {
    file = toml::parse(content, path);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return absl::InvalidArgumentError(absl::StrCat(path, ":", at.line, ":", at.column, ": ",
                                                   ToAbsl(std::string_view(error.description()))));
  }
  auto tokens = Reader(path).File(file);
  if (!tokens.ok()) return tokens.status();
  TokenTable table;
  table.tokens_ = *std::move(tokens);
  return table;
}

absl::StatusOr<TokenTable> TokenTable::Read(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  const auto content = file.Read();
  if (!content.ok()) return content.status();
  return Parse(path, *content);
}

absl::Status TokenTable::Append(const std::string& path, const Token& token) {
  const Descriptor file(path, O_RDWR | O_APPEND | O_CREAT);
  const auto content = file.Read();
  if (!content.ok()) return content.status();
  const std::string entry = (content->empty() ? "" : "\n") + FormatToken(token);
  if (auto all = Parse(path, *content + entry); !all.ok()) return all.status();
  return file.Write(entry);
}

const Token* TokenTable::Find(std::string_view secret) const {
  const Sha256 digest = Sha256Of(secret);
  const Token* found = nullptr;
  for (const Token& token : tokens_) {
    if (SameDigest(token.sha256, digest)) found = &token;
  }
  return found;
}

absl::StatusOr<std::string> DrawToken() {
  auto secret = DrawSecret();
  if (!secret.ok()) return secret.status();
  return "flaredb_" + *secret;
}

bool IsTokenName(std::string_view name) {
  return !name.empty() && name.size() <= kTokenNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

std::string FormatToken(const Token& token) {
  const absl::string_view digest(reinterpret_cast<const char*>(token.sha256.data()),
                                 token.sha256.size());
  std::string text = absl::StrCat("[[token]]\nname = \"", token.name, "\"\nsha256 = \"",
                                  absl::BytesToHexString(digest), "\"\n");
  const TokenRights& rights = token.rights;
  if (!rights.read.empty()) absl::StrAppend(&text, "read = ", FormatNames(rights.read), "\n");
  if (!rights.write.empty()) absl::StrAppend(&text, "write = ", FormatNames(rights.write), "\n");
  if (rights.admin) absl::StrAppend(&text, "admin = true\n");
  return text;
}

}  // namespace flaredb::net
