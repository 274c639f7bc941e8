// For the cases of the fields of pyro.yaml: one for each, named <shape>__<field>, which shows from outside
// what the field does, or that the plan refuses it. Fields.EachHasACase compares them with the schema.
#pragma once

#include "../support/busybox.hpp"
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {

class Fields : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(root() / "busybox"); // small, so that each case costs little
    write_file(project() / "seeded.txt", "seeded\n");
    write_file(root() / "busybox/bin/answer.sh", k_answer);
    m_options.env = {{"PYRO_TRUST", "1"}, {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()}};
  }

  /// Notes an HTTP request in /tmp/asked and answers with the status that it is given.
  static constexpr const char* k_answer = R"(while read -r line; do
  echo "$line" >> /tmp/asked
  [ ${#line} -gt 1 ] || break
done
printf 'HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n' "$1"
)";

  /// The whole file; `environment` is what that map holds beside the image, as lines.
  void file(const std::string& environment, const std::string& rest, const std::string& seed = "{from: .}") {
    write_file(
        project() / "pyro.yaml", "version: 1\nname: test\nenvironment:\n  image: dir:../busybox\n"
                                     + environment + "seed: " + seed + "\n" + rest);
  }

  Result run(const Arguments& arguments) { return pyro(arguments, m_options); }

  Result expect_run(int status, const Arguments& arguments) { return expect(status, arguments, m_options); }

  Json read(const Arguments& arguments) { return json(arguments, m_options); }

  /// Applies a file with this at its end; what apply printed.
  Result up(const std::string& rest) { return up_with("", rest); }

  Result up_with(
      const std::string& environment, const std::string& rest = "", const std::string& seed = "{from: .}") {
    file(environment, rest, seed);
    return expect_run(0, {"apply", "--yes"});
  }

  /// Standard output of a shell command inside, without the last newline.
  std::string see(const std::string& script) {
    auto out = inside(script, m_options).out;
    while (!out.empty() && out.back() == '\n') {
      out.pop_back();
    }
    return out;
  }

  /// What a service, a step or anything else wrote to a file inside, waited for.
  std::string written(const std::string& path) {
    std::string text;
    eventually([&] { return !(text = see("cat " + path + " 2>/dev/null")).empty(); });
    return text;
  }

  /// The plan (of a file with this at its end) is refused with this status, and says so.
  void refused(const std::string& body, int status, const std::string& message) {
    file("", body);
    const auto result = run({"plan"});
    EXPECT_EQ(result.status, status) << result;
    EXPECT_TRUE(contains(result.all(), message)) << result;
  }

  RunOptions m_options;
};

} // namespace pyro::testing
