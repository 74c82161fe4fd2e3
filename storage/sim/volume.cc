// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/volume.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace flaredb::storage {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

Volume::Volume() { names_["/"] = names_on_disk_["/"] = Node{}; }

Volume::FileRef Volume::Find(const std::string& path) const {
  const auto it = names_.find(path);
  return it == names_.end() ? nullptr : it->second.file;
}

bool Volume::IsDirectory(const std::string& path) const {
  const auto it = names_.find(path);
  return it != names_.end() && it->second.file == nullptr;
}

std::vector<std::string> Volume::List(const std::string& directory) const {
  std::vector<std::string> names;
  const std::string prefix = directory == "/" ? directory : directory + "/";
  for (auto it = names_.upper_bound(prefix); it != names_.end() && it->first.starts_with(prefix);
       ++it) {
    std::string name = it->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.push_back(std::move(name));
  }
  return names;
}

std::map<std::string, Volume::FileRef> Volume::Files() const {
  std::map<std::string, FileRef> files;
  for (const auto& [path, node] : names_) {
    if (node.file != nullptr) files.emplace(path, node.file);
  }
  return files;
}

void Volume::Apply(const Changes& changes, Names* names) {
  for (const auto& [path, node] : changes) {
    if (node) {
      (*names)[path] = *node;
    } else {
      names->erase(path);
    }
  }
}

void Volume::Change(const std::string& directory, Changes changes) {
  INVARIANT(IsDirectory(directory)) << directory;
  Apply(changes, &names_);
  unsynced_.push_back({directory, std::move(changes)});
}

Volume::FileRef Volume::Create(const std::string& path) {
  if (FileRef there = Find(path)) {
    there->Resize(0);
    return there;
  }
  auto file = std::make_shared<SectorFile>();
  Change(DirectoryOf(path), {{path, Node{file}}});
  return file;
}

void Volume::MakeDirectory(const std::string& path) { Change(DirectoryOf(path), {{path, Node{}}}); }

void Volume::Rename(const std::string& from, const std::string& to) {
  INVARIANT(Exists(from)) << from;
  Change(DirectoryOf(to), {{from, std::nullopt}, {to, names_[from]}});
}

void Volume::Link(const std::string& from, const std::string& to) {
  INVARIANT(Exists(from)) << from;
  Change(DirectoryOf(to), {{to, names_[from]}});
}

void Volume::Remove(const std::string& path) {
  INVARIANT(Exists(path)) << path;
  Change(DirectoryOf(path), {{path, std::nullopt}});
}

void Volume::SyncDirectory(const std::string& directory) {
  std::erase_if(unsynced_, [&](const NameChange& change) {
    if (change.directory != directory) return false;
    Apply(change.changes, &names_on_disk_);
    return true;
  });
}

void Volume::LosePower(Rng& rng, uint32_t kept_ppm, FaultCounts* counts) {
  for (const NameChange& change : unsynced_) {
    if (rng.Chance(kept_ppm)) {
      Apply(change.changes, &names_on_disk_);
    } else {
      counts->Fired(Fault::kLostName);
      losses_[change.directory].push_back(Fault::kLostName);
    }
  }
  unsynced_.clear();
  // What lies in a directory that is not there cannot be reached any more.
  std::erase_if(names_on_disk_, [&](const auto& name) {
    const auto parent = names_on_disk_.find(DirectoryOf(name.first));
    return parent == names_on_disk_.end() || parent->second.file != nullptr;
  });
  names_ = names_on_disk_;
  std::vector<FileRef> done;  // A file may have several names.
  for (const auto& [path, file] : Files()) {
    if (std::find(done.begin(), done.end(), file) != done.end()) continue;
    file->LosePower(rng, kept_ppm, counts);
    done.push_back(file);
  }
}

void Volume::DropCaches() {
  for (const auto& [path, file] : Files()) file->DropCache();
}

std::vector<std::string> Volume::DurableFiles() const {
  std::vector<std::string> paths;
  for (const auto& [path, node] : names_) {
    if (node.file == nullptr) continue;
    const bool changing =
        std::any_of(unsynced_.begin(), unsynced_.end(), [&path = path](const NameChange& change) {
          return std::any_of(change.changes.begin(), change.changes.end(),
                             [&](const auto& name) { return name.first == path; });
        });
    if (!changing) paths.push_back(path);
  }
  return paths;
}

void Volume::LoseFile(const std::string& path) {
  INVARIANT(names_.erase(path) == 1 && names_on_disk_.erase(path) == 1) << path;
  losses_[DirectoryOf(path)].push_back(Fault::kLostFile);
}

std::vector<Fault> Volume::MeetLosses(const std::string& directory) {
  return std::exchange(losses_[directory], {});
}

}  // namespace flaredb::storage
