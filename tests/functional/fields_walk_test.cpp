// Every field of the schema has a case, and every case a field.
#include "fields.hpp"

#include <set>

namespace pyro::testing {
namespace {

/// A field that holds a map with fields of its own is shown by those.
bool is_shape(const Json& field) {
  const auto refers = [](const Json& value) {
    return value.is_object() && value.contains("$ref");
  };
  return refers(field) || refers(field.value("items", Json()))
         || refers(field.value("additionalProperties", Json()));
}

void collect(const std::string& shape, const Json& definition, std::set<std::string>& names) {
  for (const auto& [key, field] : definition.at("properties").items()) {
    if (!is_shape(field)) {
      names.insert(shape + "__" + key);
    }
  }
}

/// "service__env_file" of a case "service__env_file__as_compose_reads_it": a field may have several.
std::string field_of(const std::string& name) {
  const auto field = name.find("__");
  return name.substr(0, field == std::string::npos ? field : name.find("__", field + 2));
}

std::set<std::string> cases() {
  std::set<std::string> names;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int j = 0; suite.name() == std::string("Fields") && j < suite.total_test_count(); ++j) {
      names.insert(field_of(suite.GetTestInfo(j)->name()));
    }
  }
  return names;
}

TEST_F(Fields, EachHasACase) {
  const auto schema = Json::parse(expect(0, {"schema"}).out);
  std::set<std::string> fields;
  collect("root", schema, fields);
  for (const auto& [shape, definition] : schema.at("$defs").items()) {
    if (definition.contains("properties")) {
      collect(shape, definition, fields);
    }
  }
  EXPECT_GT(fields.size(), 80U) << "the schema is read wrongly";
  auto there = cases();
  there.erase("EachHasACase");
  for (const auto& field : fields) {
    EXPECT_TRUE(there.contains(field)) << "nothing shows what this field of pyro.yaml does: " << field;
  }
  for (const auto& name : there) {
    EXPECT_TRUE(fields.contains(name)) << "a case of no field: " << name;
  }
}

} // namespace
} // namespace pyro::testing
