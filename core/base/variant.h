// SPDX-License-Identifier: Apache-2.0
// Variants of many types, copied, moved and destroyed by functions of one file:
//
//   struct Body : std::variant<VoteRequest, VoteReply> {  // In message.h
//     FLAREDB_DECLARE_VARIANT(Body)
//   };
//   FLAREDB_DEFINE_VARIANT(Body)  // In message.cc
//
// std::visit, std::get and the like take them as they take a variant; what wants the type itself,
// as std::variant_size, is given Body::variant. As aliases they were instantiated by every file
// that has one in a vector: two thirds of the functions of a test of the store, half of the time to
// compile it.
#ifndef FLAREDB_CORE_BASE_VARIANT_H_
#define FLAREDB_CORE_BASE_VARIANT_H_

#include <variant>

#define FLAREDB_DECLARE_VARIANT(Name)     \
  using variant::variant;                 \
  using variant::operator=;               \
  Name();                                 \
  Name(const Name& other);                \
  Name(Name&& other) noexcept;            \
  Name& operator=(const Name& other);     \
  Name& operator=(Name&& other) noexcept; \
  ~Name();

#define FLAREDB_DEFINE_VARIANT(Name)                      \
  Name::Name() = default;                                 \
  Name::Name(const Name& other) = default;                \
  Name::Name(Name&& other) noexcept = default;            \
  Name& Name::operator=(const Name& other) = default;     \
  Name& Name::operator=(Name&& other) noexcept = default; \
  Name::~Name() = default;

#endif  // FLAREDB_CORE_BASE_VARIANT_H_
