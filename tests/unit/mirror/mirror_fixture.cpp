#include "mirror_fixture.hpp"

#include "../../support/files.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_walk.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace pyro::mirror {

namespace {

void check(int result, const std::string& what) {
  if (result < 0) {
    throw Error::from_errno(errno, what);
  }
}

void make_parents(const std::string& path) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
}

std::string content_of(const os::TreeEntry& entry) {
  if (entry.is_symlink()) {
    return os::read_link_at(entry.directory, entry.name);
  }
  if (!entry.is_file()) {
    return "";
  }
  const auto file = os::open_at(entry.directory, entry.name, O_RDONLY | O_NOFOLLOW);
  return Sha256{}.field(os::read_all(file.get(), 64 << 20)).finish().substr(0, 16);
}

std::string attributes_of(const os::TreeEntry& entry) {
  std::string text;
  if (entry.is_file() || entry.is_directory()) {
    const auto file = os::open_at(entry.directory, entry.name, O_RDONLY | O_NOFOLLOW);
    for (const auto& [name, value] : os::extended_attributes_of(file.get())) {
      text += " " + name + "=" + value;
    }
  }
  return text;
}

/// One line for each entry; two names of one file are told by the first of them.
Json described(const std::string& tree) {
  std::map<ino_t, std::string> first_names;
  Json lines = Json::array();
  os::walk_tree(
      tree, os::TreeVisitor{
                [&](const os::TreeEntry& entry) {
                  const auto& status = entry.status;
                  if (S_ISSOCK(status.st_mode)) {
                    return os::Visit::go_on;
                  }
                  const auto first = entry.is_file() && status.st_nlink > 1
                                         ? first_names.try_emplace(status.st_ino, entry.path).first->second
                                         : "";
                  const auto size = entry.is_directory() ? 0 : status.st_size;
                  lines.push_back(fmt::format(
                      "{} {:o} {}:{} {} {}.{:09} [{}] {}{}", entry.path.substr(0, 300), status.st_mode,
                      status.st_uid, status.st_gid, size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                      first, content_of(entry), attributes_of(entry)));
                  return os::Visit::go_on;
                },
                {}});
  for (auto& line : lines) {
    line = line.get<std::string>() + ".";
  }
  return lines;
}

} // namespace

MirrorFixture::MirrorFixture()
    : m_directory("/tmp", "pyro-mirror-test"), m_uppers(m_directory.path() + "/uppers"),
      m_generation(m_directory.path() + "/gen") {
  std::signal(SIGPIPE, SIG_IGN);
  std::filesystem::create_directories(m_uppers + "/root/upper");
  std::filesystem::create_directories(m_generation);
}

MirrorFixture::~MirrorFixture() {
  stop_churn();
  os::IdSpace::current().run([&]() -> Json {
    os::remove_tree(m_uppers);
    os::remove_tree(m_generation);
    return nullptr;
  });
}

void MirrorFixture::make_directory(const std::string& path, mode_t mode) const {
  std::filesystem::create_directories(source(path));
  check(::chmod(source(path).c_str(), mode), "chmod");
}

void MirrorFixture::make_file(const std::string& path, const std::string& content, mode_t mode) const {
  make_parents(source(path));
  const auto file = os::open_file(source(path), O_WRONLY | O_CREAT | O_TRUNC, mode);
  os::write_all(file.get(), content);
  check(::fchmod(file.get(), mode), "fchmod");
}

void MirrorFixture::make_sparse(const std::string& path, off_t size) const {
  make_file(path, "begin");
  const auto file = os::open_file(source(path), O_WRONLY);
  check(static_cast<int>(::pwrite(file.get(), "middle", 6, size / 2)), "pwrite");
  check(::ftruncate(file.get(), size), "ftruncate");
}

void MirrorFixture::make_symlink(const std::string& path, const std::string& target) const {
  make_parents(source(path));
  check(::symlink(target.c_str(), source(path).c_str()), "symlink");
}

