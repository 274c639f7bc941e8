// What every file keeps to: length, header guards, names, formatting, and nothing of the machine it was
// written on.
#include "source_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace pyro::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_long = 400;
constexpr std::size_t k_too_long = 800;

/// tests/rules/long_files.txt: "path: reason" for each file over k_long lines.
std::map<std::string, std::string> long_files() {
  std::map<std::string, std::string> result;
  std::ifstream in(root() / "tests/rules/long_files.txt");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (!line.starts_with("#") && colon != std::string::npos) {
      result[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  return result;
}

bool runs(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) {
    return "cannot run " + command;
  }
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    text.append(buffer, got);
  }
  ::pclose(pipe);
  return text;
}

TEST(Style, FilesAreShort) {
  const auto known = long_files();
  std::set<std::string> used;
  for (const auto& file : sources_below({"src", "tests"})) {
    const auto count = file.lines().size();
    EXPECT_LE(count, k_too_long) << file.path << " must be split";
    if (count > k_long) {
      used.insert(file.path);
      EXPECT_TRUE(known.contains(file.path))
          << file.path << " has " << count
          << " lines: split it, or give the reason in tests/rules/long_files.txt";
    }
  }
  for (const auto& [path, reason] : known) {
    EXPECT_TRUE(used.contains(path)) << path << " is in long_files.txt but is not long";
    EXPECT_GT(reason.size(), 10u) << path << " needs a reason";
  }
}

/// What call() returned in a loop through `call()["key"]` is gone before the first round.
TEST(Style, NoLoopGoesThroughAPartOfATemporary) {
  const std::regex dangling(R"(for \([^;{]* : [^;{]*\w\([^;]*\)(\[|\.at\(|\.front\(\)|\.back\(\)))");
  for (const auto& file : sources_below({"src", "tests"})) {
    std::size_t number = 0;
    for (const auto& line : file.lines()) {
      ++number;
      EXPECT_FALSE(std::regex_search(std::string(line), dangling))
          << file.path << ":" << number << ": give what is called a name before the loop";
    }
  }
}

TEST(Style, HeadersAreGuardedAndSayWhatTheyAreFor) {
  for (const auto& file : sources_below({"src", "tests"})) {
    if (!file.has_extension({".hpp", ".h"})) {
      continue;
    }
    EXPECT_NE(file.text.find("#pragma once\n"), std::string::npos) << file.path << " has no #pragma once";
    EXPECT_TRUE(file.text.starts_with("//")) << file.path << " does not say what it is for";
  }
}

TEST(Style, NoNamespaceIsOpenedWholesale) {
  static const std::regex in_header(R"(using\s+namespace\s)");
  static const std::regex standard(R"(using\s+namespace\s+std\s*;)");
  for (const auto& file : sources_below({"src", "tests"})) {
    const auto code = code_only(file.text);
    EXPECT_FALSE(std::regex_search(code, standard)) << file.path << " opens namespace std";
    if (file.has_extension({".hpp"})) {
      EXPECT_FALSE(std::regex_search(code, in_header))
          << file.path << " opens a namespace for all its includers";
    }
  }
}

TEST(Style, NothingIsSwallowedAndNothingPrintsBesideTheFronts) {
  static const std::regex empty_catch(R"(catch\s*\(\s*\.\.\.\s*\)\s*\{\s*\})");
  static const std::regex prints(R"(std::(cout|cerr|clog)\b)");
  for (const auto& file : sources_below({"src"})) {
    const auto code = code_only(file.text);
    EXPECT_FALSE(std::regex_search(code, empty_catch))
        << file.path << " swallows an exception without a word";
    if (!file.path.starts_with("src/pyro/cli/") && !file.path.starts_with("src/pyro/app/")) {
      EXPECT_FALSE(std::regex_search(code, prints)) << file.path << " prints; use base/log.hpp or a result";
    }
  }
}

TEST(Style, JsonHasOneReader) {
  static const std::regex reads(R"(\b([Jj]son|basic_json<>)::(parse|accept|sax_parse|from_\w+)\s*\()");
  int readers = 0;
  for (const auto& file : sources_below({"src"})) {
    const bool is_found = std::regex_search(code_only(file.text), reads);
    readers += is_found ? 1 : 0;
    EXPECT_TRUE(!is_found || file.path == "src/pyro/base/json_access.cpp")
        << file.path << " reads JSON of any depth; use base/json_access.hpp or base/json_text.hpp";
  }
  EXPECT_EQ(readers, 1) << "the rule looks for the wrong thing";
}

