// One run of one command: its arguments, where it writes, and the engine behind it, made when it is first
// needed. Commands ask for JSON from the engine and hand it to show() with the function that makes text of
// it.
#pragma once

#include "console.hpp"
#include "junit.hpp"
#include "mcp_front.hpp"
#include "progress.hpp"
#include "ssh_front.hpp"
#include "style.hpp"

#include <pyro/operations/engine.hpp>

#include <functional>
#include <memory>
#include <string>

namespace pyro::cli {

enum class Format { text, json, jsonl, github, junit, sarif };

class Session {
public:
  Session(
      const Command& command, const Arguments& arguments, Console& console,
      const operations::EngineFactory& make_engine, const McpFront& mcp, const ConfigureSsh& ssh);

  const Command& command() const { return m_command; }

  const Arguments& arguments() const { return m_arguments; }

  Console& console() { return m_console; }

  Format format() const { return m_format; }

  /// For standard output, and for standard error.
  Style out_style() const { return m_out_style; }

  Style err_style() const { return m_err_style; }

  bool quiet() const { return m_arguments.has("quiet"); }

  bool verbose() const { return m_arguments.has("verbose"); }

  /// directory, file, profile and vars as operations take them.
  Json project() const;
  /// The same and workspace. Throws Error(usage) where both a workspace and a file are named.
  Json where() const;

  operations::Engine& engine();

  /// engine().call(), then what progress drew is complete.
  Json call(std::string_view operation, const Json& parameters);

  /// Becomes the MCP server. The exit status.
  int serve_mcp(McpServeRequest request);
  /// What ConfigureMcp gives.
  Json configure_mcp(McpConfigRequest request);
  /// What ConfigureSsh gives.
  Json configure_ssh(const SshConfigRequest& request);

  /// The result: `text(result)` or a document, to standard output.
  void show(const Json& result, const std::function<std::string(const Json&)>& text);
  /// The same for workflow commands of GitHub: what the text holds of others must be escaped in it.
  void show_annotations(const Json& result, const std::function<std::string(const Json&)>& text);

  /// One more line of a text that comes bit by bit, to standard output.
  void show_line(const std::string& text);
  /// One more of a stream of documents, each on a line, to standard output.
  void show_json_line(const Json& document);

  /// With --dry-run the plan is the answer: shows it and returns true.
  bool show_if_only_said(const Json& result);

  /// The same where the text says only what was done: it goes to standard error, and not at all with --quiet.
  /// With --dry-run as show_if_only_said().
  void conclude(const Json& result, const std::function<std::string(const Json&)>& text);

  /// Shows what is wanted of this machine and asks. Where nobody can be asked, calling this is the agreement
  /// (`pyro trust` in a script): true.
  bool agree_on_terminal(const Json& wanted);

  /// What was wanted of this machine and not agreed to; null: nothing.
  const Json& refused() const { return m_refused; }

  /// A line to standard error unless --quiet.
  void note(std::string_view text);

  /// Ends what progress has drawn; before anything else is written.
  void finish_progress();

  /// With --output junit: the report of what was done, or of what failed. Writes nothing where nothing was
  /// begun.
  void show_junit(const Json& applied);
  void show_junit(const Error& failure);

  bool plan_was_shown() const { return m_progress && m_progress->plan_was_shown(); }

private:
  bool interactive() const;
  bool wants_color(bool terminal) const;
  bool show_document(const Json& result);
  std::string shown(std::string text, bool is_safe_wanted) const;
  std::unique_ptr<Progress> make_progress();
  bool ask(const std::string& text);
  bool ask_to_agree(const Json& wanted);
  bool answered_yes(std::string_view question);
  operations::TrustGrant trust_grant() const;
  const McpFront& mcp() const;

  const Command& m_command;
  const Arguments& m_arguments;
  Console& m_console;
  const operations::EngineFactory& m_make_engine;
  const McpFront& m_mcp;
  const ConfigureSsh& m_ssh;
  Format m_format = Format::text;
  Style m_out_style;
  Style m_err_style;
  Json m_refused;
  std::unique_ptr<Progress> m_progress; // outlives the engine, which calls it
  JunitProgress* m_junit = nullptr;     // m_progress, with --output junit
  bool m_is_version_told = false;       // of --output jsonl
  std::unique_ptr<operations::Engine> m_engine;
};

/// --output and --json, before there is a session to ask (errors of the command line itself).
Format format_of(const Arguments& arguments);

} // namespace pyro::cli
