// `cache` of a step: whose it is, and what it may not take the place of.
#include "support.hpp"

namespace pyro::spec::testing {

namespace {

std::string with_cache(const std::string& cache, const std::string& more = {}) {
  return with_environment("  setup:\n    - id: a\n      run: x\n      cache: [" + cache + "]\n" + more);
}

std::vector<CacheDirectory> caches_of(const std::string& text) {
  const auto spec = parsed(text);
  return spec.environment.setup.empty() ? std::vector<CacheDirectory>{} : spec.environment.setup[0].cache;
}

} // namespace

TEST(Caches, BelongToTheCheckoutUnlessTheySayOtherwise) {
  EXPECT_EQ(
      caches_of(with_cache("/a, {path: /b}, {path: /c, share: checkout}, {path: /d, share: machine}")),
      (std::vector<CacheDirectory>{
          {"/a", CacheShare::checkout},
          {"/b", CacheShare::checkout},
          {"/c", CacheShare::checkout},
          {"/d", CacheShare::machine}}));
}

TEST(Caches, APathHasOneForm) {
  for (const auto* text : {"/var/cache/apt/", "//var//cache/apt", "/var/./cache/apt/.", "/var/cache/apt"}) {
    EXPECT_EQ(caches_of(with_cache(text)), (std::vector<CacheDirectory>{{"/var/cache/apt"}})) << text;
    EXPECT_EQ(
        caches_of(with_cache(fmt::format("{{path: {}, share: machine}}", text))),
        (std::vector<CacheDirectory>{{"/var/cache/apt", CacheShare::machine}}));
  }
}

TEST(Caches, NeverReplaceTheSystem) {
  for (const auto* path :
       {"/",        "//",         "/.",         "/etc",           "/etc/",        "/etc/apt",         "/usr",
        "/usr/bin", "/usr/lib/x", "/usr/lib64", "/usr/libexec/x", "/usr/local",   "/usr/local/bin/x", "/bin",
        "/bin/x",   "/sbin",      "/lib",       "/lib64",         "/lib32",       "/libx32/y",        "/proc",
        "/proc/1",  "/sys",       "/dev",       "/dev/shm",       "/run",         "/run/x",           "/boot",
        "/.pyro",   "/.pyro/x",   "/var",       "/var/lib",       "/var/lib/dpkg"}) {
    const auto error = first_error(with_cache(path));
    EXPECT_NE(error.find(": error: environment.setup.a.cache[0]: a cache at /"), std::string::npos) << error;
    EXPECT_NE(error.find("would replace the system of the image"), std::string::npos) << error;
  }
  EXPECT_EQ(
      first_error(with_cache("/ok, {share: machine, path: /etc/}")),
      "pyro.yaml:7:20: error: environment.setup.a.cache[1]: a cache at /etc would replace the system of the "
      "image (name the directory of the tool, such as /root/.cache/pip or /var/cache/apt)");
  for (const auto* path :
       {"/root/.cache/pip", "/var/cache/apt", "/var/lib/apt/lists", "/usr/local/cargo/registry", "/opt/x",
        "/srv", "/workspace/node_modules", "/etcetera", "/tmp/x", "/home/node/.npm"}) {
    EXPECT_EQ(caches_of(with_cache(path)).size(), 1U) << path;
  }
}

TEST(Caches, AreAbsolute) {
  for (const auto* path : {"a", "./a", "../a", "/a/../../etc", "/..", "~/.cache"}) {
    EXPECT_EQ(
        first_error(with_cache(path)), fmt::format(
                                           "pyro.yaml:7:15: error: environment.setup.a.cache[0]: '{}' is no "
                                           "absolute path (start with '/', without '..')",
                                           path));
  }
  EXPECT_NE(
      first_error(with_cache("{path: a}")).find("environment.setup.a.cache[0].path: 'a' is no absolute path"),
      std::string::npos);
  EXPECT_NE(first_error(with_cache("{share: machine}")).find("'path' is missing"), std::string::npos);
  EXPECT_NE(
      first_error(with_cache("{path: /a, share: all}")).find("'all' is none of: checkout, machine"),
      std::string::npos);
}

TEST(Caches, DoNotLieInOneAnotherAndHideNoSeed) {
  EXPECT_NE(first_error(with_cache("/a, /a/")).find("cache[1]: /a is listed twice"), std::string::npos);
  EXPECT_NE(
      first_error(with_cache("/a/b, /a")).find("cache[1]: the caches /a/b and /a lie in one another"),
      std::string::npos);
  EXPECT_EQ(
      first_error(with_cache("/workspace/")),
      "pyro.yaml:7:15: error: environment.setup.a.cache[0]: a cache at /workspace would hide the seed at "
      "/workspace (name a directory below it, or beside it)");
  EXPECT_NE(
      first_error(with_cache("/srv", "seed: {to: /srv/app}\n")).find("would hide the seed at /srv/app"),
      std::string::npos);
  EXPECT_NE(
      first_error(with("prepare: [{id: p, run: x, cache: [/workspace]}]\n"))
          .find("pyro.yaml:3:35: error: prepare.p.cache[0]: a cache at /workspace would hide the seed"),
      std::string::npos);
}

} // namespace pyro::spec::testing
