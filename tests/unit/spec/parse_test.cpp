#include "../../support/files.hpp"
#include "support.hpp"

#include <pyro/spec/schema.hpp>

#include <cstdlib>

namespace pyro::spec::testing {

using namespace std::chrono_literals;

TEST(Parse, TheFullExample) {
  const auto spec = parsed(shop());
  EXPECT_EQ(spec.environment.image, "docker.io/library/node:22-bookworm-slim");
  EXPECT_EQ(spec.environment.env.at("REGION"), "eu-north-1");
  EXPECT_EQ(
      spec.environment.setup.at(1).inputs, (std::vector<std::string>{"package.json", "package-lock.json"}));
  EXPECT_EQ(spec.environment.setup[1].workdir, "/workspace");
  EXPECT_EQ(spec.environment.setup[0].egress.kind, EgressKind::all);
  EXPECT_EQ(spec.prepare.at(0).user, "node");
  EXPECT_EQ(spec.prepare[0].egress.kind, EgressKind::none);
  const auto& api = spec.services.at("api");
  EXPECT_EQ(std::get<HttpProbe>(api.readiness->check).port, 8080);
  EXPECT_EQ(std::get<HttpProbe>(api.readiness->check).status.at(0).last, 299);
  EXPECT_EQ(api.depends_on.at("cache").condition, Condition::ready);
  EXPECT_TRUE(api.depends_on.at("cache").restart);
  EXPECT_EQ(api.env.at("PORT"), "8080");
  EXPECT_EQ(spec.services.at("worker").depends_on.at("migrate").condition, Condition::completed);
  EXPECT_EQ(spec.services.at("worker").depends_on.at("cache").condition, Condition::ready);
  EXPECT_EQ(spec.services.at("db").stop.signal, "SIGINT");
  EXPECT_EQ(spec.services.at("db").readiness->deadline, 45s);
  EXPECT_EQ(spec.lifecycle.ttl, 12h);
  EXPECT_EQ(spec.retention.max_size, 40ULL << 30);
  EXPECT_EQ(spec.profile_names, std::vector<std::string>{"ci"});
  EXPECT_EQ(spec.place("services.api.env.PORT").line, 74);
  EXPECT_EQ(spec.place("environment.setup.deps.run").line, 38);
  EXPECT_EQ(spec.place("services.api.hint"), spec.place("services.api"));
}

TEST(Parse, TheSmallestFile) {
  const auto spec =
      parsed("{version: 1, environment: {image: host}, seed: {from: .}}", {.directory = "My Shop!"});
  EXPECT_EQ(spec.name, "My-Shop");
  EXPECT_EQ(spec.isolation, Isolation::sandbox);
  EXPECT_EQ(spec.environment.resources.memory, 1ULL << 30);
  EXPECT_EQ(spec.environment.resources.pids, 1024);
  EXPECT_EQ(spec.seed.to, "/workspace");
  EXPECT_EQ(spec.reset.to, "baseline");
  EXPECT_EQ(spec.retention.keep, 3);
}

TEST(Parse, AnEmptyFileNamesItself) {
  for (const auto* text : {"", "\n# nothing\n", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(
        first_error(text), "pyro.yaml:1:1: error: the file is empty: expected a map, found nothing (`pyro "
                           "init` writes one to begin with)");
  }
}

TEST(Parse, ADeadlineBeyondTheClock) {
  EXPECT_EQ(
      first_error(with("services:\n  a: {command: x, readiness: {tcp: 1, deadline: 99999999999d}}\n")),
      "pyro.yaml:4:49: error: services.a.readiness.deadline: '99999999999d' is beyond the range of the clock "
      "(at most 36500d, a hundred years)");
}

TEST(Parse, ProfileMergesAndDeletes) {
  const auto spec = parsed(shop(), {.profile = "ci"});
  EXPECT_EQ(spec.drift.policy, DriftPolicy::reset);
  EXPECT_EQ(spec.drift.report.size(), 3U);
  EXPECT_EQ(spec.lifecycle.ttl, 1h);
  EXPECT_FALSE(spec.lifecycle.idle);
  EXPECT_FALSE(spec.services.contains("worker"));
  EXPECT_NE(first_error(shop(), {.profile = "cI"}).find("did you mean 'ci'?"), std::string::npos);
}

TEST(Parse, AnErrorFromAProfileNamesBothPlaces) {
  const auto text = with("drift: {policy: report}\nprofiles:\n  ci:\n    drift: {policy: never}\n");
  EXPECT_EQ(
      first_error(text, {.profile = "ci"}), "pyro.yaml:6:21: error: drift.policy: 'never' is none of: "
                                            "report, reset, fail (from profile ci, overriding "
                                            "pyro.yaml:3:17)");
  EXPECT_EQ(
      first_error(text), "pyro.yaml:6:21: error: drift.policy: 'never' is none of: report, reset, fail (from "
                         "profile ci, overriding pyro.yaml:3:17)")
      << "what is wrong in a profile is found before it is chosen";
}

TEST(Parse, Variables) {
  const ParseOptions host{.host_env = [](const std::string& name) {
    return name == "AWS_REGION" ? std::optional<std::string>("us-east-1") : std::nullopt;
  }};
  EXPECT_EQ(parsed(shop(), host).environment.env.at("REGION"), "us-east-1");
  auto given = host;
  given.vars = {{"region", "x"}, {"api_port", "9090"}};
  const auto spec = parsed(shop(), given);
  EXPECT_EQ(spec.environment.env.at("REGION"), "x");
  EXPECT_EQ(spec.services.at("api").ports.at(0).port, 9090);
  EXPECT_NE(
      first_error(shop(), {.vars = {{"api_prt", "1"}}}).find("did you mean 'api_port'?"), std::string::npos);
  EXPECT_NE(
      first_error(shop(), {.vars = {{"api_port", "x"}}}).find("'x' (--var) is no int"), std::string::npos);
}

TEST(Parse, Interpolation) {
  const std::string vars = "vars: {a: {default: A}, none: {}}\n";
  const auto value = [&](const std::string& text) {
    return parsed(with(vars + "description: '" + text + "'\n")).description;
  };
  const auto error = [&](const std::string& text) {
    return first_error(with(vars + "description: '" + text + "'\n"));
  };
  EXPECT_EQ(value("${a}-$$-$${a}-$x-$"), "A-$-${a}-$x-$");
  EXPECT_EQ(value("${none:-d}${env:NO:-}"), "d");
  EXPECT_NE(error("${none}").find("variable 'none': it has no value and no default"), std::string::npos);
  EXPECT_NE(error("${env:NO:?set it}").find("host variable 'NO': set it"), std::string::npos);
  EXPECT_NE(error("${HOME}").find("for the shell's own write $${HOME}"), std::string::npos);
  EXPECT_NE(error("${a").find("'${' without '}'"), std::string::npos);
  EXPECT_NE(error("${a:+x}").find("is not understood"), std::string::npos);
  EXPECT_EQ(parsed(with(vars + "labels: {'${a}': 1}\n")).labels.count("${a}"), 1U) << "never in keys";
}

TEST(Parse, AValueThatCannotBeInterpolatedIsReportedOnce) {
  const auto result = parse_spec(with("services:\n  a: {command: x, ports: ['${p}']}\n"));
  EXPECT_EQ(result.diagnostics.size(), 1U) << all_text(result);
}

TEST(Parse, AnchorsAndMergeKeys) {
  const auto spec = parsed(with("x-base: &base {user: root, env: {A: 1}}\n"
                                "services:\n"
                                "  a: {<<: *base, command: x, user: me}\n"
                                "  b: {command: y, <<: [{user: first}, *base]}\n"));
  EXPECT_EQ(spec.services.at("a").user, "me");
  EXPECT_EQ(spec.services.at("a").env.at("A"), "1");
  EXPECT_EQ(spec.services.at("b").user, "first");
  EXPECT_NE(first_error(with("seed: {<<: 3}\n")).find("'<<' merges maps"), std::string::npos);
}

TEST(Parse, ForeignSpellings) {
  const auto hint = [](const std::string& text) {
    return all_text(parse_spec(with("services:\n  a:\n    command: x\n" + text)));
  };
  EXPECT_NE(
      hint("    healthcheck: {test: x}\n").find("'healthcheck' is spelled 'readiness' here"),
      std::string::npos);
  EXPECT_NE(hint("    image: x\n").find("the image is environment.image"), std::string::npos);
  EXPECT_NE(hint("    environment: {A: 1}\n").find("variables are spelled 'env' here"), std::string::npos);
  EXPECT_NE(hint("    readiness: {exec: x, retries: 3}\n").find("replaced by 'deadline'"), std::string::npos);
  EXPECT_NE(hint("    restart: unless-stopped\n").find("spelled 'always' here"), std::string::npos);
  EXPECT_NE(
      hint("    depends_on: {a: {condition: service_healthy}}\n").find("spelled 'ready' here"),
      std::string::npos);
  EXPECT_NE(
      first_error("version: 1\nenvironment: {NODE_ENV: production}\n").find("move them to environment.env"),
      std::string::npos);
}

TEST(Parse, References) {
  const auto services = [](const std::string& text) {
    return first_error(with("services:\n" + text));
  };
  EXPECT_NE(
      services("  db: {command: x}\n  a: {command: x, depends_on: [dbb]}\n").find("did you mean 'db'?"),
      std::string::npos);
  EXPECT_NE(
      services("  a: {command: x, depends_on: [b]}\n  b: {command: x, depends_on: [c]}\n  c: {command: x, "
               "depends_on: [a]}\n")
          .find("services wait for each other: a -> b -> c -> a"),
      std::string::npos);
  EXPECT_NE(services("  a: {command: x, depends_on: [a]}\n").find("a -> a"), std::string::npos);
  EXPECT_NE(
      services("  a: {command: x, secrets: [k]}\n").find("secret 'k' is not declared"), std::string::npos);
  EXPECT_NE(
      first_error(with("snapshots: {s: {at: setup.x}}\n")).find("there is no point 'setup.x'"),
      std::string::npos);
  EXPECT_NE(first_error(with("reset: {to: s}\n")).find("there is no snapshot 's'"), std::string::npos);
  EXPECT_EQ(
      services("  a: {command: x, ports: ['1:2']}\n  b: {command: x, ports: ['1:3']}\n"),
      "pyro.yaml:5:27: error: services.b.ports[0]: host port 1 is taken by services.a.ports[0] (write \"3\" "
      "for a free host port)");
}

TEST(Parse, ProbesAreExclusive) {
  EXPECT_EQ(
      first_error(with("services:\n  a:\n    command: x\n    readiness:\n      exec: x\n      tcp: 1\n")),
      "pyro.yaml:8:7: error: services.a.readiness: exactly one of: exec, http, tcp, file, log; here are "
      "'exec' "
      "(pyro.yaml:7:7) and 'tcp' (pyro.yaml:8:7) (keep one of them)");
  EXPECT_NE(
      first_error(with("services: {a: {command: x, readiness: {deadline: 3s}}}\n"))
          .find("a probe needs one of"),
      std::string::npos);
  EXPECT_NE(
      all_text(parse_spec(with("services: {a: {command: x, liveness: {log: x}}}\n")))
          .find("unknown key 'log'"),
      std::string::npos);
}

TEST(Parse, FieldsWithoutEffectAreErrors) {
  for (const auto* text :
       {"oneshot: true, readiness: {tcp: 1}", "oneshot: true, ports: ['1']", "timeout: 3s", "max_restarts: 3",
        "readiness: {tcp: 1, timeout: 9s, deadline: 3s}", "readiness: {log: x, successes: 2}"}) {
    EXPECT_NE(
        first_error(with(fmt::format("services: {{a: {{command: x, {}}}}}\n", text))).find("no effect"),
        std::string::npos)
        << text;
  }
}

TEST(Parse, ValuesOutOfBounds) {
  for (const auto* text :
       {"isolation: vm\nbackend: namespaces\n",
        "name: a b\n",
        "seed: {to: relative}\n",
        "seed: {to: /a/../b}\n",
        "seed: {to: /}\n",
        "network: {egress: example.org}\n",
        "network: {egress: [http://example.org]}\n",
        "reset: {undo: 5}\n",
        "retention: {max_size: 4GB}\n",
        "mounts: [{from: a, to: a}]\n",
        "mounts: [{from: a, to: /a}, {from: b, to: /a}]\n",
        "services: {a: {command: []}}\n",
        "services: {a: {command: '  '}}\n",
        "services: {a: {command: {b: c}}}\n",
        "services: {a: {command: x, ports: ['1.2.3.4.5:1:2']}}\n",
        "services: {a: {command: x, ports: [70000]}}\n",
        "services: {a: {command: x, ports: ['1:2:3:4']}}\n",
        "services: {a: {command: x, env: {1A: x}}}\n",
        "services: {a: {command: x, env: [A=1]}}\n",
        "services: {a: {command: x, env_file: [../x]}}\n",
        "services: {a: {command: x, stop: {signal: TERM}}}\n",
        "services: {a: {command: x, readiness: {log: '/(/'}}}\n",
        "services: {a: {command: x, readiness: {http: {port: 1, status: 300-200}}}}\n",
        "services: {a b: {command: x}}\n",
        "secrets: {a: {env: A, file: b}}\n",
        "secrets: {a: {}}\n",
        "snapshots: {baseline: {at: ready}}\n",
        "snapshots: {a: {at: setup, memory: true}}\n",
        "prepare: [{id: a, run: x}, {id: a, run: y}]\n",
        "prepare: [{run: x}, {run: y, inputs: [a]}]\n",
        "prepare: {run: x}\n",
        "vars: {a: {type: int, default: x}}\n",
        "version: 2\n",
        "environment: {}\n",
        "profiles: {a: 3}\n",
        "unknown: 1\n"}) {
    EXPECT_FALSE(parse_spec(with(text)).ok()) << text;
  }
}

TEST(Parse, ValuesThatAreFine) {
  for (const auto* text :
       {"isolation: vm\nbackend: qemu\n", "network: {egress: [b.example, a.example]}\n",
        "x-anything: [1, {a: b}]\n",
        "services: {a: {command: x, ports: [8080, '0.0.0.0:80:8080'], x-note: y}}\n",
        "services: {a: {command: x, readiness: {log: '/^ready [0-9]+/'}}}\n",
        "services: {a: {command: x, readiness: {http: {port: 1, status: [200, 300-302], headers: {x-key: "
        "'1'}}}}}\n",
        "services: {a: {command: x, readiness: {tcp: 'db.example:5432'}}}\n", "reset: {to: baseline}\n",
        "snapshots: {a: {at: prepare, memory: false}, b: {at: setup}, c: {at: seed}}\n"}) {
    const auto result = parse_spec(with(text));
    EXPECT_TRUE(result.ok()) << all_text(result) << text;
  }
}

TEST(Parse, StepsWithoutIdAreNumbered) {
  const auto spec = parsed(
      with("prepare:\n  - run: a\n  - {id: b, run: b}\n  - run: c\nsnapshots: {s: {at: prepare.3}}\n"));
  EXPECT_EQ(spec.prepare[0].id, "1");
  EXPECT_EQ(spec.prepare[2].id, "3");
  EXPECT_EQ(spec.place("prepare.3.run").line, 6);
}

TEST(Parse, AtMostTwentyDiagnosticsInOrder) {
  std::string text;
  for (int i = 0; i < 50; ++i) {
    text += fmt::format("bad{}: 1\n", i);
  }
  const auto result = parse_spec(with(text));
  ASSERT_EQ(result.diagnostics.size(), k_max_diagnostics + 1);
  EXPECT_EQ(result.diagnostics.front().place.line, 3);
  EXPECT_EQ(result.diagnostics[k_max_diagnostics - 1].place.line, 22);
  EXPECT_EQ(
      to_string(result.diagnostics.back()),
      "pyro.yaml:23:1: error: this and 29 more are not shown (mend those above first)");
}

TEST(Parse, WarningsDoNotForbid) {
  const auto result = parse_spec(with("services: {a: {command: x}, b: {command: x, depends_on: [a]}}\n"));
  EXPECT_TRUE(result.ok());
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].severity, Severity::warning);
}

