// `pyro import`: specs/import holds files of other tools as projects have them, and what becomes of each.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <cstdlib>

namespace pyro::testing {
namespace {

class Import : public Functional {
protected:
  static std::string kind_of(const fs::path& file) {
    return file.extension() == ".json" ? "devcontainer" : "compose";
  }

  static fs::path source_in(const fs::path& directory) {
    for (const auto* name : {"compose.yaml", "compose.yml", "docker-compose.yml", "devcontainer.json"}) {
      if (fs::exists(directory / name)) {
        return directory / name;
      }
    }
    return {};
  }
};

TEST_F(Import, EachFileBecomesWhatSpecsHave) {
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(source_dir() / "specs/import")) {
    const auto name = entry.path().filename().string();
    const auto here = project() / name;
    fs::copy(entry.path(), here, fs::copy_options::recursive);
    for (const auto* made : {"expected.yaml", "expected.txt"}) {
      fs::remove(here / made);
    }
    const auto source = source_in(here);
    const RunOptions options{.cwd = here, .env = {{"PYRO_TRUST", "1"}}};
    const auto done =
        expect(0, {"import", kind_of(source), source.filename().string(), "--verbose"}, options);
    expect(0, {"validate"}, options);
    for (const auto& [file, text] :
         {std::pair{"expected.yaml", read_file(here / "pyro.yaml")}, {"expected.txt", done.err}}) {
      if (std::getenv("PYRO_TEST_ACCEPT") != nullptr) {
        write_file(entry.path() / file, text);
      } else {
        EXPECT_EQ(read_file(entry.path() / file), text) << name << ": PYRO_TEST_ACCEPT=1 rewrites it";
      }
    }
    ++cases;
  }
  EXPECT_GE(cases, 12);
}

TEST_F(Import, NeverOverwritesUnasked) {
  write_file(project() / "compose.yaml", "services: {a: {image: redis}}\n");
  write_file(project() / "pyro.yaml", "mine\n");
  EXPECT_TRUE(contains(expect(1, {"import", "compose", "compose.yaml"}).err, "--force"));
  EXPECT_EQ(read_file(project() / "pyro.yaml"), "mine\n");
  fs::remove(project() / "pyro.yaml");
  fs::create_symlink(root() / "elsewhere", project() / "pyro.yaml");
  EXPECT_NE(pyro({"import", "compose", "compose.yaml", "--force"}).status, 0);
  EXPECT_FALSE(fs::exists(root() / "elsewhere"));
}

TEST_F(Import, WhatIsNoSuchFileIsRefusedWithItsPlace) {
  write_file(project() / "list.yaml", "- a\n");
  write_file(project() / "twice.yaml", "services:\n  a: {image: x, image: y}\n");
  write_file(project() / "none.yaml", "services: {}\n");
  write_file(project() / "half.json", "{\"image\": \"x\"\n");
  write_file(project() / "large.yaml", std::string(2 << 20, '#'));
  ASSERT_EQ(command({"mkfifo", (project() / "fifo").string()}).status, 0);
  for (const auto& [kind, file, place] :
       {std::tuple{"compose", "list.yaml", "list.yaml:1:1"},
        {"compose", "twice.yaml", "twice.yaml:2:"},
        {"compose", "none.yaml", "none.yaml:1:1"},
        {"devcontainer", "half.json", "half.json:"},
        {"compose", "large.yaml", "larger than 1 MiB"},
        {"compose", "fifo", "fifo"}}) {
    const auto result = expect(65, {"import", kind, file});
    EXPECT_TRUE(contains(result.err, place)) << result;
    EXPECT_FALSE(fs::exists(project() / "pyro.yaml"));
  }
  expect(66, {"import", "compose", "not-there"});
}

/// What lies beside it is a stranger's as well.
TEST_F(Import, ADockerfileThatLeadsOutIsNotRead) {
  write_file(root() / "Dockerfile", "FROM secret:1\n");
  fs::create_symlink(root() / "Dockerfile", project() / "Dockerfile");
  write_file(
      project() / "compose.yaml", "services: {a: {build: ., command: x}, b: {build: {context: .., "
                                  "dockerfile: Dockerfile}, command: x}}\n");
  expect(0, {"import", "compose", "compose.yaml"});
  EXPECT_FALSE(contains(read_file(project() / "pyro.yaml"), "secret"));
}

} // namespace
} // namespace pyro::testing
