// What a file wants of the machine: the list, from texts of files.
#include <pyro/base/error.hpp>
#include <pyro/spec/parse.hpp>
#include <pyro/workspace/context/host_requests.hpp>

#include <gtest/gtest.h>

namespace pyro::workspace {
namespace {

constexpr const char* k_checkout = "/home/me/shop";

spec::Spec read(const std::string& body, const spec::HostLookup& host) {
  spec::ParseOptions options;
  options.host_env = host;
  return spec::parse_spec_or_throw("version: 1\nname: shop\n" + body, options);
}

spec::Spec withheld(const std::string& body) {
  return read(body, [](const std::string&) { return spec::HostAnswer::withheld(); });
}

std::vector<std::string> lines(const HostRequests& requests) {
  std::vector<std::string> all;
  for (const auto& request : requests) {
    all.push_back(to_string(request));
  }
  return all;
}

std::vector<std::string> wanted(const std::string& body) {
  return lines(host_requests(withheld(body), k_checkout));
}

using Lines = std::vector<std::string>;

const std::string k_host = "environment: {image: host}\n";

TEST(HostRequests, NothingInsideOfTheCheckoutIsOne) {
  EXPECT_EQ(
      wanted(
          k_host
          + "seed: {from: .}\nsecrets:\n  a: {file: ./secrets/jwt.key}\n  b: {file: "
            "/home/me/shop/x/../y}\nservices:\n  web:\n    command: x\n    env_file: [config/dev.env]\n    "
            "ports: "
            "['8080', '127.0.0.1:3000:80']\n"),
      Lines{});
  EXPECT_EQ(wanted("environment: {image: 'dir:rootfs'}\nseed: {from: ./a/..}\n"), Lines{});
  EXPECT_EQ(wanted("environment: {image: 'debian:12'}\n"), Lines{});
}

TEST(HostRequests, EverythingOutsideIsOne) {
  const auto requests = wanted(
      k_host
      + "seed: {from: /etc}\n"
        "secrets:\n  a: {command: 'id; pass show x'}\n  b: {file: ../other/key}\n  c: {env: TOKEN}\n"
        "  d: {file: /home/me/shopping/key}\n"
        "vars: {region: {env: AWS_REGION, default: x}}\n"
        "labels: {user: '${env:USER:-me}'}\n"
        "services:\n  web:\n    command: x\n    env_file: [a.env]\n    ports: ['0.0.0.0:3000:80']\n"
        "mounts: [{from: /srv/data, to: /data, mode: rw}]\n");
  EXPECT_EQ(
      requests, (Lines{
                    "command secrets.a: id; pass show x",
                    "environment vars.region.env: AWS_REGION",
                    "environment secrets.c: TOKEN",
                    "environment labels.user: USER",
                    "path seed.from: /etc",
                    "path secrets.b: /home/me/other/key",
                    "path secrets.d: /home/me/shopping/key",
                    "path mounts[0].from: /srv/data (read and write)",
                    "listen services.web.ports[0]: 0.0.0.0:3000",
                }));
}

/// To see what is in the checkout is what a seed does too; to change it is more.
TEST(HostRequests, WhatIsWrittenToInTheCheckout) {
  EXPECT_EQ(wanted(k_host + "mounts: [{from: ./src, to: /src}, {from: ., to: /all, mode: ro}]\n"), Lines{});
  EXPECT_EQ(
      wanted(k_host + "mounts: [{from: ./a/../src/, to: /src, mode: rw}, {from: ., to: /all, mode: rw}]\n"),
      (Lines{
          "path mounts[1].from: /home/me/shop (read and write)",
          "path mounts[0].from: /home/me/shop/src (read and write)"}));
}

TEST(HostRequests, CachesThatTheMachineShares) {
  EXPECT_EQ(
      wanted("environment:\n  image: host\n  setup:\n    - {id: deps, run: x, cache: [/var/cache/a, {path: "
             "/var/cache/b, share: machine}]}\n"),
      Lines{"cache environment.setup.deps.cache[1]: /var/cache/b"});
}

TEST(HostRequests, ImagesByPath) {
  for (const auto* kind : {"dir:", "tar:", "oci:", "oci-archive:", "docker-archive:"}) {
    EXPECT_EQ(
        wanted(std::string("environment: {image: '") + kind + "../images/a'}\n"),
        Lines{"path environment.image: /home/me/images/a"})
        << kind;
    EXPECT_EQ(wanted(std::string("environment: {image: '") + kind + "./a'}\n"), Lines{}) << kind;
  }
}

/// A public registry is told of, since an agreement gives it the user's account; nothing waits for that.
TEST(HostRequests, ImagesOfRegistries) {
  const auto requests =
      host_requests(withheld("environment: {image: 'alpine:3'}\nseed: {from: .}\n"), k_checkout);
  EXPECT_EQ(lines(requests), Lines{"registry environment.image: docker.io/library/alpine:3"});
  EXPECT_FALSE(is_needed(requests.at(0)));
  for (const auto* host : {"localhost:5000", "192.168.1.5", "[fd00::1]:5000", "registry:5000"}) {
    const auto own =
        host_requests(withheld("environment: {image: '" + std::string(host) + "/team/app:1'}\n"), k_checkout);
    EXPECT_EQ(lines(own), Lines{"registry environment.image: " + std::string(host) + "/team/app:1"});
    EXPECT_TRUE(is_needed(own.at(0))) << host;
  }
  EXPECT_TRUE(is_needed(host_requests(withheld(k_host + "seed: {from: /etc}\n"), k_checkout).at(0)));
}

TEST(HostRequests, VariablesAreNotToldAndStandAsTheyAreWritten) {
  const auto spec =
      withheld("environment: {image: '${env:IMG:-dir:/etc}', resources: {cpus: '${env:CPUS}'}}\n"
               "vars: {where: {env: WHERE, default: /etc}}\nseed: {from: '${where}/x'}\n"
               "secrets: {a: {file: '${env:HOME}/.npmrc'}}\n");
  EXPECT_FALSE(spec.complete);
  EXPECT_EQ(
      lines(host_requests(spec, k_checkout)), (Lines{
                                                  "environment environment.resources.cpus: CPUS",
                                                  "environment secrets.a.file: HOME",
                                                  "environment environment.image: IMG",
                                                  "environment vars.where.env: WHERE",
                                                  "path secrets.a: ${env:HOME}/.npmrc",
                                                  "path environment.image: ${env:IMG:-dir:/etc}",
                                                  "path seed.from: ${env:WHERE:-/etc}/x",
                                              }));
}

TEST(HostRequests, AGivenVariableIsNotAskedOfTheHost) {
  spec::ParseOptions options;
  options.vars = {{"where", "here"}};
  options.host_env = [](const std::string&) {
    return spec::HostAnswer::withheld();
  };
  const auto spec = spec::parse_spec_or_throw(
      "version: 1\nname: x\nenvironment: {image: host}\nvars: {where: {env: WHERE}}\nseed: {from: "
      "'${where}'}\n",
      options);
  EXPECT_TRUE(spec.complete);
  EXPECT_TRUE(host_requests(spec, k_checkout).empty());
}

TEST(HostRequests, WhatOnlyValuesTellIsToldAfterwards) {
  const std::string body = k_host
                           + "services:\n  web: {command: x, ports: ['${env:NO:-0.0.0.0:1:2}']}\n"
                             "secrets: {a: {file: '${env:HOME}/key'}}\n";
  const auto told = host_requests(withheld(body), k_checkout);
  const auto complete = host_requests(
      read(
          body,
          [](const std::string& name) {
            return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
          }),
      k_checkout);
  EXPECT_EQ(lines(untold_requests(told, complete)), Lines{"listen services.web.ports[0]: 0.0.0.0:1"});
  EXPECT_TRUE(untold_requests(told, told).empty());
}

TEST(HostRequests, WhatWasToldStandsForNothingElse) {
  const std::string body =
      k_host
      + "mounts: [{from: '${env:HOME}/x', to: /x, mode: '${env:NO:-rw}'}]\n"
        "prepare: [{id: s, run: x, cache: [{path: '/${env:NO:-a}', share: machine}, {path: "
        "/root/.m2, share: '${env:NO:-machine}'}]}]\n";
  const auto told = host_requests(withheld(body), k_checkout);
  const auto complete = host_requests(
      read(
          body,
          [](const std::string& name) {
            return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
          }),
      k_checkout);
  EXPECT_EQ(
      lines(untold_requests(told, complete)),
      (Lines{"path mounts[0].from: /root/x (read and write)", "cache prepare.s.cache[1]: /root/.m2"}));
}

TEST(HostRequests, OtherMistakesAreStillFound) {
  EXPECT_THROW(withheld("environment: {image: '${env:IMG}', resources: {cpus: many}}\n"), Error);
  EXPECT_THROW(withheld("environment: {image: '${env:IMG}${nothing}'}\n"), Error);
}

TEST(HostRequests, TheDigestIsOfTheListAlone) {
  const auto one = host_requests(withheld(k_host + "seed: {from: /etc}\n"), k_checkout);
  const auto moved = host_requests(withheld("\n\n" + k_host + "seed: {from: /etc/}\n"), k_checkout);
  const auto other = host_requests(withheld(k_host + "seed: {from: /srv}\n"), k_checkout);
  EXPECT_EQ(digest_of(one), digest_of(moved));
  EXPECT_NE(digest_of(one), digest_of(other));
  EXPECT_EQ(lines(added_requests(other, one)), Lines{"path seed.from: /srv"});
  EXPECT_EQ(lines(host_requests_from_json(to_json(one))), lines(one));
}

TEST(HostRequests, PathsInside) {
  EXPECT_EQ(relative_inside("/a/b", "."), ".");
  EXPECT_EQ(relative_inside("/a/b", "c/"), "c");
  EXPECT_EQ(relative_inside("/a/b", "../b/c"), "c");
  EXPECT_EQ(relative_inside("/a/b", "..c"), "..c");
  EXPECT_EQ(relative_inside("/a/b", ".."), std::nullopt);
  EXPECT_EQ(relative_inside("/a/b", "/a/bc"), std::nullopt);
  EXPECT_EQ(relative_inside("/a/b", "c/../../x"), std::nullopt);
}

} // namespace
} // namespace pyro::workspace
