// The readers of MapReader for values with rules of their own: variables, users, paths, commands, egress.
#include "reader.hpp"

#include <pyro/egress/rule.hpp>

#include <filesystem>

namespace pyro::spec {

namespace {

bool is_env_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) {
    return c >= '0' && c <= '9';
  };
  return !text.empty() && is_letter(text[0])
         && std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || is_digit(c); });
}

bool has_parent_part(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..")
         || path.find("/../") != std::string_view::npos;
}

} // namespace

std::string
read_directory(Context& context, const Node& node, const std::string& address, const std::string& text) {
  if (!text.starts_with("/") || has_parent_part(text) || text.find('\0') != std::string::npos) {
    context.error(
        node, "value", address, fmt::format("'{}' is no absolute path", text),
        "start with '/', without '..'");
    return {};
  }
  auto path =
      std::filesystem::path(
          "/"
          + text.substr(
              text.find_first_not_of('/') == std::string::npos ? text.size() : text.find_first_not_of('/')))
          .lexically_normal()
          .string();
  if (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

void MapReader::env(std::string_view key, StringMap& out) {
  string_map(key, out);
  for (const auto& [name, unused] : out) {
    if (!is_env_name(name)) {
      m_context.error_at(
          m_context.positions[join(address_of(key), name)], "name", join(address_of(key), name),
          fmt::format("'{}' cannot be the name of a variable", name),
          "letters, digits and '_', no digit first");
    }
  }
}

void MapReader::user(std::string_view key, std::string& out) {
  string(key, out);
  const bool odd = out.find_first_of(" \t\n/,") != std::string::npos || out.starts_with(":")
                   || out.starts_with("-") || out.ends_with(":")
                   || std::count(out.begin(), out.end(), ':') > 1;
  if (has(key) && (odd || out.empty() || out.size() > 64)) {
    error(key, "value", fmt::format("'{}' is no user", out), "a name or number, with :group if need be");
  }
}

void MapReader::directory(std::string_view key, std::string& out) {
  string(key, out);
  if (const Node* found = m_node.find(key); found && found->is_scalar()) {
    if (auto path = read_directory(m_context, *found, address_of(key), out); !path.empty()) {
      out = std::move(path);
    }
  }
}

void MapReader::target(std::string_view key, std::string& out) {
  directory(key, out);
  if (out.empty()) {
    return; // missing or already complained about
  }
  const auto parts = std::filesystem::path(out).lexically_normal().relative_path();
  const auto top = parts.empty() ? std::string() : parts.begin()->string();
  if (top.empty() || top == ".") {
    error(key, "value", "nothing can replace the whole root", "use a directory such as /workspace");
  } else if (top == "proc" || top == "sys" || top == "dev" || top == "run") {
    error(
        key, "value", fmt::format("/{} is the kernel's or the machine's, nothing can be put there", top),
        "use a directory such as /workspace");
  }
}

void MapReader::directories(std::string_view key, std::vector<std::string>& out) {
  each_text(key, out, [&](const Node& item, const std::string& address, std::string& text) {
    if (auto path = read_directory(m_context, item, address, text); !path.empty()) {
      text = std::move(path);
    }
  });
}

void MapReader::names(std::string_view key, std::vector<std::string>& out) {
  each_text(key, out, [&](const Node& item, const std::string& address, std::string& text) {
    const auto [known, is_new] = m_context.positions.emplace(join(address_of(key), text), item.place);
    if (!is_new) {
      m_context.error(
          item, "value", address, fmt::format("'{}' is listed twice", text),
          fmt::format("the first is at {}", to_string(known->second)));
    }
  });
  std::sort(out.begin(), out.end());
}

void MapReader::inputs(std::string_view key, std::vector<std::string>& out) {
  each_text(key, out, [&](const Node& item, const std::string& address, std::string& text) {
    if (text.starts_with("/") || has_parent_part(text)) {
      m_context.error(
          item, "value", address, fmt::format("'{}' leads out of the seed", text),
          "name it relative to seed.from, without '..'");
    }
  });
}

void MapReader::ignore_patterns(std::string_view key, std::vector<std::string>& out) {
  each_text(key, out, [&](const Node& item, const std::string& address, std::string& text) {
    if (text.starts_with("./") || text.starts_with("!./")) {
      m_context.error(
          item, "value", address, fmt::format("'{}' matches nothing: patterns are as in .gitignore", text),
          "write /NAME for that at the top, NAME for any");
    }
  });
}

void MapReader::command(std::string_view key, Command& out) {
  const Node* found = value(key);
  if (!found) {
    return;
  }
  if (found->is_list()) {
    each_item(key, [&](const Node& item, std::size_t i) {
      if (auto text = read_text(m_context, item, fmt::format("{}[{}]", address_of(key), i))) {
        out.list.push_back(std::move(*text));
      }
    });
  } else {
    string(key, out.shell);
  }
  const bool is_blank =
      found->is_list() ? found->items.empty() || (found->items[0].is_scalar() && found->items[0].text.empty())
                       : out.shell.find_first_not_of(" \t\n") == std::string::npos;
  if (!found->is_map() && is_blank) {
    error(key, "value", "the command is empty");
  }
}

/// Presets stand for their hosts.
void MapReader::egress(std::string_view key, Egress& out) {
  const Node* found = value(key);
  if (!found) {
    return;
  }
  if (!found->is_list()) {
    std::string text;
    string(key, text);
    if (text == "none" || text == "all") {
      out.kind = text == "all" ? EgressKind::all : EgressKind::none;
    } else if (found->is_scalar()) {
      error(
          key, "value", fmt::format("'{}' is neither none nor all", text),
          fmt::format("write hosts as a list: [{}]", text));
    }
    return;
  }
  out.kind = EgressKind::hosts;
  std::vector<std::string> expanded;
  each_text(key, out.hosts, [&](const Node& item, const std::string& address, std::string& host) {
    if (!m_context.withheld.empty() && host.find("${") != std::string::npos) {
      return;
    }
    if (const auto hosts = egress::preset(host)) {
      expanded.insert(expanded.end(), hosts->begin(), hosts->end());
      host = hosts->front();
      return;
    }
    try {
      host = egress::to_string(egress::rule_from(host));
    } catch (const Error& wrong) {
      m_context.error(item, "value", address, wrong.message(), wrong.hint());
    }
  });
  out.hosts.insert(out.hosts.end(), expanded.begin(), expanded.end());
  std::sort(out.hosts.begin(), out.hosts.end());
  out.hosts.erase(std::unique(out.hosts.begin(), out.hosts.end()), out.hosts.end());
  if (out.hosts.empty()) {
    out.kind = EgressKind::none;
  }
}

} // namespace pyro::spec
