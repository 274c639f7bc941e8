// What a guest that lies about its writable layer can do to this machine: nothing but fail.
#include <pyro/base/error.hpp>
#include <pyro/mirror/mirror.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/unix_socket.hpp>
#include <pyro/protocol/upper_content.hpp>
#include <pyro/protocol/upper_list.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace pyro::mirror {

namespace {

using protocol::UpperEntry;
using Kind = protocol::UpperEntry::Kind;
namespace fs = std::filesystem;

/// What the agent says, whatever it is asked.
struct Script {
  std::string list;
  Json result{{"identity", "disk"}, {"began_ns", 1'000'000}};
  std::string content;
  bool floods = false; // sends the list again and again
  bool is_silent = false;
};

void serve(const Script& script, os::Fd channel) {
  os::EventLoop loop;
  protocol::Session session(protocol::Role::server);
  protocol::Router router;
  router.add("/upper/list", [&script](const auto& call, const Json&) {
    if (script.is_silent) {
      static auto s_kept = call;
      return;
    }
    if (!script.floods) {
      call->send(protocol::FrameType::data_out, script.list);
      call->finish(script.result);
      return;
    }
    protocol::CallEvents events;
    events.on_writable = [call, &script] {
      while (call->send(protocol::FrameType::data_out, script.list)) {
      }
    };
    call->set_events(events);
    events.on_writable();
  });
  router.add("/upper/read", [&script](const auto& call, const Json&) {
    protocol::CallEvents events;
    events.on_end_in = [call, &script] {
      call->send(protocol::FrameType::data_out, script.content);
      call->finish(Json::object());
    };
    call->set_events(events);
  });
  router.attach(session);
  os::BytePump pump(
      loop, std::move(channel),
      {[&](std::string_view bytes) { session.feed(bytes); }, [&] { return session.take_output(); },
       [&](const Error*) {
         loop.stop();
       }});
  session.on_output([&] { pump.wake(); });
  loop.run();
}

UpperEntry entry(std::uint32_t depth, const std::string& name, Kind kind = Kind::directory) {
  UpperEntry result;
  result.depth = depth;
  result.name = name;
  result.kind = kind;
  result.mode = 0755;
  result.links = 1;
  result.inode = depth * 1000 + name.size();
  result.ctime_ns = 5;
  if (kind == Kind::symlink) {
    result.target = "/tmp";
  }
  return result;
}

std::string listed(const std::vector<UpperEntry>& entries) {
  auto text = encode_upper_entry(entry(0, "")) + encode_upper_entry(entry(1, "root"))
              + encode_upper_entry(entry(2, "upper"));
  for (const auto& one : entries) {
    text += encode_upper_entry(one);
  }
  return text;
}

class HostileTest : public ::testing::Test {
protected:
  HostileTest() : m_directory("/tmp", "pyro-hostile-test") {
    std::signal(SIGPIPE, SIG_IGN);
    fs::create_directories(outside());
    fs::create_directories(generation());
    std::ofstream(outside() + "/canary") << "sings";
    std::ofstream(generation() + "/capture.json") << "ours";
  }

  ~HostileTest() override {
    os::IdSpace::current().run([&]() -> Json {
      os::remove_tree(generation());
      return nullptr;
    });
  }

  MirrorReport refresh(const Script& script, MirrorOptions options = {}) {
    options.agent = "";
    const auto document = os::IdSpace::current().run([&]() -> Json {
      const auto socket = fmt::format("{}/{}.sock", m_directory.path(), ::getpid());
      ::unlink(socket.c_str());
      const auto listener = os::listen_unix(socket);
      const auto client = backend::ControlClient::connect(socket);
      auto channel = os::accept_unix(listener.get());
      const auto child = ::fork();
      if (child == 0) {
        try {
          serve(script, std::move(*channel));
        } catch (const std::exception&) {
        }
        ::_exit(0);
      }
      channel.reset();
      const auto end = [&] {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
      };
      try {
        const auto report = refresh_mirror(*client, generation(), options);
        end();
        return to_json(report);
      } catch (const Error&) {
        end();
        throw;
      }
    });
    return mirror_report_from_json(document);
  }

