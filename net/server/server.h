// SPDX-License-Identifier: Apache-2.0
// One store as a process: from flags to a running server, and to an orderly end.
#ifndef FLAREDB_NET_SERVER_SERVER_H_
#define FLAREDB_NET_SERVER_SERVER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "net/server/disk.h"
#include "net/server/limits.h"
#include "net/server/server_tls.h"
#include "net/server/start_namespaces.h"
#include "net/server/start_plan.h"

namespace flaredb::net {

struct ServerOptions {
  StartFlags start;
  std::vector<StartNamespace> namespaces;  // --namespace-mode
  // Where /metrics, /livez and /readyz are served; empty: nowhere.
  std::string admin_address;
  // What reflection shows to clients that do not choose: keys and values as text, or as the bytes
  // that they are.
  bool text_reflection = true;
  Limits limits;
  TlsOptions tls;
  std::string tokens_file;  // Empty: whoever is let in by TLS may do everything.
};

// Runs the store that `options` describe until SIGINT or SIGTERM. SIGHUP makes it read
// certificates and tokens again, if there are any. At the end, in this order:
//   1. what the store leads is handed over to other stores; calls are answered as ever     2 s
//   2. clients are told to go elsewhere; who comes all the same gets StoreDraining, and
//      calls under way are answered, if only with what is known of their outcome            3 s
//   3. links are closed, the disk's writes are finished, OK is returned
// at most so long, as a rule a quarter of a second in all. A second signal ends the process at
// once, as if it were killed: nothing that was acknowledged is lost. Call it before the process has
// other threads. Errors are one sentence:
//   INVALID_ARGUMENT     the options make no sense
//   FAILED_PRECONDITION  the data folder is in use, or belongs to another store or cluster
//   DATA_LOSS            the data folder is damaged
//   others               the address, the folder or the disk can't be used; the disk failed
absl::Status RunServer(const ServerOptions& options, const OpenDisk& open_disk);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_SERVER_H_
