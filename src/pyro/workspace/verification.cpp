#include "verification.hpp"

#include "difference_class.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/random.hpp>
#include <pyro/store/diff.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/apply/layer_builder.hpp>
#include <pyro/workspace/apply/planning.hpp>
#include <pyro/workspace/apply/room.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/state/verification_records.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_most_listed = 1000;
constexpr std::size_t k_most_read = 4 << 20; // of each file

/// What one build gave: the stack of the last link, and which link each layer is of.
struct Built {
  store::LayerStack stack;
  std::map<std::string, std::string> addresses; // by the tree's directory
};

/// Whether steps that are after a network could reach one.
std::set<std::string> steps_with_network(const spec::Spec& spec) {
  std::set<std::string> addresses;
  for (const auto& step : spec.environment.setup) {
    if (step.egress.kind != spec::EgressKind::none) {
      addresses.insert("environment.setup." + step.id);
    }
  }
  for (const auto& step : spec.prepare) {
    if (step.egress.kind != spec::EgressKind::none) {
      addresses.insert("prepare." + step.id);
    }
  }
  return addresses;
}

class Verification {
public:
  Verification(Context& context, const LoadedProject& project, ProjectSecrets& secrets)
      : m_context(context), m_project(project), m_secrets(secrets),
        m_backend(backend_for(context, project, {})) {}

  /// Under keys of its own, which nobody else finds and which are forgotten afterwards.
  Built build(int pass) {
    auto resolved = resolve_inputs(m_context, m_project, Build::yes);
    std::erase_if(resolved.chain, [](const plan::Link& link) { return link.point == "ready"; });
    const auto salt = os::random_hex(16);
    for (std::size_t index = 0; index < resolved.chain.size(); ++index) {
      auto& link = resolved.chain[index];
      m_links[link.address] = link.key;
      if (index > 0) {
        link.key = Sha256{}.field("verify").field(salt).field(link.key).finish();
        m_keys.push_back(link.key);
      }
    }
    const auto room = m_context.layers.stage();
    LayerBuilder builder(
        m_context, m_project, resolved, m_secrets, m_backend, os::random_hex(6), room.directory());
    Built built;
    for (std::size_t index = 0; index < resolved.chain.size(); ++index) {
      const auto& address = resolved.chain[index].address;
      m_context.check_interrupted();
      const auto began = os::now_monotonic();
      m_context.emit("action_start", address, fmt::format("building, {} of 2", pass));
      built.stack = index == 0 && builder.has(0) ? builder.stack_of(0) : builder.build(index);
      for (const auto& layer : built.stack.layers) {
        built.addresses.emplace(m_context.layers.tree(layer), address);
      }
      m_context.emit(
          "action_complete", address, fmt::format("built, {} of 2", pass),
          {{"duration_ms", (os::now_monotonic() - began).count()}, {"action", "build"}});
    }
    return built;
  }

  /// {"count", "differing", "classes"}
  Json compare(const Built& first, const Built& second, const BuildSpan& span) const {
    const auto one = stack_of(first);
    const auto other = stack_of(second);
    const auto networked = steps_with_network(m_project.spec);
    return os::IdSpace::current().run([&]() -> Json {
      const auto entries = store::compute_diff(one, other);
      Json list = Json::array();
      Json classes = Json::object();
      for (const auto& entry : entries) {
        const auto& found = entry.after ? *entry.after : *entry.before;
        const auto& addresses = entry.after ? second.addresses : first.addresses;
        const auto address = addresses.find(found.tree);
        const auto step = address == addresses.end() ? "" : address->second;
        const auto kind = name_of(class_of_entry(entry, entries, span, networked.contains(step)));
        classes[std::string(kind)] = classes.value(std::string(kind), 0) + 1;
        if (list.size() < k_most_listed) {
          list.push_back(
              {{"path", "/" + entry.path},
               {"status", name_of(entry.status)},
               {"step", step},
               {"class", kind}});
        }
      }
      return {{"count", entries.size()}, {"differing", std::move(list)}, {"classes", std::move(classes)}};
    });
  }

  void forget_keys() const {
    for (const auto& key : m_keys) {
      m_context.recipes.remove(key);
    }
  }

