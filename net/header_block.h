// SPDX-License-Identifier: Apache-2.0
// A list of HTTP headers in one allocation.
#ifndef FLAREDB_NET_HEADER_BLOCK_H_
#define FLAREDB_NET_HEADER_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flaredb::net {

struct Header {
  std::string_view name;   // Lower case.
  std::string_view value;  // Any bytes but CR, LF, NUL.
};

// Keeps headers in the order of arrival, duplicates included. A value; reusable by Clear without
// giving memory back.
class HeaderBlock {
 public:
  void Add(std::string_view name, std::string_view value) {
    entries_.push_back({static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(name.size()),
                        static_cast<uint32_t>(value.size())});
    bytes_.append(name).append(value);
  }
  void Clear() {
    bytes_.clear();
    entries_.clear();
  }

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  // What the headers take in memory.
  size_t bytes() const { return bytes_.size() + entries_.size() * sizeof(Entry); }
  // The i-th header; the views live until the block changes. Requires i < size().
  Header operator[](size_t i) const {
    const Entry& e = entries_[i];
    const std::string_view all = bytes_;
    return {all.substr(e.begin, e.name_size), all.substr(e.begin + e.name_size, e.value_size)};
  }
  // The value of the first header `name`, or an empty view whose data() is nullptr. O(size).
  std::string_view Find(std::string_view name) const {
    for (size_t i = 0; i < entries_.size(); ++i) {
      const Header header = (*this)[i];
      if (header.name == name) return header.value;
    }
    return {};
  }
  bool Has(std::string_view name) const { return Find(name).data() != nullptr; }

 private:
  struct Entry {
    uint32_t begin;
    uint32_t name_size;
    uint32_t value_size;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_HEADER_BLOCK_H_
