// SPDX-License-Identifier: Apache-2.0
// Lines typed by a person: editing, history, completion, and words as a shell splits them.
#ifndef FLAREDB_NET_CLI_LINE_EDITOR_H_
#define FLAREDB_NET_CLI_LINE_EDITOR_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flaredb::net {

// The words of a line, with '...', "..." and backslashes as in sh; nullopt when a quote is not
// closed or the line ends in a backslash.
std::optional<std::vector<std::string>> SplitWords(const std::string& line);

// Reads from the terminal of this process. One at a time.
class LineEditor {
 public:
  // What the last of the words may become, whole; it is "" after a space.
  using Completer = std::function<std::vector<std::string>(const std::vector<std::string>& words)>;

  // `history_path`: a file, private to the user, that keeps the lines; "": they are forgotten. A
  // file that cannot be read or written is no history.
  LineEditor(std::string prompt, std::string history_path, Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Without the line feed; nullopt at the end of input. Ctrl-C gives up the line: it is "".
  std::optional<std::string> Read();

 private:
  struct Library;  // The state of libedit.
  const std::unique_ptr<Library> library_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_LINE_EDITOR_H_