  const std::map<std::string, std::string>& links() const { return m_links; }

private:
  static DifferenceClass class_of_entry(
      const store::DiffEntry& entry, const std::vector<store::DiffEntry>& all, const BuildSpan& span,
      bool network) {
    const auto otherwise = network ? DifferenceClass::network : DifferenceClass::other;
    if (entry.status == store::DiffStatus::type_changed) {
      return otherwise;
    }
    if (entry.status != store::DiffStatus::modified) {
      return class_of_name(entry, all, span, otherwise);
    }
    if (entry.before->is_symlink()) {
      return class_of(entry.before->link_target(), entry.after->link_target(), span, network);
    }
    if (!entry.before->is_file()) {
      return DifferenceClass::other; // a mode or an owner
    }
    const auto is_large = [](const store::Found& found) {
      return static_cast<std::uint64_t>(found.status.st_size) > k_most_read;
    };
    if (is_large(*entry.before) || is_large(*entry.after)) {
      return otherwise;
    }
    const auto one = os::read_all(entry.before->open().get(), k_most_read);
    const auto other = os::read_all(entry.after->open().get(), k_most_read);
    return one == other ? DifferenceClass::other : class_of(one, other, span, network);
  }

  /// What has another name each time was added and deleted.
  static DifferenceClass class_of_name(
      const store::DiffEntry& entry, const std::vector<store::DiffEntry>& all, const BuildSpan& span,
      DifferenceClass otherwise) {
    constexpr std::size_t k_most_tried = 200;
    std::size_t tried = 0;
    for (const auto& twin : all) {
      const bool is_twin = twin.before.has_value() != entry.before.has_value()
                           && twin.after.has_value() != entry.after.has_value();
      if (!is_twin || ++tried > k_most_tried) {
        continue;
      }
      const auto kind = class_of(entry.path, twin.path, span, false);
      if (kind == DifferenceClass::time || kind == DifferenceClass::random) {
        return kind;
      }
    }
    return otherwise;
  }

  store::Stack stack_of(const Built& built) const {
    return store::Stack::of(m_context.layers.trees(built.stack.layers), built.stack.host_directories);
  }

  Context& m_context;
  const LoadedProject& m_project;
  ProjectSecrets& m_secrets;
  const backend::Backend& m_backend;
  std::vector<std::string> m_keys;
  std::map<std::string, std::string> m_links;
};

/// What steps are given, which is told before the first of them.
void read_step_secrets(const spec::Spec& spec, ProjectSecrets& secrets) {
  std::set<std::string> names;
  for (const auto* steps : {&spec.environment.setup, &spec.prepare}) {
    for (const auto& step : *steps) {
      names.insert(step.secrets.begin(), step.secrets.end());
    }
  }
  secrets.read(names);
}

class KeysForgotten {
public:
  explicit KeysForgotten(const Verification& verification) : m_verification(verification) {}

  ~KeysForgotten() {
    try {
      m_verification.forget_keys();
    } catch (const std::exception&) {
      // Nobody finds them; the retention removes them.
    }
  }

  KeysForgotten(const KeysForgotten&) = delete;
  KeysForgotten& operator=(const KeysForgotten&) = delete;

private:
  const Verification& m_verification;
};

} // namespace

Json verify_project(Context& context, const Project& project) {
  const auto started = os::now_monotonic();
  const auto began = os::now_epoch();
  context.base.prepare();
  const store::LentReserve reserve(context.base);
  const auto loaded = load_project(context, project);
  const auto store_lock = context.use_store("verify");
  auto secrets = secrets_of(context, loaded, "");
  read_step_secrets(loaded.spec, secrets);
  require_room_for_sandbox(context, "verify");
  Verification verification(context, loaded, secrets);
  const KeysForgotten forgotten(verification);
  const auto first = verification.build(1);
  const auto second = verification.build(2);
  const BuildSpan span{static_cast<std::int64_t>(began) - 1, static_cast<std::int64_t>(os::now_epoch()) + 1};
  auto document = verification.compare(first, second, span);
  document["reproducible"] = document["count"] == 0;
  document["file"] = loaded.file;
  document["name"] = loaded.spec.name;
  document["at"] = began;
  document["links"] = verification.links();
  document["duration_ms"] = (os::now_monotonic() - started).count();
  VerificationRecords(context.base).keep(loaded.identity, document);
  return document;
}

} // namespace pyro::workspace