void MirrorFixture::make_whiteout(const std::string& path) const {
  make_parents(source(path));
  check(::mknod(source(path).c_str(), S_IFCHR, makedev(0, 0)), "mknod");
}

void MirrorFixture::make_fifo(const std::string& path) const {
  make_parents(source(path));
  check(::mkfifo(source(path).c_str(), 0640), "mkfifo");
}

void MirrorFixture::make_socket(const std::string& path) const {
  make_parents(source(path));
  check(::mknod(source(path).c_str(), S_IFSOCK | 0600, 0), "make a socket");
}

void MirrorFixture::make_link(const std::string& first, const std::string& path) const {
  make_parents(source(path));
  check(::link(source(first).c_str(), source(path).c_str()), "link");
}

void MirrorFixture::set_attribute(
    const std::string& path, const std::string& name, const std::string& value) const {
  check(::setxattr(source(path).c_str(), name.c_str(), value.data(), value.size(), 0), "setxattr");
}

void MirrorFixture::set_time(const std::string& path, std::int64_t nanoseconds) const {
  constexpr std::int64_t k_second = 1'000'000'000;
  const auto rest = (nanoseconds % k_second + k_second) % k_second;
  const timespec time{(nanoseconds - rest) / k_second, rest};
  const timespec times[2] = {time, time};
  check(::utimensat(AT_FDCWD, source(path).c_str(), times, AT_SYMLINK_NOFOLLOW), "utimensat");
}

void MirrorFixture::rename(const std::string& from, const std::string& to) const {
  check(::rename(source(from).c_str(), source(to).c_str()), "rename");
}

void MirrorFixture::remove(const std::string& path) const {
  os::remove_tree(source(path));
}

std::size_t MirrorFixture::make_deep(const std::string& path, int count, const std::string& name) const {
  make_directory(path);
  auto here = os::open_directory(source(path));
  for (int depth = 0; depth < count; ++depth) {
    check(::mkdirat(here.get(), name.c_str(), 0755), "mkdirat");
    here = os::open_directory_at(here.get(), name);
  }
  const auto file = os::open_at(here.get(), "file", O_WRONLY | O_CREAT, 0644);
  os::write_all(file.get(), "deep");
  return static_cast<std::size_t>(count) * (name.size() + 1);
}