  /// The error's code, and that nothing of ours was touched.
  ErrorCode refused(const Script& script, const MirrorOptions& options = {}) {
    auto code = ErrorCode::internal;
    try {
      refresh(script, options);
      ADD_FAILURE() << "it was believed";
    } catch (const Error& error) {
      code = error.code();
      EXPECT_NE(std::string(error.what()).find("mirroring the writable layer"), std::string::npos)
          << error.what();
    }
    check_untouched();
    return code;
  }

  void check_untouched() {
    std::vector<std::string> names;
    for (const auto& one : fs::directory_iterator(outside())) {
      names.push_back(one.path().filename());
    }
    EXPECT_EQ(names, std::vector<std::string>{"canary"});
    std::string text;
    std::ifstream(outside() + "/canary") >> text;
    EXPECT_EQ(text, "sings");
    std::ifstream(generation() + "/capture.json") >> text;
    EXPECT_EQ(text, "ours");
    for (const auto& one : fs::directory_iterator(m_directory.path())) {
      const auto name = one.path().filename().string();
      EXPECT_TRUE(name == "outside" || name == "gen" || name.ends_with(".sock")) << name;
    }
  }

  std::string outside() const { return m_directory.path() + "/outside"; }

  std::string generation() const { return m_directory.path() + "/gen"; }

  std::string upper(const std::string& path) const { return generation() + "/root/upper/" + path; }

