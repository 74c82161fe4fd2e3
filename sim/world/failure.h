// SPDX-License-Identifier: Apache-2.0
// Why a run failed.
#ifndef FLAREDB_SIM_WORLD_FAILURE_H_
#define FLAREDB_SIM_WORLD_FAILURE_H_

#include <cstdint>
#include <string>
#include <utility>

namespace flaredb::sim {

// The values are the exit codes of the program.
enum class FailureKind : uint8_t {
  kNone = 0,
  kSafety = 1,          // Something wrong happened.
  kLiveness = 3,        // Something right did not happen although nothing stood in its way.
  kNondeterminism = 4,  // The same seed did not do the same twice.
  kChecker = 5,         // A checker gave no verdict, or two gave different ones.
  kDied = 6,            // The process that ran it died.
};

struct Failure {
  FailureKind kind = FailureKind::kNone;
  std::string invariant;  // "SMS", "LIN", ...; docs/SIMULATION.md lists them.
  std::string sentence;   // The two facts that contradict each other.
};

// Keeps the first failure of a run: later ones are its consequences.
class FailureReport {
 public:
  FailureReport() = default;
  // Of a part of a run: what fails there fails the run, and its sentence begins with `about`.
  FailureReport(FailureReport* run, std::string about) : run_(run), about_(std::move(about)) {}

  bool failed() const { return failure().kind != FailureKind::kNone; }
  const Failure& failure() const { return run_ != nullptr ? run_->failure() : failure_; }
  void Fail(FailureKind kind, std::string invariant, std::string sentence) {
    if (run_ != nullptr) return run_->Fail(kind, std::move(invariant), about_ + sentence);
    if (!failed()) failure_ = {kind, std::move(invariant), std::move(sentence)};
  }

 private:
  FailureReport* run_ = nullptr;  // Null: this is the run's own. Borrowed.
  std::string about_;
  Failure failure_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_FAILURE_H_
