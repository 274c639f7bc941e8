#include "copying.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/output_closed.hpp>
#include <pyro/os/archive_writer.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/os/side_work.hpp>
#include <pyro/store/export_area.hpp>
#include <pyro/workspace/context/inside_path.hpp>

#include <sys/stat.h>
#include <system_error>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::node {

namespace fs = std::filesystem;

namespace {

constexpr const char* k_content = "content";

/// Of the lease, beside its state directory.
std::string beside(const std::string& base) {
  return fs::path(base).parent_path().string();
}

os::ArchivePolicy policy() {
  os::ArchivePolicy policy;
  policy.special_files = os::SpecialFiles::leave_out;
  return policy;
}

/// Who copies may have gone in the middle of it.
void write_file_from(int in, const std::string& path, mode_t mode, std::int64_t bytes) {
  const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    const int error = errno;
    throw Error::from_errno(error, "write " + path);
  }
  std::array<char, 65536> buffer{};
  while (true) {
    const auto count = ::read(in, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      const int error = errno;
      throw Error::from_errno(error, "read what is copied");
    }
    if (count == 0) {
      break;
    }
    os::write_all(file.get(), {buffer.data(), static_cast<std::size_t>(count)});
    bytes -= count;
  }
  if (bytes != 0) {
    throw Error(ErrorCode::invalid_file, "what is copied has changed meanwhile, or was cut short");
  }
  ::fchmod(file.get(), mode & 0777U);
}

/// A name for one entry of a directory.
std::string checked_name(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no name of what is copied", name);
  }
  return name;
}

} // namespace

CopyRoom::CopyRoom(const std::string& directory) : m_path(directory + "/copy-" + os::random_hex(8)) {
  if (::mkdir(m_path.c_str(), 0700) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "make " + m_path);
  }
}

CopyRoom::~CopyRoom() {
  try {
    os::remove_tree(m_path);
  } catch (const Error&) { // it goes with what it lies in
  }
}

Json copy_to_node(const std::string& workspace_id, const Json& parameters, const Carry& carry) {
  const auto source = get_string(parameters, "source_path");
  std::error_code missing;
  const auto real = fs::canonical(source, missing);
  if (missing) {
    throw Error(ErrorCode::input_missing, "there is no '{}' to copy", source);
  }
  auto name = fs::absolute(source).lexically_normal();
  name = name.has_filename() ? name : name.parent_path();
  const bool is_directory = fs::is_directory(real);
  const auto opened = is_directory ? os::open_directory(real.string()) : os::open_regular(real.string());

  struct stat status {};

  if (::fstat(opened.get(), &status) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "look at " + real.string());
  }
  Call call;
  call.kind = CallKind::copy_in;
  call.parameters = {{"workspace", workspace_id}, {"path", get_string(parameters, "path")}};
  call.request = {
      {"name", name.filename().string()},
      {"is_directory", is_directory},
      {"is_content", fs::path(source).filename() == "."},
      {"mode", status.st_mode & 0777U},
      {"bytes", status.st_size}};
  Json result;
  if (is_directory) {
    auto pipe = os::make_pipe();
    os::SideWork packing(
        [&](const os::SideWork::Tell&) -> Json {
          pipe.read_end.reset();
          os::write_archive(opened.get(), pipe.write_end.get(), {});
          return Json::object();
        },
        [](const Json&) {});
    pipe.write_end.reset();
    try {
      result = carry(std::move(call), {pipe.read_end.get(), -1, -1});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_file) {
        throw;
      }
      packing.wait([] {}); // what came there was cut short: here it is known why
      throw;
    }
    pipe.read_end.reset();
    packing.wait([] {});
  } else {
    result = carry(std::move(call), {opened.get(), -1, -1});
  }
  result["source_path"] = real.string();
  return result;
}

Json copy_from_node(
    const std::string& workspace_id, const Json& parameters, bool may_come_into, const std::string& notes,
    const Carry& carry) {
  const auto path = get_string(parameters, "path");
  const auto destination = get_string(parameters, "output_path");
  const auto inside = workspace::path_inside(path, "a path to copy");
  auto output = fs::absolute(destination).lexically_normal();
  if (may_come_into && os::is_directory(destination)) {
    output /= inside.empty() ? fs::path("workspace") : fs::path(inside).filename();
  } else if (may_come_into && destination.ends_with('/')) {
    throw Error(ErrorCode::input_missing, "there is no directory '{}'", destination);
  } else if (!output.has_filename()) {
    output = output.parent_path(); // "out/"
  }
  store::remove_abandoned_exports(notes);
  store::ExportArea area(output.string(), notes);
  auto pipe = os::make_pipe();
  os::SideWork unpacking(
      [&](const os::SideWork::Tell&) -> Json {
        pipe.write_end.reset();
        os::extract_archive_fd(pipe.read_end.get(), "what comes from the node", area.directory(), policy());
        return Json::object();
      },
      [](const Json&) {});
  pipe.read_end.reset();
  Call call;
  call.kind = CallKind::copy_out;
  call.parameters = {{"workspace_id", workspace_id}, {"path", path}};
  Json result;
  try {
    result = carry(std::move(call), {-1, pipe.write_end.get(), -1});
  } catch (const OutputClosed&) { // it says why
  }
  pipe.write_end.reset();
  unpacking.wait([] {});
  area.place(k_content);
  result["output_path"] = output.string();
  return result;
}

Json take_copy(const Call& call, int in, const std::string& base, operations::Engine& engine) {
  const CopyRoom room(beside(base));
  const bool is_content = get_bool(call.request, "is_content");
  const auto path = room.path() + "/" + checked_name(get_string(call.request, "name"));
  if (get_bool(call.request, "is_directory")) {
    os::make_directories(path);
    os::extract_archive_fd(in, "what is copied", os::open_directory(path).get(), policy());
  } else {
    write_file_from(
        in, path, static_cast<mode_t>(get_int(call.request, "mode")), get_int(call.request, "bytes"));
  }
  auto parameters = call.parameters;
  parameters["source_path"] = is_content ? path + "/." : path;
  return engine.call("copy_in", parameters);
}

Json give_copy(const Call& call, int out, const std::string& base, operations::Engine& engine) {
  const CopyRoom room(beside(base));
  auto parameters = call.parameters;
  parameters["output_path"] = room.path() + "/" + k_content;
  auto result = engine.call("workspace_export", parameters);
  os::write_archive(os::open_directory(room.path()).get(), out, {});
  return result;
}

} // namespace pyro::node