  os::TempDir m_directory;
};

TEST_F(HostileTest, namesThatLeadElsewhere) {
  for (const auto& name :
       {std::string(".."), std::string("."), std::string(), std::string("a/b"), std::string("/etc"),
        std::string("a\0b", 3), std::string(256, 'n'), std::string("../../../../outside/x")}) {
    EXPECT_EQ(refused({listed({entry(3, name)})}), ErrorCode::protocol) << name;
  }
}

TEST_F(HostileTest, partsThatAreNone) {
  const auto top = encode_upper_entry(entry(0, ""));
  for (const auto& one :
       {entry(1, "capture.json"), entry(1, ".mirror"), entry(1, "root", Kind::symlink), entry(1, "usr"),
        entry(1, "root", Kind::file)}) {
    EXPECT_EQ(refused({top + encode_upper_entry(one)}), ErrorCode::protocol) << one.name;
  }
  const auto root = top + encode_upper_entry(entry(1, "root"));
  for (const auto& one :
       {entry(2, "work"), entry(2, "upper", Kind::symlink), entry(2, "upper", Kind::file)}) {
    EXPECT_EQ(refused({root + encode_upper_entry(one)}), ErrorCode::protocol) << one.name;
  }
}

TEST_F(HostileTest, orderThatMakesNoTree) {
  const auto a = entry(3, "a");
  EXPECT_EQ(refused({listed({a, a})}), ErrorCode::protocol) << "twice";
  EXPECT_EQ(refused({listed({entry(3, "b"), a})}), ErrorCode::protocol) << "out of order";
  EXPECT_EQ(
      refused({listed({entry(3, "s", Kind::symlink), entry(4, "x", Kind::whiteout)})}), ErrorCode::protocol)
      << "below a symlink";
  EXPECT_EQ(refused({listed({entry(3, "f", Kind::file), entry(4, "x")})}), ErrorCode::protocol);
  EXPECT_EQ(refused({listed({entry(5, "x")})}), ErrorCode::protocol) << "in nothing";
  EXPECT_EQ(refused({listed({entry(0, "")})}), ErrorCode::protocol) << "a second root";
  EXPECT_EQ(refused({""}), ErrorCode::protocol);
}

TEST_F(HostileTest, recordsThatAreCutOrTooLong) {
  const auto whole = listed({entry(3, "a")});
  for (std::size_t length = whole.size() - 60; length < whole.size(); ++length) {
    EXPECT_EQ(refused({whole.substr(0, length)}), ErrorCode::protocol) << length;
  }
  EXPECT_EQ(refused({listed({}) + std::string("\x7f\xff\xff\xff", 4)}), ErrorCode::protocol);
  auto wrong = entry(3, "a");
  wrong.mode = 0100755;
  EXPECT_EQ(refused({listed({wrong})}), ErrorCode::protocol);
  wrong = entry(3, "a", Kind::symlink);
  wrong.target = std::string("a\0b", 3);
  EXPECT_EQ(refused({listed({wrong})}), ErrorCode::protocol);
}

TEST_F(HostileTest, disksWithoutIdentity) {
  Script script{listed({})};
  for (const auto& result :
       {Json::object(), Json{{"identity", ""}, {"began_ns", 1}}, Json{{"identity", 7}, {"began_ns", 1}},
        Json{{"identity", std::string(1000, 'x')}, {"began_ns", 1}}}) {
    script.result = result;
    EXPECT_EQ(refused(script), ErrorCode::protocol) << result.dump();
  }
}

TEST_F(HostileTest, floodsAndSilence) {
  MirrorOptions options;
  options.list_bytes = 1 << 20;
  EXPECT_EQ(refused({listed({entry(3, "a")}), {}, {}, true}, options), ErrorCode::failed);

  options = {};
  options.limits.entries = 5;
  EXPECT_EQ(refused({listed({entry(3, "a"), entry(3, "b"), entry(3, "c")})}, options), ErrorCode::failed);

  options = {};
  options.limits.depth = 3;
  EXPECT_EQ(refused({listed({entry(3, "a"), entry(4, "b")})}, options), ErrorCode::failed);

  options = {};
  options.patience = std::chrono::milliseconds(100);
  Script script;
  script.is_silent = true;
  EXPECT_EQ(refused(script, options), ErrorCode::timeout);
}

TEST_F(HostileTest, sizesThatLie) {
  auto file = entry(3, "f", Kind::file);
  file.size = 4;
  Script script{listed({file})};
  const auto head = protocol::encode_upper_file({true, file.inode, 4, file.ctime_ns});
  const auto end = protocol::encode_upper_end(protocol::UpperChanged::no);
  const auto data = protocol::encode_upper_data("four");
  using protocol::encode_upper_data;
  for (const auto& content :
       {head + data + data + end, head + encode_upper_data("thr") + end, head + end,
        head + protocol::encode_upper_hole(5) + end, head + data + encode_upper_data("") + end,
        head + data + end + head + data + end, head + data, std::string("X"), data + end, head + head,
        std::string(), protocol::encode_upper_file({}) + end,
        head + data + end + protocol::encode_upper_file({}), head + data + end + "D"}) {
    script.content = content;
    EXPECT_EQ(refused(script), ErrorCode::protocol);
  }
  MirrorOptions options;
  options.fetched_bytes = 3;
  script.content = head + data + end;
  EXPECT_EQ(refused(script, options), ErrorCode::failed);
  options = {};
  options.file_bytes = 3;
  EXPECT_EQ(refused(script, options), ErrorCode::failed);

  EXPECT_EQ(refresh(script).fetched, 1U) << "and the truth is believed after all that";
  EXPECT_EQ(fs::file_size(upper("f")), 4U);
}

/// Some megabytes of a list stand for terabytes of paths: they are counted before anybody keeps them.
TEST_F(HostileTest, pathsThatMultiply) {
  std::vector<UpperEntry> entries;
  for (std::uint32_t depth = 3; depth < 1990; ++depth) {
    entries.push_back(entry(depth, std::string(255, 'd')));
  }
  for (int index = 10'000; index < 30'000; ++index) {
    entries.push_back(entry(1990, std::string(250, 'f') + std::to_string(index), Kind::fifo));
  }
  EXPECT_EQ(refused({listed(entries)}), ErrorCode::failed);
  EXPECT_FALSE(fs::exists(upper(std::string(255, 'd'))));
}

/// Whatever sizes the list speaks of: one refresh gets no more than the disk holds, and neither do many.
TEST_F(HostileTest, moreThanItsDiskHolds) {
  constexpr std::uint64_t k_disk = 1 << 20;
  MirrorOptions options;
  options.fetched_bytes = options.held_bytes = k_disk;
  const std::string piece(64 << 10, 'x');
  std::vector<UpperEntry> entries;
  Script script;
  bool is_refused = false;
  for (int round = 0; round < 10 && !is_refused; ++round) {
    auto file = entry(3, "f" + std::to_string(round), Kind::file);
    file.inode = 100 + static_cast<std::uint64_t>(round);
    file.size = 768 << 10;
    entries.push_back(file);
    script.list = listed(entries);
    script.content = protocol::encode_upper_file({true, file.inode, file.size, file.ctime_ns});
    for (int count = 0; count < 12; ++count) {
      script.content += protocol::encode_upper_data(piece);
    }
    script.content += protocol::encode_upper_end(protocol::UpperChanged::no);
    try {
      EXPECT_EQ(refresh(script, options).fetched, 1U);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::failed) << error.what();
      is_refused = true;
    }
  }
  EXPECT_TRUE(is_refused) << "ten times what its disk holds";

