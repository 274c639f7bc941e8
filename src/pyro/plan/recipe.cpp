#include "recipe.hpp"

#include <pyro/base/cut_text.hpp>

namespace pyro::plan {

namespace {

std::string short_text(std::string_view text) {
  constexpr std::size_t k_most = 60;
  auto line = text.substr(0, text.find('\n'));
  const bool cut = line.size() > k_most || line.size() + 1 < text.size();
  line = line.substr(0, k_most);
  line.remove_suffix(unfinished_character(line));
  return cut ? std::string(line) + "…" : std::string(line);
}

std::string short_digest(const HexDigest& digest) {
  return digest.substr(0, 12);
}

std::string_view kind_of_point(std::string_view point) {
  return point.substr(0, point.find('.'));
}

class LinkBuilder {
public:
  LinkBuilder(const spec::Spec& spec, std::string address, std::string point) : m_spec(spec) {
    m_link.address = std::move(address);
    m_link.point = std::move(point);
  }

  LinkBuilder& value(std::string name, const std::string& text, std::string_view place) {
    return digest(std::move(name), sha256_of(text), short_text(text), place);
  }

  LinkBuilder& digest(std::string name, HexDigest digest, std::string display, std::string_view place) {
    m_link.inputs.push_back({std::move(name), std::move(digest), std::move(display), m_spec.place(place)});
    return *this;
  }

  LinkBuilder& variables(const std::string& prefix, const spec::StringMap& env, const std::string& place) {
    for (const auto& [name, text] : env) {
      value(fmt::format("{}env.{}", prefix, name), text, fmt::format("{}.{}", place, name));
    }
    return *this;
  }