/// What waited is seen by a counter, the order of events, or a time limit far beyond the test's own.
TEST(Style, NoTestAssertsThatSomethingWasQuick) {
  static const std::regex quick(
      R"((EXPECT|ASSERT)_(LT|LE)\s*\([^;]*(\b(took|elapsed|steady_clock|now_monotonic)\b|\b(milli)?seconds\s*[({]))");
  const auto is_refused = [](const std::string& code) {
    return std::regex_search(code, quick);
  };
  for (const auto& file : sources_below({"tests"})) {
    const auto code = code_only(file.text);
    std::size_t begin = 0;
    for (auto end = code.find(';'); end != std::string::npos; end = code.find(';', begin)) {
      EXPECT_FALSE(is_refused(code.substr(begin, end + 1 - begin)))
          << file.path << ":" << std::count(code.begin(), code.begin() + static_cast<long>(end), '\n') + 1
          << " fails where the machine has much to do";
      begin = end + 1;
    }
  }
  EXPECT_TRUE(is_refused("EXPECT_LT(now() - began,\n  std::chrono::seconds(6));"));
  EXPECT_TRUE(is_refused("ASSERT_LE(result.took.count(), 240'000);"));
  EXPECT_FALSE(is_refused("EXPECT_GE(took, milliseconds(950));"));
}

TEST(Style, ProgramsAreExecutedInSevenPlacesAndGetAMadeEnvironment) {
  const std::set<std::string> executes{
      "src/pyro/agent/launch.cpp",
      "src/pyro/app/main.cpp", // becomes our own server, in the user's surroundings
      "src/pyro/backend/namespaces/sandbox_init.cpp",
      "src/pyro/backend/qemu/confinement.cpp",
      "src/pyro/backend/shared/gateway.cpp",
      "src/pyro/os/helper_process.cpp",
      "src/pyro/os/process.cpp"};
  // The user's own command (`secrets.command`) is run in the user's own surroundings, and the launcher is
  // ourselves.
  const std::set<std::string> inherits{
      "src/pyro/launcher/launcher.cpp", "src/pyro/os/program_environment.cpp",
      "src/pyro/os/program_environment.hpp", "src/pyro/workspace/context/secrets.cpp"};
  const std::regex execution(
      R"(\b(execv|execve|execvp|execvpe|execl|execle|execlp|execveat|fexecve|posix_spawnp?|popen)\(|::system\()");
  std::set<std::string> executing;
  std::set<std::string> inheriting;
  for (const auto& file : sources_below({"src"})) {
    const auto code = code_only(file.text);
    if (std::regex_search(code, execution)) {
      executing.insert(file.path);
    }
    if (code.find("inherited_environment") != std::string::npos) {
      inheriting.insert(file.path);
    }
  }
  EXPECT_EQ(executing, executes);
  EXPECT_EQ(inheriting, inherits);
}

TEST(Style, EveryFolderIsItsNamespace) {
  for (const auto& file : sources_below({"src"})) {
    if (!file.has_extension({".hpp"})) {
      continue;
    }
    const auto folder = file.path.substr(9, file.path.rfind('/') - 9); // below src/pyro/
    const auto first = folder.substr(0, folder.find('/'));
    const auto wanted = first == "base" ? std::string("namespace pyro") : "namespace pyro::" + first;
    EXPECT_NE(code_only(file.text).find(wanted), std::string::npos)
        << file.path << " declares nothing in " << wanted;
  }
}

TEST(Style, SourcesAreFormatted) {
  if (!runs("clang-format-14 --version")) {
    GTEST_SKIP() << "clang-format-14 is not installed";
  }
  // One process for all: a process per file takes ten times as long.
  std::string command = "cd '" + root().string() + "' && clang-format-14 --dry-run -Werror";
  for (const auto& file : sources_below({"src", "tests"})) {
    command += " '" + file.path + "'";
  }
  EXPECT_EQ(output_of(command), "") << "`make format` mends it";
}

