// SPDX-License-Identifier: Apache-2.0
// INVARIANT: what must be true, checked in every build.
#ifndef FLAREDB_CORE_BASE_CHECK_H_
#define FLAREDB_CORE_BASE_CHECK_H_

#include <exception>
#include <sstream>
#include <string>
#include <utility>

namespace flaredb {

// A broken invariant. Thrown so that the owner of the broken state machine, and nobody between,
// decides: a Raft group poisons itself and falls silent, the simulator reports the seed, and with
// no owner the process ends with this text. It is never caught to carry on.
class InvariantViolation : public std::exception {
 public:
  explicit InvariantViolation(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

namespace internal {

// Collects the text streamed after a failed INVARIANT and throws at the end of the statement.
class InvariantFailure {
 public:
  InvariantFailure(const char* file, int line, const char* condition) {
    text_ << file << ":" << line << ": broken invariant: " << condition << " ";
  }
  [[noreturn]] ~InvariantFailure() noexcept(false) { throw InvariantViolation(text_.str()); }

  InvariantFailure(const InvariantFailure&) = delete;
  InvariantFailure& operator=(const InvariantFailure&) = delete;

  std::ostream& stream() { return text_; }

 private:
  std::ostringstream text_;
};

// Gives both branches of the INVARIANT expression the type void.
struct Voidify {
  void operator&(std::ostream&) const {}
};

}  // namespace internal
}  // namespace flaredb

// INVARIANT(commit_index <= last_index) << "text for the reader of the report";
// One condition each, stated positively, without side effects. Costs one predictable branch.
#define INVARIANT(condition)                           \
  __builtin_expect(static_cast<bool>(condition), true) \
      ? static_cast<void>(0)                           \
      : ::flaredb::internal::Voidify() &               \
            ::flaredb::internal::InvariantFailure(__FILE__, __LINE__, #condition).stream()

#endif  // FLAREDB_CORE_BASE_CHECK_H_
