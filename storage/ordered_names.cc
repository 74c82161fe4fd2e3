// SPDX-License-Identifier: Apache-2.0
#include "storage/ordered_names.h"

#include <string>

#include "rocksdb/file_system.h"

namespace flaredb::storage {
namespace {

class OrderedNames final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "OrderedNames"; }

  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    rocksdb::IOStatus s =
        target()->NewDirectory(to.substr(0, to.find_last_of('/')), options, &directory, debug);
    if (s.ok()) s = directory->Fsync(options, debug);
    return s.ok() ? target()->RenameFile(from, to, options, debug) : s;
  }
};

class OrderedEnv final : public rocksdb::EnvWrapper {
 public:
  explicit OrderedEnv(Env* env) : EnvWrapper(env) {
    file_system_ = std::make_shared<OrderedNames>(env->GetFileSystem());
    system_clock_ = env->GetSystemClock();
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> WithOrderedNames(rocksdb::Env* env) {
  return std::make_unique<OrderedEnv>(env);
}

}  // namespace flaredb::storage
