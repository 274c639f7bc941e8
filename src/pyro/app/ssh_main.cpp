// pyro-ssh WORKSPACE: started by ssh as ProxyCommand, speaks ssh on its standard input and output.
// pyro-ssh --keys: makes the keys that there are not yet, for `pyro ssh-config`.
#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/ssh/server.hpp>
#include <pyro/workspace/context/context.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <unistd.h>

namespace {

using namespace pyro;

/// ssh shows what its ProxyCommand says.
void tell(const std::string& line) {
  std::fputs(fmt::format("pyro: {}\n", escape_controls(line)).c_str(), stderr);
}

void serve(const std::string& name) {
  const auto base = store::Base::from_environment();
  base.prepare();
  const auto keys = ssh::prepare_keys(base.root() + "/ssh");
  if (name == "--keys") {
    return;
  }
  workspace::Context context({}, [](const workspace::Event& event) {
    if (event.kind == "waiting") {
      tell(event.text);
    }
  });
  workspace::Login login(context, name);
  ssh::Server(login, keys, tell).run(os::Fd(STDIN_FILENO), os::Fd(STDOUT_FILENO));
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2 || ::isatty(STDIN_FILENO) == 1) {
    std::fputs(
        "pyro-ssh WORKSPACE is started by ssh, as ProxyCommand; see `pyro ssh-config --help`\n", stderr);
    return exit_status_of(ErrorCode::usage);
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const std::string name = argv[1];
    require_utf8(name, "the name of the workspace");
    serve(name);
    return 0;
  } catch (const Error& error) {
    tell(error.message());
    if (!error.hint().empty()) {
      tell(error.hint());
    }
    return exit_status_of(error.code());
  } catch (const std::exception& error) {
    tell(error.what());
    return exit_status_of(ErrorCode::internal);
  }
}
