// Recipe keys: what a layer is made of, as a chain of digests. Key(n) = H(version, Key(n-1), inputs of n).
// Resolving the inputs (reading files, images) is workspace/'s work; this only combines them.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/spec/spec.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pyro::plan {

/// Part of every key. Raise it when the meaning of any input changes, so that two versions never share a
/// layer wrongly.
/// 2: caches, secrets, what prepare steps reach, and whose checkout it is where that matters.
inline constexpr int k_key_version = 2;

struct RecipeInput {
  std::string
      name; // "image", "run", "user", "env.X", "input package.json", "seed tree", "services.api.env.PORT"
  HexDigest digest;
  std::string display; // for people; never a secret
  Position place;
};

/// One point of the chain: content up to and including it has `key`.
struct Link {
  std::string address; // environment | environment.setup.<id> | seed | prepare.<id> | services
  std::string point;   // image | setup.<id> | seed | prepare.<id> | ready
  HexDigest key;
  std::vector<RecipeInput> inputs;
};

struct InputDigests {
  HexDigest environment; // of the resolved image
  HexDigest
      seed_tree; // names, types, modes, contents, link targets of the seed (not `to` and `owner`: added here)
  /// Address of a step → the files its `inputs` stand for, with their content digests.
  std::map<std::string, std::vector<std::pair<std::string, HexDigest>>> step_inputs;
  /// Service name → digest over the contents of its env_file list.
  std::map<std::string, HexDigest> env_files;
  /// The directory of the file. Part of every key that others must not share: see docs/decisions/0037.
  std::string checkout;
  /// Where only one id exists inside, owners in layers are not what they are elsewhere.
  bool single_id = false;
};

/// environment, setup steps, prepare steps with inputs, seed, the other prepare steps, and `services` (the
/// ready point) if there are services.
std::vector<Link> build_chain(const spec::Spec& spec, const InputDigests& digests);

/// Computes every key again from the inputs, e.g. after one link's inputs were replaced.
void rekey(std::vector<Link>& chain);

/// The key of a snapshot's `at` ("setup" is the last setup step or else the image; "ready" without services
/// is the last link). Empty if there is no such point.
HexDigest key_of_point(const std::vector<Link>& chain, std::string_view at);

/// Index of that link in the chain; nullopt if there is none.
std::optional<std::size_t> index_of_point(const std::vector<Link>& chain, std::string_view at);

/// The key of what a workspace's files are made of: the last link before `services`.
HexDigest content_key(const std::vector<Link>& chain);

/// Digest of how one service runs (its inputs of the `services` link): compare with what runs now. Empty if
/// unknown.
HexDigest service_digest(const std::vector<Link>& chain, const std::string& service);

enum class DifferenceKind { changed, added, removed, moved };

struct Difference {
  std::string address; // of the link in the new chain (of the old one if it was removed)
  DifferenceKind kind = DifferenceKind::changed;
  std::string input; // empty if a whole step came or went
  std::string before;
  std::string after;
  Position place; // of the new input or step; unknown if it is gone
};

/// The first link whose key differs, and the first input of it that explains this: the answer of `pyro why`.
std::optional<Difference> first_difference(const std::vector<Link>& before, const std::vector<Link>& after);

/// All that differs between two links, in the order of their inputs.
std::vector<Difference> link_differences(const Link& before, const Link& after);

/// The same for two links at the same position, whatever came before them.
std::optional<Difference> link_difference(const Link& before, const Link& after);

Json to_json(const Link& link);
Link link_from_json(const Json& value);
/// A whole chain, as records keep it.
Json to_json(const std::vector<Link>& chain);
std::vector<Link> chain_from_json(const Json& value);

} // namespace pyro::plan
