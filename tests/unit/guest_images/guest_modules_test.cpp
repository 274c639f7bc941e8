#include "guest_kernel_fixture.hpp"

#include <pyro/guest_images/initramfs.hpp>

#include <charconv>
#include <map>

namespace pyro::guest_images {

using GuestModules = GuestKernelTest;

TEST_F(GuestModules, AreLoadedAfterWhatTheyNeed) {
  write_package("p");
  const auto found = read_kernel_tree(path("p"));
  EXPECT_EQ(found.version, "6.1.0-test");
  EXPECT_EQ(found.kernel, path("p/boot/vmlinuz-6.1.0-test"));
  std::map<std::string, std::size_t> place;
  for (const auto& module : found.modules) {
    EXPECT_TRUE(place.emplace(module.name, place.size()).second) << module.name << " twice";
    EXPECT_TRUE(os::exists(module.path));
  }
  EXPECT_EQ(place.size(), 18U) << "all but fat";
  const auto first = [&](const char* one, const char* other) {
    EXPECT_LT(place.at(one), place.at(other)) << one << " before " << other;
  };
  first("virtio_ring.ko", "virtio.ko");
  first("virtio.ko", "virtio_pci.ko");
  first("virtio_pci_legacy_dev.ko", "virtio_pci.ko");
  first("virtio.ko", "virtio-rng.ko");
  first("failover.ko", "net_failover.ko");
  first("net_failover.ko", "virtio_net.ko");
  first("vmw_vsock_virtio_transport_common.ko", "vmw_vsock_virtio_transport.ko");
  first("libcrc32c.ko", "erofs.ko");
}

TEST_F(GuestModules, OneThatIsMissingIsNamed) {
  write_package("p");
  os::remove_tree(path("p/lib/modules/6.1.0-test/kernel/lib"));
  try {
    read_kernel_tree(path("p"));
    FAIL() << "erofs needs libcrc32c";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed);
    EXPECT_STREQ(error.what(), "the kernel package has no module libcrc32c, which erofs needs");
  }
  write("p/lib/modules/6.1.0-test/kernel/lib/libcrc32c.ko", "no ELF file");
  try {
    read_kernel_tree(path("p"));
    FAIL() << "that is no module";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::protocol);
    EXPECT_NE(std::string(error.what()).find("libcrc32c.ko"), std::string::npos) << error.what();
  }
  os::make_directories(path("q"));
  EXPECT_THROW(read_kernel_tree(path("q")), Error);
}

TEST_F(GuestModules, RubbishIsRefusedOrReadNeverFollowed) {
  const auto good = kernel_module("virtio_blk", "virtio,virtio_ring");
  EXPECT_EQ(module_dependencies(good), (std::vector<std::string>{"virtio", "virtio_ring"}));
  EXPECT_TRUE(module_dependencies(kernel_module("failover", "")).empty());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(module_dependencies(std::string_view(good).substr(0, size)), Error) << size;
  }
  int refused = 0;
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (const char byte : {'\xff', '\x7f', '\0'}) {
      auto broken = good;
      broken[place] = byte;
      try {
        EXPECT_LE(module_dependencies(broken).size(), 4U);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::protocol);
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 20);
}

struct Member {
  unsigned mode = 0;
  unsigned major = 0;
  unsigned minor = 0;
  std::string content;
};

/// By the format's own description: 110 bytes of hexadecimal header, name and content padded to four bytes.
std::vector<std::pair<std::string, Member>> members_of(const std::string& archive) {
  std::vector<std::pair<std::string, Member>> members;
  std::size_t at = 0;
  const auto padded = [](std::size_t place) {
    return (place + 3) / 4 * 4;
  };
  while (true) {
    const auto number = [&](int field) {
      unsigned value = 0;
      const char* begin = archive.data() + at + 6 + 8 * static_cast<std::size_t>(field);
      EXPECT_EQ(std::from_chars(begin, begin + 8, value, 16).ptr, begin + 8);
      return value;
    };
    if (archive.compare(at, 6, "070701") != 0) {
      ADD_FAILURE() << "no header at " << at;
      return members;
    }
    EXPECT_EQ(number(2), 0U) << "owner";
    EXPECT_EQ(number(3), 0U) << "group";
    EXPECT_EQ(number(5), 0U) << "time";
    const std::size_t name_size = number(11);
    const std::string name = archive.substr(at + 110, name_size - 1);
    const auto content = padded(at + 110 + name_size);
    if (name == "TRAILER!!!") {
      return members;
    }
    members.push_back({name, {number(1), number(9), number(10), archive.substr(content, number(6))}});
    at = padded(content + number(6));
  }
}

TEST_F(GuestModules, InitramfsIsTheSameForTheSameInput) {
  write("m/b.ko", "module b");
  write("m/a.ko", "module a");
  const InitramfsInput input{path("pyro-agent"), path("m"), {"b.ko", "a.ko"}};
  const auto one = write_initramfs(input, path("one.cpio"));
  write("m/a.ko", "module a"); // another time, another inode
  write("pyro-agent", "agent 1", 0700);
  const auto other = write_initramfs(input, path("other.cpio"));
  const auto bytes = os::read_file(path("one.cpio"));
  EXPECT_EQ(bytes, os::read_file(path("other.cpio")));
  EXPECT_EQ(one.digest, other.digest);
  EXPECT_EQ(one.digest, sha256_of(bytes));
  EXPECT_EQ(one.size_bytes, bytes.size());

  std::map<std::string, Member> members;
  std::vector<std::string> names;
  for (auto& [name, member] : members_of(bytes)) {
    names.push_back(name);
    members[name] = member;
  }
  EXPECT_EQ(
      names, (std::vector<std::string>{
                 "dev", "modules", "proc", "root", "run", "sys", "dev/console", "modules/b.ko",
                 "modules/a.ko", "modules/order", "init"}));
  EXPECT_EQ(members["init"].mode, S_IFREG | 0755U);
  EXPECT_EQ(members["init"].content, "agent 1");
  EXPECT_EQ(members["modules/order"].content, "b.ko\na.ko\n");
  EXPECT_EQ(members["modules/a.ko"].content, "module a");
  EXPECT_EQ(members["proc"].mode, S_IFDIR | 0755U);
  EXPECT_EQ(members["dev/console"].mode, S_IFCHR | 0600U);
  EXPECT_EQ(members["dev/console"].major, 5U);
  EXPECT_EQ(members["dev/console"].minor, 1U);

  write("pyro-agent", "agent 2", 0755);
  EXPECT_NE(write_initramfs(input, path("other.cpio")).digest, one.digest);
}

} // namespace pyro::guest_images