void MirrorFixture::change_at_random(std::mt19937& random, int changes) {
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  const auto some_path = [&] {
    auto path = fmt::format("d{}", below(4));
    for (int depth = below(3); depth > 0; --depth) {
      path += fmt::format("/d{}", below(3));
    }
    return below(3) == 0 ? path : path + fmt::format("/n{}", below(12));
  };
  for (int change = 0; change < changes; ++change) {
    const auto path = some_path();
    try {
      switch (below(13)) {
      case 0:
      case 1:
      case 2:
        make_file(
            path,
            std::string(
                static_cast<std::size_t>(below(3) * below(90'000)), static_cast<char>('a' + below(26))));
        break;
      case 3:
        make_file(path, fmt::format("{:04}", below(10'000)), static_cast<mode_t>(0600 + below(64)));
        set_time(path, 1'000'000'000LL * below(5));
        break;
      case 4:
        make_directory(path, static_cast<mode_t>(0700 + below(64)));
        break;
      case 5:
        make_symlink(path, fmt::format("link-{}", below(100))); // nothing made through it leaves the tree
        break;
      case 6:
        make_whiteout(path);
        break;
      case 7:
        make_link(some_path(), path);
        break;
      case 8:
      case 9:
        rename(some_path(), path);
        break;
      case 10:
        set_attribute(path, below(2) ? "user.note" : "user.overlay.opaque", below(2) ? "y" : "n");
        break;
      case 11:
        if (::geteuid() == 0) {
          check(::lchown(source(path).c_str(), static_cast<uid_t>(below(2000)), 7), "lchown");
        }
        break;
      default:
        remove(path);
      }
    } catch (const std::exception&) {
      // What cannot be done to this tree is not done.
    }
  }
}

void MirrorFixture::start_churn() {
  m_churn = ::fork();
  if (m_churn == 0) {
    std::mt19937 random(3);
    for (;;) {
      change_at_random(random, 100);
    }
  }
}

void MirrorFixture::stop_churn() {
  if (m_churn > 0) {
    ::kill(m_churn, SIGKILL);
    ::waitpid(m_churn, nullptr, 0);
    m_churn = 0;
  }
}

MirrorReport
MirrorFixture::with_agent(const std::function<MirrorReport(backend::ControlClient& client)>& work) const {
  const auto document = os::IdSpace::current().run([&]() -> Json {
    const auto socket = fmt::format("{}/{}.sock", m_directory.path(), ::getpid());
    ::unlink(socket.c_str());
    const auto listener = os::listen_unix(socket);
    const auto client = backend::ControlClient::connect(socket);
    const auto channel = os::accept_unix(listener.get());
    os::Command command{
        {pyro::testing::binary_dir().string() + "/bin/pyro-agent", "--channel-fd", "3", "--upper-dir",
         m_uppers}};
    command.fds.push_back({3, channel->get()});
    const auto agent = os::spawn(command);
    const auto report = work(*client);
    ::unlink(socket.c_str());
    return to_json(report);
  });
  return mirror_report_from_json(document);
}

MirrorReport MirrorFixture::refresh(const MirrorOptions& options) {
  return with_agent([&](auto& client) { return refresh_mirror(client, m_generation, direct(options)); });
}

void MirrorFixture::refresh_settled() {
  while (refresh().in_doubt > 0) {
    ::usleep(5000);
  }
}

bool MirrorFixture::refresh_killed_after(std::chrono::microseconds time) {
  const auto child = ::fork();
  if (child == 0) {
    refresh();
    ::_exit(0);
  }
  ::usleep(static_cast<useconds_t>(time.count()));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

struct stat MirrorFixture::status_in_mirror(const std::string& path) const {
  struct stat status {};

  check(::lstat(mirrored(path).c_str(), &status), "lstat");
  return status;
}

std::int64_t MirrorFixture::blocks_of(const std::string& path) const {
  return status_in_mirror(path).st_blocks;
}

void MirrorFixture::write_in_mirror(const std::string& path, const std::string& content) const {
  os::IdSpace::current().run([&]() -> Json {
    make_parents(mirrored(path));
    std::ofstream(mirrored(path)) << content;
    return nullptr;
  });
}

void MirrorFixture::forget_in_mirror(const std::string& path) const {
  os::IdSpace::current().run([&]() -> Json {
    os::remove_tree(mirrored(path));
    return nullptr;
  });
}

void MirrorFixture::note_change_begun() const {
  std::ofstream(mirror_directory(m_generation) + "/changing") << "";
}

void MirrorFixture::write_index(const std::string& content) const {
  std::ofstream(mirror_directory(m_generation) + "/index") << content;
}

std::string MirrorFixture::difference() const {
  const auto both = os::IdSpace::current().run([&]() -> Json {
    auto lines = Json::array({described(m_uppers + "/root/upper"), described(m_generation + "/root/upper")});
    return Json(lines.dump(-1, ' ', true, Json::error_handler_t::replace));
  });
  const auto parsed = Json::parse(both.get<std::string>());
  std::string text;
  std::size_t shown = 0;
  const auto show = [&](const Json& lines, const Json& others, const char* sign) {
    for (const auto& line : lines) {
      if (std::find(others.begin(), others.end(), line) == others.end() && ++shown < 12) {
        text += sign + line.get<std::string>() + "\n";
      }
    }
  };
  show(parsed[0], parsed[1], "- ");
  show(parsed[1], parsed[0], "+ ");
  return text;
}

} // namespace pyro::mirror
