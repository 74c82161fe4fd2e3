// SPDX-License-Identifier: Apache-2.0
#include "tests/net/client/scripted_store.h"

#include <future>
#include <utility>

namespace flaredb::client {

ScriptedStore::ScriptedStore(Script script)
    : script_(std::move(script)),
      loop_(net::EventLoop::Create().value()),
      server_(std::make_unique<net::GrpcServer>(loop_.get(), net::GrpcServerOptions())) {
  for (const std::string path :
       {"/kvrpc.KvCas/Get", "/kvrpc.KvCas/Scan", "/kvrpc.KvCas/CompareAndSwap",
        "/kvrpc.KvCas/CompareAndDelete", "/kvrpc.KvRaw/RawPut", "/kvrpc.KvRaw/RawGet",
        "/kvrpc.KvRaw/RawScan", "/kvrpc.KvRaw/RawDelete", "/raftpb.RaftService/GetMode",
        "/raftpb.RaftService/ListNamespaceModes", "/raftpb.RaftService/UpdateNamespaceMode",
        "/pdpb.Pd/ListStores", "/pdpb.Pd/SetStoreState", "/pdpb.Pd/ScanRegions"}) {
    server_->RegisterUnary(path, [this, method = path.substr(path.rfind('/') + 1)](
                                     net::UnaryCall call, std::string_view request) {
      {
        const std::lock_guard lock(mutex_);
        requests_.emplace_back(request);
      }
      Answer answer = script_(method, std::string(request));
      if (const auto* reply = std::get_if<std::string>(&answer)) return call.Reply(*reply);
      if (const auto* status = std::get_if<net::GrpcStatus>(&answer)) return call.Fail(*status);
      silent_.push_back(std::move(call));
    });
  }
  address_ = "127.0.0.1:" + std::to_string(server_->Listen("127.0.0.1:0").value());
  thread_ = std::thread([this] {
    while (!stop_) loop_->RunOnce(Instant::Max());
    silent_.clear();
    server_.reset();
  });
}

ScriptedStore::~ScriptedStore() {
  loop_->Post([this] { stop_ = true; });
  thread_.join();
}

std::vector<std::string> ScriptedStore::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

size_t ScriptedStore::connections() {
  std::promise<size_t> count;
  loop_->Post([&] { count.set_value(server_->counters().connections_total); });
  return count.get_future().get();
}

}  // namespace flaredb::client