  // A size in the list that is not that of the content is believed by nobody: it is fetched again.
  auto small = entry(3, "small", Kind::file);
  small.size = 1;
  script.list = listed({small});
  script.content = protocol::encode_upper_file({true, small.inode, 5, small.ctime_ns})
                   + protocol::encode_upper_data("large")
                   + protocol::encode_upper_end(protocol::UpperChanged::no);
  EXPECT_EQ(refresh(script, options).in_doubt, 1U);
  EXPECT_EQ(refresh(script, options).fetched, 1U);

  // Holes take no room.
  auto sparse = entry(3, "sparse", Kind::file);
  sparse.size = std::uint64_t{1} << 40;
  script.list = listed({sparse});
  script.content = protocol::encode_upper_file({true, sparse.inode, sparse.size, sparse.ctime_ns})
                   + protocol::encode_upper_hole(sparse.size)
                   + protocol::encode_upper_end(protocol::UpperChanged::no);
  EXPECT_EQ(refresh(script, options).fetched, 1U);
  EXPECT_EQ(refresh(script, options).unchanged, 4U);
}

TEST_F(HostileTest, aSymlinkWhereADirectoryWas) {
  auto link = entry(3, "d", Kind::symlink);
  link.target = outside();
  refresh({listed({link})});
  EXPECT_TRUE(fs::is_symlink(upper("d")));

  auto file = entry(4, "x", Kind::file);
  Script script{listed({entry(3, "d"), file})};
  script.content = protocol::encode_upper_file({true, file.inode, 0, file.ctime_ns})
                   + protocol::encode_upper_end(protocol::UpperChanged::no);
  refresh(script);
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(upper("d"))));
  EXPECT_TRUE(fs::exists(upper("d/x")));
  check_untouched();

  // Even if it came to lie in the mirror in another way it is not followed.
  os::IdSpace::current().run([&]() -> Json {
    os::remove_tree(upper("d"));
    fs::create_directory_symlink(outside(), upper("d"));
    return nullptr;
  });
  auto another = entry(4, "z", Kind::file);
  script.list = listed({entry(3, "d"), file, another});
  EXPECT_EQ(refused(script), ErrorCode::stale);
}

TEST_F(HostileTest, filesThatShareAnInodeOnlyInWords) {
  auto one = entry(3, "a", Kind::file);
  one.links = 2;
  auto two = entry(3, "b", Kind::file);
  two.links = 2;
  two.inode = one.inode;
  Script script{listed({one, two})};
  script.content = protocol::encode_upper_file({});
  refresh(script);
  EXPECT_FALSE(fs::exists(upper("a")));
  EXPECT_FALSE(fs::exists(upper("b")));
}

TEST_F(HostileTest, attributesThatAreNotContent) {
  auto file = entry(3, "d");
  file.xattrs = {
      {"user.overlay.redirect", "/etc"},
      {"trusted.overlay.redirect", "/etc"},
      {"security.selinux", "x"},
      {"user.note", "kept"}};
  refresh({listed({file})});
  std::string names(1000, '\0');
  const auto size = ::listxattr(upper("d").c_str(), names.data(), names.size());
  ASSERT_GE(size, 0);
  names.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(names.find("overlay"), std::string::npos);
  EXPECT_NE(names.find("user.note"), std::string::npos);
}

} // namespace

} // namespace pyro::mirror
