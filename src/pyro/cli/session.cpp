#include "session.hpp"

#include "flag_values.hpp"
#include "interrupts.hpp"
#include "json_lines.hpp"
#include "render_parts.hpp"
#include "render_trust.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>

namespace pyro::cli {

namespace {

bool in_ci(const Console& console) {
  const auto value = console.environment("CI");
  return value && (*value == "true" || *value == "1");
}

} // namespace

Format format_of(const Arguments& arguments) {
  const auto name = arguments.has("json") ? "json" : arguments.value("output", "text");
  return name == "json"     ? Format::json
         : name == "jsonl"  ? Format::jsonl
         : name == "github" ? Format::github
         : name == "junit"  ? Format::junit
         : name == "sarif"  ? Format::sarif
                            : Format::text;
}

static Format format_of(const Command& command, const Arguments& arguments) {
  if (has_own(command, "--output")) {
    return arguments.has("json") ? Format::json : Format::text; // there it is a place
  }
  return format_of(arguments);
}

Session::Session(
    const Command& command, const Arguments& arguments, Console& console,
    const operations::EngineFactory& make_engine, const McpFront& mcp, const ConfigureSsh& ssh)
    : m_command(command), m_arguments(arguments), m_console(console), m_make_engine(make_engine), m_mcp(mcp),
      m_ssh(ssh), m_format(format_of(command, arguments)) {
  m_out_style.color = wants_color(console.out_terminal);
  m_err_style.color = wants_color(console.err_terminal);
}

bool Session::wants_color(bool terminal) const {
  const auto when = m_arguments.value("color", "auto");
  if (when != "auto") {
    return when == "always";
  }
  const auto no_color = m_console.environment("NO_COLOR");
  const auto term = m_console.environment("TERM");
  return terminal && (!no_color || no_color->empty()) && (!term || *term != "dumb");
}

bool Session::interactive() const {
  return m_console.in_terminal && m_console.err_terminal && !in_ci(m_console) && m_format == Format::text;
}

Json Session::project() const {
  Json project = Json::object();
  for (const auto* name : {"directory", "file", "profile"}) {
    if (const auto value = m_arguments.value(name); !value.empty()) {
      project[name] = value;
    }
  }
  auto vars = m_console.variables;
  for (const auto& text : m_arguments.values("var")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorCode::usage, "--var '{}' is not NAME=VALUE", text);
    }
    vars[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (!vars.empty()) {
    project["vars"] = vars;
  }
  if (const auto file = m_arguments.value("var-file"); !file.empty()) {
    project["var_file"] = file;
  }
  if (const auto sets = m_arguments.values("set"); !sets.empty()) {
    project["set"] = sets;
  }
  return project;
}

Json Session::where() const {
  auto where = project();
  const auto workspace = m_arguments.value("workspace");
  const bool names_file = m_arguments.is_on_the_line("file") || m_arguments.is_on_the_line("directory");
  if (m_arguments.is_on_the_line("workspace") && names_file) {
    throw Error(ErrorCode::usage, "--workspace {} and a file: which of the two?", workspace)
        .with_hint("a workspace knows its pyro.yaml: leave -f and -C out, or else --workspace");
  }
  if (m_arguments.is_on_the_line("workspace") || (!workspace.empty() && !names_file)) {
    where["workspace"] = workspace;
  }
  return where;
}

std::unique_ptr<Progress> Session::make_progress() {
  auto mode = m_arguments.value("progress", "auto");
  if (m_format == Format::jsonl) {
    return make_json_progress(m_console.out);
  }
  if (m_format == Format::junit) {
    auto progress = std::make_unique<JunitProgress>();
    m_junit = progress.get();
    return progress;
  }
  if (mode == "json") {
    return make_json_progress(m_console.err);
  }
  if (mode == "quiet" || (quiet() && mode == "auto")) {
    return std::make_unique<Progress>();
  }
  const auto term = m_console.environment("TERM");
  const bool live = m_console.err_terminal && !in_ci(m_console) && (!term || *term != "dumb");
  const ProgressOptions options{m_err_style, verbose() ? Log::all : Log::last, m_console.columns};
  const Write plain = [this](std::string_view text) {
    m_console.err(shown(std::string(text), true));
  };
  return mode == "tty" || (mode == "auto" && live) ? make_live_progress(m_console.err, options)
                                                   : make_plain_progress(plain, options);
}

operations::Engine& Session::engine() {
  if (m_engine) {
    return *m_engine;
  }
  operations::Settings settings;
  if (const auto timeout = m_arguments.value("lock-timeout"); !timeout.empty()) {
    settings.lock_timeout = parse_duration(timeout);
  }
  settings.trust = trust_grant();
  settings.op_id = op_id();
  settings.plan_text = verbose() ? operations::PlanText::all : operations::PlanText::changes;
  settings.agree = [this](const Json& wanted) {
    const bool is_agreed = interactive() && ask_to_agree(wanted);
    m_refused = is_agreed ? Json() : wanted;
    return is_agreed;
  };
  m_progress = make_progress();
  operations::Callbacks callbacks;
  callbacks.events = [this](const operations::Event& event) {
    m_progress->handle(event);
  };
  callbacks.interrupted = interrupted;
  callbacks.color = m_command.name == "plan" ? m_out_style.color : m_err_style.color;
  if (interactive()) {
    callbacks.ask = [this](const std::string& text) {
      return ask(text);
    };
  }
  m_engine = m_make_engine(settings, callbacks);
  return *m_engine;
}

bool Session::ask(const std::string& text) {
  finish_progress();
  if (!plan_was_shown()) {
    m_console.err(shown(text + (text.ends_with('\n') ? "" : "\n"), true));
  }
  return answered_yes(
      m_command.name == "apply" || m_command.name == "up" ? "\nApply this? [y/N] " : "\nGo on? [y/N] ");
}

bool Session::answered_yes(std::string_view question) {
  m_console.err(question);
  const auto answer = m_console.read_line();
  if (!answer) {
    m_console.err("\n");
  }
  return answer && (*answer == "y" || *answer == "Y" || *answer == "yes");
}

bool Session::ask_to_agree(const Json& wanted) {
  finish_progress();
  m_console.err(render_wanted(wanted, m_err_style));
  return answered_yes(fmt::format(
      "\nAgree to all of this ({}), for this checkout? [y/N] ", count_requests(list_at(wanted, "requests"))));
}

bool Session::agree_on_terminal(const Json& wanted) {
  return !interactive() || ask_to_agree(wanted);
}

operations::TrustGrant Session::trust_grant() const {
  if (m_arguments.has("trust")) {
    return operations::TrustGrant::remember;
  }
  const auto value = m_console.environment("PYRO_TRUST");
  return value && !value->empty() && is_yes("PYRO_TRUST", *value) ? operations::TrustGrant::once
                                                                  : operations::TrustGrant::recorded;
}

Json Session::call(std::string_view operation, const Json& parameters) {
  if (m_format == Format::jsonl && !m_is_version_told) {
    m_console.out(version_line());
    m_is_version_told = true;
  }
  auto result = engine().call(operation, parameters);
  finish_progress();
  return result;
}

const McpFront& Session::mcp() const {
  if (!m_mcp.serve) {
    throw Error(ErrorCode::unavailable, "this build of pyro has no MCP server");
  }
  return m_mcp;
}

int Session::serve_mcp(McpServeRequest request) {
  if (request.project_path.empty()) {
    request.project_path = m_arguments.value("directory");
  }
  request.trust_once = trust_grant() != operations::TrustGrant::recorded;
  if (const auto timeout = m_arguments.value("lock-timeout"); !timeout.empty()) {
    request.lock_timeout = parse_duration(timeout);
  }
  return mcp().serve(request);
}

Json Session::configure_mcp(McpConfigRequest request) {
  request.directory = m_arguments.value("directory", ".");
  return mcp().configure(request);
}

Json Session::configure_ssh(const SshConfigRequest& request) {
  if (!m_ssh) {
    throw Error(ErrorCode::internal, "this program has no ssh server");
  }
  return m_ssh(request);
}

void Session::finish_progress() {
  if (m_progress) {
    m_progress->finish();
  }
}

bool Session::show_document(const Json& result) {
  if (m_format == Format::json) {
    m_console.out(dump_json(result));
  } else if (m_format == Format::jsonl) {
    m_console.out(json_line("result", {{"command", m_command.name}, {"data", result}}));
  } else {
    return false;
  }
  return true;
}

void Session::show(const Json& result, const std::function<std::string(const Json&)>& text) {
  finish_progress();
  if (!show_document(result)) {
    m_console.out(shown(text(result), m_console.out_terminal));
  }
}

void Session::show_annotations(const Json& result, const std::function<std::string(const Json&)>& text) {
  finish_progress();
  if (!show_document(result)) {
    m_console.out(text(result));
  }
}

void Session::show_junit(const Json& applied) {
  finish_progress();
  m_console.out(m_junit->report(applied));
}

void Session::show_junit(const Error& failure) {
  if (m_junit != nullptr) {
    m_console.out(m_junit->report(failure));
  }
}

/// The last word on text of others, whatever the command has made safe itself. Elsewhere than on a terminal
/// it may be a payload, byte for byte.
std::string Session::shown(std::string text, bool is_safe_wanted) const {
  if (is_safe_wanted || m_format == Format::github) { // whose log shows escapes as a terminal does
    text = escape_painted(text);
  }
  return m_format == Format::github ? escape_workflow_commands(text) : text;
}

void Session::show_line(const std::string& text) {
  m_console.out(shown(text + "\n", true));
}

void Session::show_json_line(const Json& document) {
  m_console.out(json_line(document));
}

bool Session::show_if_only_said(const Json& result) {
  if (!bool_or(result, "dry_run", false)) {
    return false;
  }
  show(result, [](const Json& said) { return string_or(said, "text", ""); });
  return true;
}

void Session::conclude(const Json& result, const std::function<std::string(const Json&)>& text) {
  if (show_if_only_said(result)) {
    return;
  }
  finish_progress();
  if (!show_document(result) && !quiet()) {
    m_console.err(shown(text(result), true));
  }
}

void Session::note(std::string_view text) {
  if (!quiet()) {
    finish_progress();
    m_console.err(shown(fmt::format("{}\n", text), true));
  }
}

} // namespace pyro::cli