TEST(Parse, OrThrowGivesEverything) {
  try {
    parse_spec_or_throw("version: 3\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_file);
    EXPECT_EQ(error.output().size(), 2U);
    ASSERT_TRUE(error.position());
  }
}

TEST(NormalForm, RefactoringsAreEqual) {
  const auto plain = parsed(with("services:\n  a: {command: x, env: {P: 80}, readiness: {tcp: 80}}\n"
                                 "  b: {command: y}\nlabels: {a: 1, b: 2}\n"));
  const auto moved = parsed(
      "services:\n  b: {command: 'y'}\n  a:\n    readiness: {timeout: 2000ms, tcp: '${port}'}\n"
      "    env: {P: \"${port}\"}\n    command: x\n    restart: no\nlabels: {b: 2, a: 1}\n"
      "vars: {port: {default: 80}}\nenvironment: {image: host, resources: {memory: 1024MiB}}\nversion: 1\n");
  EXPECT_EQ(normal_form(plain), normal_form(moved));
  EXPECT_EQ(spec_digest(plain), spec_digest(moved));
  EXPECT_NE(spec_digest(plain), spec_digest(parsed(with("services: {a: {command: x}}\n"))));
}

TEST(NormalForm, ServiceDefinitionInherits) {
  const auto spec = parsed(shop());
  const auto api = service_definition(spec.services.at("api"), spec.environment);
  EXPECT_EQ(api["user"], "node");
  EXPECT_EQ(api["env"], (Json{{"PORT", "8080"}, {"REGION", "eu-north-1"}, {"TZ", "UTC"}}));
  EXPECT_EQ(api["command"], (Json{"/bin/sh", "-c", "node dist/server.js"}));
  EXPECT_EQ(api["readiness"]["kind"], "http");
}

TEST(Schema, TheFileInSchemasIsTheOneMadeFromTheTable) {
  const std::string path = pyro::testing::source_dir().string() + "/schemas/pyro-1.schema.json";
  const auto text = dump_json(json_schema());
  if (std::getenv("PYRO_TEST_ACCEPT")) {
    std::ofstream(path) << text;
    GTEST_SKIP() << "rewritten: " << path;
  }
  EXPECT_EQ(read_text_file(path), text) << "run with PYRO_TEST_ACCEPT=1";
}

TEST(Schema, EveryReferenceAndEveryKeyIsThere) {
  const auto schema = json_schema();
  for (const auto& part : shapes()) {
    const auto& node = part.name == "root" ? schema : schema["$defs"][std::string(part.name)];
    EXPECT_EQ(node["properties"].size(), part.fields.size()) << part.name;
    EXPECT_EQ(node["additionalProperties"], false);
  }
  const auto text = schema.dump();
  for (std::size_t at = text.find("#/$defs/"); at != std::string::npos; at = text.find("#/$defs/", at + 1)) {
    const auto name = text.substr(at + 8, text.find('"', at) - at - 8);
    EXPECT_TRUE(schema["$defs"].contains(name)) << name;
  }
}

/// Each key of the table is read by the parser: a wrong value in it is noticed.
TEST(Schema, TheReaderLooksAtEveryKeyOfTheTable) {
  const std::map<std::string, std::string> frames{
      {"root", "{}"},
      {"var", "vars: {a: {}}"},
      {"secret", "secrets: {a: {}}"},
      {"request_header", "secrets: {a: {as: {}}}"},
      {"environment", "environment: {}"},
      {"resources", "environment: {resources: {}}"},
      {"setup_step", "environment: {setup: [{}]}"},
      {"cache", "environment: {setup: [{cache: [{}]}]}"},
      {"seed", "seed: {}"},
      {"git", "seed: {git: {}}"},
      {"prepare_step", "prepare: [{}]"},
      {"service", "services: {a: {}}"},
      {"oneshot", "services: {a: {oneshot: {}}}"},
      {"dependency", "services: {a: {depends_on: {a: {}}}}"},
      {"readiness", "services: {a: {readiness: {}}}"},
      {"liveness", "services: {a: {liveness: {}}}"},
      {"http", "services: {a: {readiness: {http: {}}}}"},
      {"stop", "services: {a: {stop: {}}}"},
      {"snapshot", "snapshots: {a: {}}"},
      {"retention", "retention: {}"},
      {"reset", "reset: {}"},
      {"drift", "drift: {}"},
      {"network", "network: {}"},
      {"lifecycle", "lifecycle: {}"},
      {"mount", "mounts: [{}]"}};
  for (const auto& part : shapes()) {
    for (const auto& field : part.fields) {
      // A map inside a list inside a map is right for no field at all.
      auto text = frames.at(std::string(part.name));
      text.replace(text.rfind("{}"), 2, fmt::format("{{{}: [{{wrong: [1]}}]}}", field.key));
      const auto result = parse_spec(text);
      const bool noticed =
          std::any_of(result.diagnostics.begin(), result.diagnostics.end(), [&](const Diagnostic& d) {
            const bool here = d.address.find(field.key) != std::string::npos;
            return here && d.code != "unknown_key" && d.code != "required";
          });
      const bool of_list =
          field.type.starts_with("list shape") || field.type == "list cache"; // unknown key 'wrong' inside it
      EXPECT_TRUE(noticed || (of_list && all_text(result).find("wrong") != std::string::npos))
          << part.name << "." << field.key << "\n"
          << all_text(result);
    }
  }
}

} // namespace pyro::spec::testing
