#include "recipes.hpp"

#include "records.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <map>
#include <unistd.h>

namespace pyro::store {

namespace {

constexpr std::string_view k_recipe_suffix = ".json";
constexpr std::size_t k_recipe_limit = 16 << 20;

bool is_key(const std::string& key) {
  return is_safe_name(key);
}

/// The last use is the file's modification time, so that a use costs one system call.
void set_last_used(const std::string& path, double when) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(when);
  time.tv_nsec = static_cast<long>((when - static_cast<double>(time.tv_sec)) * 1e9);
  const std::array<timespec, 2> times{time, time};
  if (utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0 && errno != ENOENT) {
    throw Error::from_errno(errno, "set the time of " + path);
  }
}

/// Which file it is, and since when.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec modified{};
  timespec changed{};

  double modified_at() const {
    return static_cast<double>(modified.tv_sec) + static_cast<double>(modified.tv_nsec) / 1e9;
  }

  bool operator==(const FileStamp& other) const {
    const auto same = [](const timespec& one, const timespec& two) {
      return one.tv_sec == two.tv_sec && one.tv_nsec == two.tv_nsec;
    };
    return device == other.device && inode == other.inode && size == other.size
           && same(modified, other.modified) && same(changed, other.changed);
  }
};

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};

  if (stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return FileStamp{status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

} // namespace

Json to_json(const HostDirectory& directory) {
  return {{"path", directory.path}, {"at", directory.at}};
}

HostDirectory host_directory_from_json(const Json& value) {
  return {get_string(value, "path"), get_string(value, "at")};
}

Json host_directories_to_json(const std::vector<HostDirectory>& directories) {
  Json list = Json::array();
  for (const HostDirectory& directory : directories) {
    list.push_back(to_json(directory));
  }
  return list;
}

std::vector<HostDirectory> host_directories_from_json(const Json& value) {
  if (!value.is_array()) {
    throw Error(ErrorCode::protocol, "\"host_directories\" must be an array");
  }
  std::vector<HostDirectory> directories;
  for (const Json& each : value) {
    directories.push_back(host_directory_from_json(each));
  }
  return directories;
}

Json to_json(const RecipeRecord& record) {
  return {
      {"layout_version", k_layout_version},
      {"key", record.key},
      {"layers", record.layers},
      {"host_directories", host_directories_to_json(record.host_directories)},
      {"address", record.address},
      {"workspace", record.workspace},
      {"inputs", record.inputs},
      {"created_at", record.created_at},
      {"last_used", record.last_used},
      {"duration_ms", record.duration_ms}};
}

RecipeRecord recipe_from_json(const Json& value) {
  check_layout_version(value, "recipe");
  RecipeRecord record;
  record.key = get_string(value, "key");
  record.layers = layers_from_json(value);
  record.host_directories = host_directories_from_json(value_at(value, "host_directories"));
  record.address = string_or(value, "address", "");
  record.workspace = string_or(value, "workspace", "");
  const auto inputs = value.find("inputs");
  record.inputs = inputs == value.end() ? Json::array() : *inputs;
  record.created_at = get_double(value, "created_at");
  record.last_used = get_double(value, "last_used");
  record.duration_ms = int_or(value, "duration_ms", 0);
  return record;
}

/// What was read of a file, for as long as it is the same one: a record is never written to, but replaced.
struct RecipeCache::Memory {
  struct Entry {
    FileStamp stamp;
    RecipeRecord record;
  };

  std::map<std::string, Entry> entries;
};

RecipeCache::RecipeCache(LayerStore layers)
    : m_layers(std::move(layers)), m_memory(std::make_shared<Memory>()) {
}

/// nullopt: there is none, or it is of no use.
std::optional<RecipeRecord> RecipeCache::read(const std::string& key, const std::string& file) const {
  auto& entries = m_memory->entries;
  const auto known = entries.find(key);
  const auto stamp = stamp_of(file);
  if (stamp && known != entries.end() && known->second.stamp == *stamp) {
    return known->second.record;
  }
  const auto text = stamp ? os::maybe_read_file(file, k_recipe_limit) : std::nullopt;
  if (!text) {
    return std::nullopt;
  }
  try {
    auto record = recipe_from_json(parse_json(*text, "recipe"));
    record.last_used = stamp->modified_at();
    entries.insert_or_assign(key, Memory::Entry{*stamp, record});
    return record;
  } catch (const Error&) {
    return std::nullopt; // a cache: the step runs again and its record replaces this one
  }
}

std::optional<RecipeRecord> RecipeCache::find(const std::string& key, Touch touch) const {
  const std::string file = path(key);
  auto record = read(key, file);
  const bool usable =
      record && record->key == key
      && std::all_of(record->layers.begin(), record->layers.end(), [this](const HexDigest& digest) {
           return m_layers.find(digest).has_value();
         });
  if (!usable) {
    return std::nullopt;
  }
  if (touch == Touch::yes) {
    record->last_used = os::now_epoch();
    set_last_used(file, record->last_used);
  }
  return record;
}

void RecipeCache::save(RecipeRecord record, os::Durable durable) const {
  const std::string file = path(record.key);
  const double now = os::now_epoch();
  record.created_at = record.created_at == 0 ? now : record.created_at;
  record.last_used = record.last_used == 0 ? now : record.last_used;
  os::write_json_atomically(file, to_json(record), durable);
  set_last_used(file, record.last_used);
}

void RecipeCache::remove(const std::string& key) const {
  if (unlink(path(key).c_str()) != 0 && errno != ENOENT) {
    throw Error::from_errno(errno, "remove the recipe " + key);
  }
}

std::vector<RecipeRecord> RecipeCache::list(std::vector<std::string>* damaged) const {
  std::vector<RecipeRecord> records;
  for (const std::string& name : os::list_directory(base().recipes())) {
    if (!name.ends_with(k_recipe_suffix) || name.starts_with('.')) {
      continue;
    }
    const std::string key = name.substr(0, name.size() - k_recipe_suffix.size());
    try {
      const auto text = os::maybe_read_file(base().recipes() + "/" + name, k_recipe_limit);
      if (!text) {
        continue;
      }
      RecipeRecord record = recipe_from_json(parse_json(*text, "recipe"));
      if (record.key != key) {
        throw Error(ErrorCode::protocol, "recipe {} says it is {}", key, record.key);
      }
      const auto stamp = stamp_of(base().recipes() + "/" + name);
      record.last_used = stamp ? stamp->modified_at() : 0;
      records.push_back(std::move(record));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::bad_state) {
        throw; // of a newer pyro: not damaged
      }
      if (damaged != nullptr) {
        damaged->push_back(key);
      }
    }
  }
  return records;
}

std::string RecipeCache::path(const std::string& key) const {
  if (!is_key(key)) {
    throw Error(ErrorCode::invalid_argument, "invalid recipe key {:?}", key);
  }
  return base().recipes() + "/" + key + std::string(k_recipe_suffix);
}

} // namespace pyro::store
