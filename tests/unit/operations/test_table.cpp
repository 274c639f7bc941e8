#include "../../support/files.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/guide.hpp>
#include <pyro/operations/operation.hpp>
#include <pyro/operations/parameters.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace pyro::operations {

namespace {

const std::string k_golden = pyro::testing::source_dir().string() + "/schemas/operations/operations.json";

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace

TEST(Table, CheckedInSchemasAreTheGeneratedOnes) {
  const auto generated = dump_json(operations_document());
  if (const char* accept = std::getenv("PYRO_TEST_ACCEPT"); accept != nullptr && std::string(accept) == "1") {
    std::ofstream(k_golden) << generated;
    GTEST_SKIP() << "rewrote " << k_golden;
  }
  EXPECT_EQ(read(k_golden), generated) << "run with PYRO_TEST_ACCEPT=1 and look at the difference";
}

TEST(Table, NamesAreUniqueAndHintsConsistent) {
  std::set<std::string> names;
  for (const auto& operation : operations()) {
    EXPECT_TRUE(names.insert(operation.name).second) << operation.name;
    EXPECT_FALSE(operation.read_only && operation.destructive) << operation.name;
    EXPECT_FALSE(operation.summary.empty()) << operation.name;
    EXPECT_TRUE(operation.run) << operation.name;
    EXPECT_EQ(operation.parameters_schema["additionalProperties"], false) << operation.name;
  }
}

TEST(Table, EachIsFoundByANameBesideTheMakerOfItsGroup) {
  std::vector<std::string> made;
  for (const auto& operation : operations()) {
    made.push_back(operation.name);
    EXPECT_EQ(find_operation(operation.name).summary, operation.summary) << operation.name;
  }
  EXPECT_EQ(operation_names(), made);
}

TEST(Table, EachHasAGuide) {
  for (const auto& operation : operations()) {
    const auto guide = guide_of(operation.name);
    EXPECT_TRUE(guide.ends_with('.'))
        << operation.name << ": what should a caller know of it beside its summary?";
    EXPECT_LT(guide.size(), 200U) << operation.name << ": a model reads all of them at once";
    EXPECT_FALSE(operation.summary.ends_with('.')) << operation.name;
  }
  EXPECT_EQ(guide_of("none"), "");
}

TEST(Table, SchemasUseOnlyWhatIsChecked) {
  // mismatch() throws for a key it does not know; a value of every property walks through all of the schema.
  for (const auto& operation : operations()) {
    for (const auto& schema : {operation.parameters_schema, operation.result_schema}) {
      Json sample = Json::object();
      for (const auto& [name, property] : schema["properties"].items()) {
        sample[name] = nullptr;
        EXPECT_NO_THROW(mismatch(property, sample[name])) << operation.name << "." << name;
      }
    }
  }
}

TEST(Table, UnknownOperationsSuggestTheNearest) {
  try {
    find_operation("snapshot_creat");
    FAIL() << "found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(error.hint(), "did you mean 'snapshot_create'?");
  }
}

} // namespace pyro::operations