  Link take() { return std::move(m_link); }

private:
  const spec::Spec& m_spec;
  Link m_link;
};

template <typename Map>
typename Map::mapped_type value_or_empty(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

/// Caches and whose they are, and secrets; with one that is this checkout's own the layer is as well.
void add_grants(
    LinkBuilder& builder, const spec::Spec& spec, const spec::Step& step, const std::string& address,
    const InputDigests& digests) {
  auto caches = step.cache;
  std::sort(
      caches.begin(), caches.end(), [](const auto& one, const auto& other) { return one.path < other.path; });
  bool own = !step.secrets.empty();
  for (const auto& cache : caches) {
    builder.value("cache " + cache.path, std::string(name_of(cache.share)), address + ".cache");
    own = own || cache.share == spec::CacheShare::checkout;
  }
  for (const auto& secret : step.secrets) {
    const auto declared = spec.secrets.find(secret);
    const bool is_inside = declared == spec.secrets.end() || !declared->second.is_for_requests();
    builder.value("secret " + secret, is_inside ? "given" : "in requests", address + ".secrets");
  }
  if (own) {
    builder.value(
        "checkout", digests.checkout, step.secrets.empty() ? address + ".cache" : address + ".secrets");
  }
  if (digests.single_id) {
    builder.value("ids", "only one inside", address);
  }
}

void add_inputs(LinkBuilder& builder, const std::string& address, const InputDigests& digests) {
  auto files = value_or_empty(digests.step_inputs, address);
  std::sort(files.begin(), files.end());
  for (const auto& [path, digest] : files) {
    builder.digest("input " + path, digest, short_digest(digest), address + ".inputs");
  }
}

const std::string& seed_owner(const spec::Spec& spec) {
  return spec.seed.owner.empty() ? spec.environment.user : spec.seed.owner;
}

Link setup_link(const spec::Spec& spec, const spec::Step& step, const InputDigests& digests) {
  const auto address = "environment.setup." + step.id;
  LinkBuilder builder(spec, address, "setup." + step.id);
  builder.value("run", step.run, address + ".run");
  builder.value("user", step.user, address + ".user");
  builder.value("workdir", step.workdir, address);
  builder.value("egress", to_string(step.egress), address + ".egress");
  builder.variables("", step.env, address + ".env");
  add_inputs(builder, address, digests);
  add_grants(builder, spec, step, address, digests);
  return builder.take();
}

Link prepare_link(const spec::Spec& spec, const spec::Step& step, const InputDigests& digests) {
  const auto address = "prepare." + step.id;
  LinkBuilder builder(spec, address, address);
  const bool own_user = spec.positions.contains(address + ".user");
  builder.value("run", step.run, address + ".run");
  builder.value("user", step.user, own_user ? address + ".user" : "environment.user");
  builder.value("workdir", step.workdir, "environment.workdir");
  builder.value("egress", to_string(step.egress), "network.egress");
  builder.variables("", step.env, address + ".env");
  if (!step.inputs.empty()) {
    add_inputs(builder, address, digests);
    builder.value("to", spec.seed.to, "seed.to");
    builder.value("owner", seed_owner(spec), "seed.owner");
  }
  add_grants(builder, spec, step, address, digests);
  return builder.take();
}

Link seed_link(const spec::Spec& spec, const InputDigests& digests) {
  return LinkBuilder(spec, "seed", "seed")
      .digest("seed tree", digests.seed_tree, short_digest(digests.seed_tree), "seed.from")
      .value("to", spec.seed.to, "seed.to")
      .value("owner", seed_owner(spec), "seed.owner")
      .take();
}

void add_service(
    LinkBuilder& builder, const spec::Spec& spec, const spec::Service& service, const InputDigests& digests) {
  const auto address = "services." + service.name;
  const auto& environment = spec.environment;
  const auto argv = service.command.argv();
  builder.digest(
      address + ".command", sha256_of(Json(argv).dump(-1, ' ', false, Json::error_handler_t::replace)),
      short_text(
          service.command.list.empty() ? service.command.shell : fmt::format("{}", fmt::join(argv, " "))),
      address + ".command");
  const bool inherits_user = service.user.empty();
  const bool inherits_workdir = service.workdir.empty();
  builder.value(
      address + ".user", inherits_user ? environment.user : service.user,
      inherits_user ? "environment.user" : address + ".user");
  builder.value(
      address + ".workdir", inherits_workdir ? environment.workdir : service.workdir,
      inherits_workdir ? "environment.workdir" : address + ".workdir");
  for (const auto& [name, text] : effective_env(service, environment)) {
    const bool own = service.env.contains(name);
    builder.value(
        fmt::format("{}.env.{}", address, name), text,
        own ? fmt::format("{}.env.{}", address, name) : "environment.env." + name);
  }
  if (!service.env_file.empty()) {
    const auto digest = value_or_empty(digests.env_files, service.name);
    builder.digest(
        address + ".env_file", sha256_of(fmt::format("{}\n{}", fmt::join(service.env_file, "\n"), digest)),
        fmt::format("{} @{}", fmt::join(service.env_file, ", "), short_digest(digest)),
        address + ".env_file");
  }
  builder.value(
      address + ".secrets", fmt::format("{}", fmt::join(service.secrets, ", ")), address + ".secrets");
  builder.value(address + ".oneshot", service.oneshot ? "true" : "false", address + ".oneshot");
}

} // namespace

std::vector<Link> build_chain(const spec::Spec& spec, const InputDigests& digests) {
  std::vector<Link> chain;
  chain.push_back(LinkBuilder(spec, "environment", "image")
                      .digest(
                          "image", digests.environment,
                          fmt::format("{} @{}", spec.environment.image, short_digest(digests.environment)),
                          "environment.image")
                      .take());
  for (const auto& step : spec.environment.setup) {
    chain.push_back(setup_link(spec, step, digests));
  }
  // What a step with inputs does not see cannot change what it makes: the seed lies above it.
  const auto rest = std::find_if(
      spec.prepare.begin(), spec.prepare.end(), [](const auto& step) { return step.inputs.empty(); });
  for (auto step = spec.prepare.begin(); step != rest; ++step) {
    chain.push_back(prepare_link(spec, *step, digests));
  }
  chain.push_back(seed_link(spec, digests));
  for (auto step = rest; step != spec.prepare.end(); ++step) {
    chain.push_back(prepare_link(spec, *step, digests));
  }
  if (!spec.services.empty()) {
    LinkBuilder builder(spec, "services", "ready");
    for (const auto& [name, service] : spec.services) {
      add_service(builder, spec, service, digests);
    }
    // Probes, the order of starts and secrets leave their marks too: what is running is one checkout's own.
    builder.value("egress", to_string(spec.network_egress), "network.egress");
    builder.value("name", spec.name, "name");
    builder.value("checkout", digests.checkout, "services");
    for (const auto& [name, service] : spec.services) {
      if (service.oneshot_per == spec::OneshotPer::content) { // the content says that it is done
        builder.value("done once: " + name, "content", fmt::format("services.{}.oneshot", name));
      }
    }
    if (spec::stops_for_ready_point(spec.snapshots)) {
      builder.value("services while captured", "stopped", "snapshots");
    }
    if (digests.single_id) {
      builder.value("ids", "only one inside", "services");
    }
    chain.push_back(builder.take());
  }
  rekey(chain);
  return chain;
}

void rekey(std::vector<Link>& chain) {
  HexDigest parent;
  for (auto& link : chain) {
    Sha256 hash;
    hash.field(fmt::format("pyro recipe {}", k_key_version)).field(parent).field(kind_of_point(link.point));
    for (const auto& input : link.inputs) {
      hash.field(input.name).field(input.digest);
    }
    link.key = hash.finish();
    parent = link.key;
  }
}

std::optional<std::size_t> index_of_point(const std::vector<Link>& chain, std::string_view at) {
  std::optional<std::size_t> found;
  const bool is_kind = at.find('.') == std::string_view::npos;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const auto kind = kind_of_point(chain[i].point);
    // A group without members is the point before it: no setup steps → the image; no prepare steps → the
    // seed.
    const bool stands_in =
        (at == "setup" && kind == "image") || (at == "prepare" && kind == "seed") || at == "ready";
    if (chain[i].point == at || (is_kind && (kind == at || stands_in))) {
      found = i;
    }
  }
  return found;
}

HexDigest key_of_point(const std::vector<Link>& chain, std::string_view at) {
  const auto index = index_of_point(chain, at);
  return index ? chain[*index].key : HexDigest{};
}

HexDigest content_key(const std::vector<Link>& chain) {
  return key_of_point(chain, "prepare");
}

HexDigest service_digest(const std::vector<Link>& chain, const std::string& service) {
  const auto prefix = fmt::format("services.{}.", service);
  if (chain.empty() || chain.back().point != "ready") {
    return {};
  }
  Sha256 hash;
  bool any = false;
  for (const auto& input : chain.back().inputs) {
    if (input.name.starts_with(prefix)) {
      hash.field(input.name).field(input.digest);
      any = true;
    }
  }
  return any ? hash.finish() : HexDigest{};
}

std::vector<Difference> link_differences(const Link& before, const Link& after) {
  const auto find = [](const Link& link, const std::string& name) -> const RecipeInput* {
    for (const auto& input : link.inputs) {
      if (input.name == name) {
        return &input;
      }
    }
    return nullptr;
  };
  std::vector<Difference> differences;
  for (const auto& input : after.inputs) {
    const auto* old = find(before, input.name);
    if (!old || old->digest != input.digest) {
      const auto kind = old ? DifferenceKind::changed : DifferenceKind::added;
      differences.push_back(
          {after.address, kind, input.name, old ? old->display : "", input.display, input.place});
    }
  }
  for (const auto& input : before.inputs) {
    if (!find(after, input.name)) {
      differences.push_back({after.address, DifferenceKind::removed, input.name, input.display, "", {}});
    }
  }
  return differences;
}

std::optional<Difference> link_difference(const Link& before, const Link& after) {
  auto differences = link_differences(before, after);
  return differences.empty() ? std::nullopt : std::optional(std::move(differences.front()));
}

std::optional<Difference> first_difference(const std::vector<Link>& before, const std::vector<Link>& after) {
  const auto same = [](const Link& a, const Link& b) {
    return kind_of_point(a.point) == kind_of_point(b.point) && !link_difference(a, b);
  };
  const auto added = [&](const Link& link) {
    const auto place = link.inputs.empty() ? Position{} : link.inputs.front().place;
    const bool was_there = std::any_of(
        before.begin(), before.end(), [&](const Link& old) { return old.address == link.address; });
    const auto kind = was_there ? DifferenceKind::moved : DifferenceKind::added;
    return Difference{link.address, kind, "", "", "", place};
  };
  const auto removed = [](const Link& link) {
    return Difference{link.address, DifferenceKind::removed, "", "", "", {}};
  };
  for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    if (i >= before.size()) {
      return added(after[i]);
    }
    if (i >= after.size()) {
      return removed(before[i]);
    }
    if (before[i].key == after[i].key) {
      continue;
    }
    const auto old_kind = kind_of_point(before[i].point);
    const auto new_kind = kind_of_point(after[i].point);
    if (old_kind != new_kind) {
      const bool is_step = new_kind == "setup" || new_kind == "prepare";
      return is_step ? added(after[i]) : removed(before[i]);
    }
    if (i + 1 < after.size() && same(before[i], after[i + 1])) {
      return added(after[i]);
    }
    if (i + 1 < before.size() && same(before[i + 1], after[i])) {
      return removed(before[i]);
    }
    if (auto difference = link_difference(before[i], after[i])) {
      return difference;
    }
    return Difference{
        after[i].address, DifferenceKind::changed, "key version", "", std::to_string(k_key_version), {}};
  }
  return std::nullopt;
}

