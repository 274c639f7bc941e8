#include "main.hpp"

#include "commands.hpp"
#include "help.hpp"
#include "interrupts.hpp"
#include "report_error.hpp"
#include "session.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/operations/version.hpp>

#include <algorithm>
#include <filesystem>

namespace pyro::cli {

namespace {

constexpr int k_usage = 64;

/// What is shown when no command was named.
int run_without_command(const CommandLine& line, Console& console) {
  if (line.version) {
    console.out(fmt::format("pyro {}\n", operations::version()));
    return 0;
  }
  const auto text = line.group.empty() ? overview() : group_help(line.group);
  if (line.help) {
    console.out(text);
    return 0;
  }
  console.err(text);
  return k_usage;
}

/// The format somebody asked for, readable even where the rest of the command line is not.
Format format_hint(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == "--json" || words[i] == "-ojson" || words[i] == "--output=json"
        || ((words[i] == "-o" || words[i] == "--output") && i + 1 < words.size() && words[i + 1] == "json")) {
      return Format::json;
    }
  }
  return Format::text;
}

/// In one place for all that a caller writes; other variables are looked at where they are read.
void require_text(const std::vector<std::string>& words, const Console& console) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    require_utf8(words[i], fmt::format("argument {} of the command line", i + 1));
  }
  for (const auto& [name, value] : console.variables) {
    require_utf8(name, "the name of a PYRO_VAR_ variable");
    require_utf8(value, "the variable PYRO_VAR_" + name);
  }
}

/// An operation refuses what a flag gave it: that is wrong usage, as it is where the flags are read.
bool is_about_a_flag(const Error& error, const CommandLine& line) {
  const auto& message = error.message();
  if (error.code() != ErrorCode::invalid_argument || message.ends_with("does not exist")) {
    return false;
  }
  const auto options = line.command->options;
  return std::any_of(options.begin(), options.end(), [&](const Option& option) {
    const auto flag = option.name.substr(2);
    std::string parameter(flag);
    std::replace(parameter.begin(), parameter.end(), '-', '_');
    const auto values = line.arguments.values(flag);
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
      return !option.value.empty()
             && (message.starts_with(parameter + " must ")
                 || message.find("'" + value + "'") != std::string::npos);
    });
  });
}

int run_command(
    const CommandLine& line, Console& console, const operations::EngineFactory& make_engine,
    const McpFront& mcp, const ConfigureSsh& ssh) {
  Session session(*line.command, line.arguments, console, make_engine, mcp, ssh);
  const auto fail = [&](Error error) {
    if (is_about_a_flag(error, line)) {
      error.with_code(ErrorCode::usage);
    }
    session.finish_progress();
    session.show_junit(error);
    const bool is_refusal = error.code() == ErrorCode::approval_needed;
    report_error(
        error, session.format(), console, session.err_style(), is_refusal ? session.refused() : Json());
    return exit_status_for(line.command, error, interrupting_signal());
  };
  try {
    return line.command->run(session);
  } catch (const Error& error) {
    return fail(error);
  } catch (const std::filesystem::filesystem_error& error) { // what it is about is in its text
    return fail(Error::from_errno(error.code().value(), fmt::format("look at {}", error.path1().string())));
  } catch (const std::exception& error) {
    return fail(
        Error(ErrorCode::internal, "{}", error.what()).with_hint("this is a bug in pyro; please report it"));
  }
}

} // namespace

int run(
    const std::vector<std::string>& words, Console& console, const operations::EngineFactory& make_engine,
    const McpFront& mcp, const ConfigureSsh& ssh) {
  CommandLine line;
  try {
    require_text(words, console);
    line = parse_command_line(words, console.environment);
    if (line.command == nullptr) {
      return run_without_command(line, console);
    }
    if (line.help) {
      console.out(command_help(*line.command));
      return 0;
    }
  } catch (const Error& error) {
    report_error(error, format_hint(words), console, Style{});
    return exit_status_of(error.code());
  }
  return run_command(line, console, make_engine, mcp, ssh);
}

} // namespace pyro::cli
