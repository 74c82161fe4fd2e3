// SPDX-License-Identifier: Apache-2.0
#include "net/cli/line_editor.h"

#include <histedit.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_split.h"

namespace flaredb::net {
namespace {

constexpr int kHistoryLines = 1000;

std::string CommonPrefix(const std::vector<std::string>& words) {
  std::string prefix = words.front();
  for (const std::string& word : words) {
    const auto end = std::mismatch(prefix.begin(), prefix.end(), word.begin(), word.end()).first;
    prefix.erase(end, prefix.end());
  }
  return prefix;
}

}  // namespace

std::optional<std::vector<std::string>> SplitWords(const std::string& line) {
  // A backslash that quotes the end makes the library read beyond it.
  const size_t backslashes = line.size() - (line.find_last_not_of('\\') + 1);
  if (backslashes % 2 == 1) return std::nullopt;
  Tokenizer* const tokenizer = tok_init(nullptr);
  int count = 0;
  const char** texts = nullptr;
  std::optional<std::vector<std::string>> words;
  if (tok_str(tokenizer, line.c_str(), &count, &texts) == 0) words.emplace(texts, texts + count);
  tok_end(tokenizer);
  return words;
}

struct LineEditor::Library {
  std::string prompt;
  std::string history_path;
  Completer completer;
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent event{};
  bool interrupted = false;

  static Library* Of(EditLine* editor) {
    Library* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self;
  }

  static char* Prompt(EditLine* editor) { return Of(editor)->prompt.data(); }

  static unsigned char OnInterrupt(EditLine* editor, int) {
    Of(editor)->interrupted = true;
    std::puts("^C");
    std::fflush(stdout);
    return CC_NEWLINE;
  }

  static unsigned char OnTab(EditLine* editor, int) {
    const LineInfo* line = el_line(editor);
    const std::string before(line->buffer, line->cursor);
    std::vector<std::string> words = absl::StrSplit(before, absl::ByAnyChar(" \t"));
    // Empty ones stand for repeated spaces, except at the end.
    words.erase(std::remove(words.begin(), words.end() - 1, ""), words.end() - 1);
    const std::vector<std::string> candidates = Of(editor)->completer(words);
    if (candidates.empty()) return CC_ERROR;
    std::string missing = CommonPrefix(candidates).substr(words.back().size());
    if (candidates.size() == 1) missing += ' ';
    if (!missing.empty()) return el_insertstr(editor, missing.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    std::putchar('\n');
    for (const std::string& candidate : candidates) std::printf("%s  ", candidate.c_str());
    std::putchar('\n');
    std::fflush(stdout);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(std::string prompt, std::string history_path, Completer completer)
    : library_(std::make_unique<Library>()) {
  Library& library = *library_;
  library.prompt = std::move(prompt);
  library.history_path = std::move(history_path);
  library.completer = std::move(completer);

  library.history = history_init();
  history(library.history, &library.event, H_SETSIZE, kHistoryLines);
  history(library.history, &library.event, H_SETUNIQUE, 1);
  if (!library.history_path.empty()) {
    history(library.history, &library.event, H_LOAD, library.history_path.c_str());
  }

  library.editor = el_init("flaredb", stdin, stdout, stderr);
  EditLine* const editor = library.editor;
  el_set(editor, EL_CLIENTDATA, &library);
  el_set(editor, EL_PROMPT, &Library::Prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_HIST, history, library.history);
  el_set(editor, EL_ADDFN, "flaredb-complete", "Complete the word", &Library::OnTab);
  el_set(editor, EL_BIND, "^I", "flaredb-complete", nullptr);
  // While a line is edited Ctrl-C is a key and no signal, so that it ends the line only.
  el_set(editor, EL_ADDFN, "flaredb-interrupt", "Give up the line", &Library::OnInterrupt);
  el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
  el_set(editor, EL_BIND, "^C", "flaredb-interrupt", nullptr);
  el_source(editor, nullptr);  // The user's own ~/.editrc.
}

LineEditor::~LineEditor() {
  el_end(library_->editor);
  history_end(library_->history);
}

std::optional<std::string> LineEditor::Read() {
  Library& library = *library_;
  library.interrupted = false;
  // By itself the library prints the prompt first: a Ctrl-C right behind it would be a signal.
  el_set(library.editor, EL_PREP_TERM, 1);
  int size = 0;
  const char* text = el_gets(library.editor, &size);
  if (library.interrupted) return "";  // An empty line looks like the end of input.
  if (text == nullptr || size <= 0) return std::nullopt;
  std::string line(text, static_cast<size_t>(size));
  if (line.ends_with('\n')) line.pop_back();
  if (line.find_first_not_of(" \t") == std::string::npos) return line;
  history(library.history, &library.event, H_ENTER, line.c_str());
  if (!library.history_path.empty()) {
    history(library.history, &library.event, H_SAVE, library.history_path.c_str());
  }
  return line;
}

}  // namespace flaredb::net