Json to_json(const Link& link) {
  Json inputs = Json::array();
  for (const auto& input : link.inputs) {
    inputs.push_back(
        {{"name", input.name},
         {"digest", input.digest},
         {"display", input.display},
         {"file", input.place.file},
         {"line", input.place.line},
         {"col", input.place.column}});
  }
  return {{"address", link.address}, {"point", link.point}, {"key", link.key}, {"inputs", std::move(inputs)}};
}

Link link_from_json(const Json& value) {
  Link link{get_string(value, "address"), get_string(value, "point"), get_string(value, "key"), {}};
  const auto& inputs = value_at(value, "inputs");
  if (!inputs.is_array()) {
    throw Error(ErrorCode::protocol, "'inputs' must be a list, found {}", inputs.type_name());
  }
  for (const auto& input : inputs) {
    const Position place{
        string_or(input, "file", ""), static_cast<int>(int_or(input, "line", 0)),
        static_cast<int>(int_or(input, "col", 0))};
    link.inputs.push_back(
        {get_string(input, "name"), get_string(input, "digest"), string_or(input, "display", ""), place});
  }
  return link;
}

Json to_json(const std::vector<Link>& chain) {
  Json links = Json::array();
  for (const auto& link : chain) {
    links.push_back(to_json(link));
  }
  return links;
}

std::vector<Link> chain_from_json(const Json& value) {
  std::vector<Link> chain;
  for (const auto& link : value) {
    chain.push_back(link_from_json(link));
  }
  return chain;
}

} // namespace pyro::plan
