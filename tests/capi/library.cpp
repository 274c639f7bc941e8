#include "library.hpp"

#include <sstream>
#include <unistd.h>

namespace pyro::testing {

namespace {

Json parsed(char* text) {
  const auto document = text == nullptr ? Json() : Json::parse(text, nullptr, false);
  pyro_free(text);
  return document;
}

void tell(void* user, const char* event) {
  (*static_cast<const OnEvent*>(user))(Json::parse(event));
}

} // namespace

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  return out << "status " << answer.status << ": " << answer.document.dump(2);
}

Answer refused_open(const Json& options) {
  char* error = nullptr;
  const Opened library(pyro_open(options.dump().c_str(), &error), pyro_close);
  EXPECT_EQ(library.get(), nullptr) << options;
  return {library ? PYRO_OK : PYRO_FAILED, parsed(error)};
}

Answer call(
    pyro_library* library, const std::string& operation, const Json& parameters, const OnEvent& on_event,
    pyro_cancel* cancel) {
  auto heard = on_event;
  const pyro_call_options options{
      .size = sizeof(options), .on_event = on_event ? tell : nullptr, .user = &heard, .cancel = cancel};
  char* result = nullptr;
  const int status = pyro_call(library, operation.c_str(), parameters.dump().c_str(), &options, &result);
  return {status, parsed(result)};
}

Json ok(
    pyro_library* library, const std::string& operation, const Json& parameters, const OnEvent& on_event) {
  const auto answer = call(library, operation, parameters, on_event);
  EXPECT_EQ(answer.status, PYRO_OK) << operation << ": " << answer;
  return answer.status == PYRO_OK ? answer.document : Json::object();
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code gone;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(parent) + "/task", gone)) {
    std::istringstream pids(read_file(task.path() / "children"));
    for (pid_t pid = 0; pids >> pid;) {
      children.push_back(pid);
    }
  }
  return children;
}

void CApi::SetUp() {
  Functional::SetUp();
  if (IsSkipped() || HasFatalFailure()) {
    return;
  }
  make_busybox_root(project() / "image");
  write_file(project() / "seed/first", "first\n");
  file();
  m_before = fs::current_path();
  fs::current_path(project());
}

void CApi::TearDown() {
  if (!m_before.empty()) {
    fs::current_path(m_before);
  }
  Functional::TearDown();
}

Opened CApi::open(Json options) const {
  options["base"] = state().string();
  char* error = nullptr;
  Opened library(pyro_open(options.dump().c_str(), &error), pyro_close);
  EXPECT_NE(library.get(), nullptr) << parsed(error);
  return library;
}

void CApi::file(const std::string& body) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ./seed}\n" + body);
}

} // namespace pyro::testing
