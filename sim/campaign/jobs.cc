// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/jobs.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

// What a child writes for each seed, followed by the failure's two texts. Parent and child are the
// same program.
struct PackedResult {
  uint64_t hash = 0;
  Duration simulated;
  RunCounts counts;
  FailureKind kind = FailureKind::kNone;
  uint64_t invariant_bytes = 0;
  uint64_t sentence_bytes = 0;
};
static_assert(std::is_trivially_copyable_v<PackedResult>);

// Nobody reads any more: the parent is gone.
void WriteOrEnd(int file, const void* data, size_t bytes) {
  const auto* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = write(file, from, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(1);
    from += written;
    bytes -= static_cast<size_t>(written);
  }
}

// False: the writer is gone.
bool Read(int file, void* data, size_t bytes) {
  auto* to = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = read(file, to, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    bytes -= static_cast<size_t>(got);
  }
  return true;
}

bool ReadText(int file, size_t bytes, std::string* text) {
  text->resize(bytes);
  return Read(file, text->data(), bytes);
}

int Wait(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Jobs::Jobs(uint64_t first, uint64_t last, uint32_t jobs,
           std::function<RunResult(uint64_t seed)> run)
    : first_(first), last_(last), run_(std::move(run)), children_(jobs) {
  for (uint32_t i = 0; i < jobs && i <= last - first; ++i) Start(&children_[i], first + i);
}

Jobs::~Jobs() {
  for (const Child& child : children_) {
    if (child.pid == 0) continue;
    kill(child.pid, SIGKILL);
    Wait(child.pid);
    close(child.results);
  }
}

void Jobs::Start(Child* child, uint64_t first) {
  int ends[2];
  INVARIANT(pipe(ends) == 0) << std::strerror(errno);
  child->pid = fork();
  INVARIANT(child->pid >= 0) << std::strerror(errno);
  if (child->pid == 0) {
    // Whoever holds the reading end of a pipe keeps its writer alive after the parent.
    close(ends[0]);
    for (const Child& other : children_) {
      if (other.pid != 0) close(other.results);
    }
    RunChild(first, ends[1]);
  }
  close(ends[1]);
  child->results = ends[0];
}

void Jobs::RunChild(uint64_t first, int results) noexcept {
  signal(SIGINT, SIG_IGN);  // Of a terminal; the parent decides what to make of it.
  for (uint64_t seed = first;; seed += children_.size()) {
    const RunResult result = run_(seed);
    const std::string& invariant = result.failure.invariant;
    const std::string& sentence = result.failure.sentence;
    const PackedResult packed{result.hash,         result.simulated, result.counts,
                              result.failure.kind, invariant.size(), sentence.size()};
    WriteOrEnd(results, &packed, sizeof(packed));
    WriteOrEnd(results, invariant.data(), invariant.size());
    WriteOrEnd(results, sentence.data(), sentence.size());
    if (last_ - seed < children_.size()) _exit(0);
  }
}

RunResult Jobs::Take(uint64_t seed) {
  Child& child = children_[(seed - first_) % children_.size()];
  PackedResult packed;
  RunResult result;
  if (!Read(child.results, &packed, sizeof(packed)) ||
      !ReadText(child.results, packed.invariant_bytes, &result.failure.invariant) ||
      !ReadText(child.results, packed.sentence_bytes, &result.failure.sentence)) {
    return Bury(&child, seed);
  }
  result.failure.kind = packed.kind;
  result.hash = packed.hash;
  result.simulated = packed.simulated;
  result.counts = packed.counts;
  return result;
}

// The child is dead, and what it was at is known.
RunResult Jobs::Bury(Child* child, uint64_t seed) {
  const int status = Wait(child->pid);
  close(child->results);
  *child = Child();
  RunResult result;
  result.failure.kind = FailureKind::kDied;
  result.failure.invariant = "DIED";
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    result.failure.sentence = "the process that ran this seed died of signal " +
                              std::to_string(signal) + " (" + strsignal(signal) + ").";
  } else {
    result.failure.sentence = "the process that ran this seed ended with exit code " +
                              std::to_string(WEXITSTATUS(status)) + ".";
  }
  if (last_ - seed >= children_.size()) Start(child, seed + children_.size());
  return result;
}

}  // namespace flaredb::sim