TEST(Style, ScriptsParse) {
  for (const auto& file : all_files()) {
    const auto path = (root() / file.path).string();
    if (file.text.starts_with("#!/bin/sh") || file.text.starts_with("#!/usr/bin/env bash")) {
      EXPECT_EQ(output_of("bash -n '" + path + "'"), "") << file.path;
    } else if (file.has_extension({".py"})) {
      EXPECT_EQ(
          output_of("python3 -c 'import ast,sys; ast.parse(open(sys.argv[1]).read())' '" + path + "'"), "")
          << file.path;
    }
  }
}

/// Hosts of package sources and proxies of this machine, but for those that everybody has.
std::set<std::string> private_hosts() {
  std::string text;
  const auto take = [&](const fs::path& path) {
    std::ifstream in(path);
    std::ostringstream content;
    content << in.rdbuf();
    text += content.str() + "\n";
  };
  std::error_code ignored;
  for (const auto* folder : {"/etc/apt/sources.list.d", "/etc/apt/apt.conf.d"}) {
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      take(entry.path());
    }
  }
  for (const auto* path : {"/etc/apt/sources.list", "/etc/apt/apt.conf", "/etc/pip.conf"}) {
    take(path);
  }
  for (const auto* name :
       {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "PIP_INDEX_URL", "GOPROXY"}) {
    if (const char* value = std::getenv(name)) {
      text += std::string(value) + "\n";
    }
  }
  static const std::regex url(R"(\bhttps?://(?:[^/@\s"]*@)?([A-Za-z0-9.-]+))");
  static const std::regex known(
      R"(^(localhost|127\.\d+\.\d+\.\d+|.*\.debian\.org|.*\.ubuntu\.com|.*pypi\.org|.*pythonhosted\.org|.*golang\.org|.*github\.com|debian\.org)$)");
  std::set<std::string> hosts;
  for (std::sregex_iterator it(text.begin(), text.end(), url), end; it != end; ++it) {
    if (const auto host = (*it)[1].str(); !std::regex_match(host, known)) {
      hosts.insert(host);
    }
  }
  return hosts;
}

TEST(Style, NothingNamesTheMachineItWasWrittenOn) {
  std::set<std::string> secrets = private_hosts();
  // The checkout's own place, where it is telling (not a mere "/src").
  if (const auto place = root().lexically_normal().string();
      std::count(place.begin(), place.end(), '/') >= 2) {
    secrets.insert(place);
  }
  for (const auto& file : all_files()) {
    for (const auto& secret : secrets) {
      EXPECT_EQ(file.text.find(secret), std::string::npos) << file.path << " names " << secret;
    }
  }
}

TEST(Style, WhatTheArchitecturePageNamesIsThere) {
  std::ifstream in(root() / "ARCHITECTURE.md");
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::regex named("`([a-z0-9_/]+\\.[ch]pp)`");
  int count = 0;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), named); at != std::sregex_iterator();
       ++at, ++count) {
    EXPECT_TRUE(fs::exists(root() / "src/pyro" / (*at)[1].str())) << (*at)[1];
  }
  EXPECT_GE(count, 15);
}

TEST(Style, WhatIsMadeInTheStateDirectoryIsKnownToPurge) {
  const std::regex made(R"re(base\.root\(\) \+ "/([a-z-]+))re");
  const auto layout = std::find_if(all_files().begin(), all_files().end(), [](const SourceFile& file) {
    return file.path == "src/pyro/store/layout.cpp";
  });
  ASSERT_NE(layout, all_files().end());
  int found = 0;
  for (const auto& file : sources_below({"src"})) {
    for (auto match = std::sregex_iterator(file.text.begin(), file.text.end(), made);
         match != std::sregex_iterator(); ++match, ++found) {
      EXPECT_NE(layout->text.find('"' + (*match)[1].str() + '"'), std::string::npos)
          << file.path << ": Base::parts() lacks " << (*match)[1];
    }
  }
  EXPECT_GT(found, 4);
}

TEST(Style, TextFilesAreClean) {
  for (const auto& file : all_files()) {
    const bool is_input = file.path.find("/corpus/") != std::string::npos
                          || (file.path.starts_with("specs/") && file.path.ends_with("/pyro.yaml"));
    if (file.path == "LICENSE" || is_input) {
      continue; // a licence's own text, and inputs that are damaged on purpose
    }
    EXPECT_TRUE(file.text.empty() || file.text.back() == '\n') << file.path << " lacks a last newline";
    EXPECT_EQ(file.text.find("\r\n"), std::string::npos) << file.path << " has CRLF line ends";
  }
}

} // namespace
} // namespace pyro::rules
