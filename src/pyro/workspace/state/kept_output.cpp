#include "kept_output.hpp"

#include <pyro/base/cut_text.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/os/regular_file.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace pyro::workspace {

namespace {

constexpr std::uint64_t k_most_of_a_stream = 16U << 20U;
constexpr std::uint64_t k_most_of_all = 512U << 20U;
constexpr double k_kept_seconds = 24 * 60 * 60;
constexpr std::size_t k_piece = 64U << 10U;
constexpr std::size_t k_id_bytes = 16;
constexpr std::array<std::string_view, 2> k_names{"stdout", "stderr"};

std::string outputs_of(const store::Base& base) {
  return base.root() + "/outputs";
}

std::string output_file(const std::string& id, OutputStream stream) {
  return fmt::format("{}.{}", id, k_names.at(static_cast<std::size_t>(stream)));
}

struct Cursor {
  std::string file;
  std::uint64_t offset = 0;
};

Cursor cursor_of(const std::string& text) {
  const auto fields = fields_of(text, '.');
  const auto is_hex = [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
  };
  const auto offset = fields.size() == 3 ? whole_number<std::uint64_t>(fields[2]) : std::nullopt;
  if (!offset || *offset > k_most_of_all || fields[0].size() != 2 * k_id_bytes
      || !std::all_of(fields[0].begin(), fields[0].end(), is_hex)
      || std::find(k_names.begin(), k_names.end(), fields[1]) == k_names.end()) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no cursor", escape_controls(text))
        .with_hint("cursors stand in answers that were cut: stdout_cursor, stderr_cursor, next_cursor");
  }
  return {fields[0] + "." + fields[1], *offset};
}

/// A text may have been cut within a character.
std::uint64_t begin_of_character(int file, std::uint64_t offset) {
  std::array<char, 3> before{};
  const auto count = std::min<std::uint64_t>(before.size(), offset);
  const auto got = ::pread(file, before.data(), count, static_cast<off_t>(offset - count));
  return got == static_cast<ssize_t>(count) ? offset - unfinished_character({before.data(), count}) : offset;
}

struct KeptFile {
  std::string path;
  double at = 0;
  std::uint64_t size = 0;
};

/// Newest first.
std::vector<KeptFile> kept_files(const std::string& directory) {
  std::vector<KeptFile> files;
  for (const auto& name : os::list_directory(directory)) {
    struct stat status {};

    const auto path = directory + "/" + name;
    if (::lstat(path.c_str(), &status) == 0) {
      files.push_back(
          {path, static_cast<double>(status.st_mtime), static_cast<std::uint64_t>(status.st_size)});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& one, const auto& other) { return one.at > other.at; });
  return files;
}

} // namespace

OutputKeeper::OutputKeeper(const store::Base& base, std::size_t shown)
    : m_base(base), m_directory(outputs_of(base)), m_shown(shown) {
}

OutputKeeper::~OutputKeeper() {
  if (!m_is_kept) {
    give_up();
  }
}

void OutputKeeper::give_up() {
  m_has_failed = true;
  for (std::size_t stream = 0; stream < m_parts.size(); ++stream) {
    if (m_parts.at(stream).file) {
      m_parts.at(stream).file.reset();
      ::unlink((m_directory + "/" + output_file(m_id, static_cast<OutputStream>(stream))).c_str());
    }
  }
}

void OutputKeeper::open(OutputStream stream) {
  if (m_id.empty()) {
    os::make_directories(m_directory);
    m_id = os::random_hex(k_id_bytes);
  }
  m_parts.at(static_cast<std::size_t>(stream)).file =
      os::open_file(m_directory + "/" + output_file(m_id, stream), O_WRONLY | O_CREAT | O_EXCL);
}

void OutputKeeper::add(OutputStream stream, std::string_view bytes) {
  auto& part = m_parts.at(static_cast<std::size_t>(stream));
  if (m_has_failed) {
    return;
  }
  if (!part.file && part.begin.size() + bytes.size() <= m_shown) {
    part.begin += bytes;
    return;
  }
  try {
    if (!part.file) {
      open(stream);
      os::write_all(part.file.get(), part.begin);
      part.size = part.begin.size();
      part.begin = {};
    }
    const auto room = static_cast<std::size_t>(k_most_of_a_stream - std::min(k_most_of_a_stream, part.size));
    const auto fitting = bytes.substr(0, room);
    os::write_all(part.file.get(), fitting);
    part.size += fitting.size();
    part.left_out += bytes.size() - fitting.size();
  } catch (const Error&) {
    give_up(); // the answer has the beginning and the end
  }
}

std::string OutputKeeper::finish() {
  try {
    for (auto& part : m_parts) {
      if (part.left_out > 0) {
        os::write_all(part.file.get(), fmt::format("\n[… {} bytes more were not kept …]\n", part.left_out));
      }
    }
  } catch (const Error&) {
    give_up();
  }
  m_is_kept = !m_has_failed && !m_id.empty();
  if (!m_is_kept) {
    return "";
  }
  remove_kept_output(m_base, OutputRetention::by_age);
  return m_id;
}

Json output_cursor(
    const store::Base& base, const std::string& id, OutputStream stream, std::uint64_t offset) {
  if (id.empty()) {
    return nullptr;
  }
  const auto file = output_file(id, stream);
  return os::exists(outputs_of(base) + "/" + file) ? Json(fmt::format("{}.{}", file, offset)) : Json();
}

Json read_kept_output(const store::Base& base, const std::string& cursor) {
  const auto [name, wanted] = cursor_of(cursor);
  const auto path = outputs_of(base) + "/" + name;
  const auto file = os::maybe_open_regular(path);
  if (!file) {
    throw Error(ErrorCode::not_found, "the output of this cursor is not kept any more")
        .with_hint(
            "it is kept for a day, and the oldest goes where there is too much; the beginning and the end "
            "are in the log of the workspace's commands");
  }
  const auto offset = begin_of_character(file->get(), wanted);
  if (::lseek(file->get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    throw Error::from_errno(errno, "go to the cursor in " + path);
  }
  std::string bytes(k_piece, '\0');
  std::size_t count = 0;
  while (count < bytes.size()) {
    const auto some = os::read_some(file->get(), std::span(bytes).subspan(count)).value_or(0);
    if (some == 0) {
      break;
    }
    count += some;
  }
  const bool is_last = count < bytes.size();
  bytes.resize(count);
  if (!is_last) {
    bytes.resize(count - unfinished_character(bytes));
  }
  return {
      {"text", to_utf8(bytes)},
      {"next_cursor", is_last ? Json() : Json(fmt::format("{}.{}", name, offset + bytes.size()))}};
}

std::uint64_t remove_kept_output(const store::Base& base, OutputRetention retention) {
  std::uint64_t freed = 0;
  std::uint64_t kept = 0;
  const auto oldest = os::now_epoch() - k_kept_seconds;
  for (const auto& file : kept_files(outputs_of(base))) {
    if (retention == OutputRetention::by_age && file.at >= oldest && kept + file.size <= k_most_of_all) {
      kept += file.size;
    } else if (::unlink(file.path.c_str()) == 0) {
      freed += file.size;
    }
  }
  return freed;
}

} // namespace pyro::workspace
