// Where a secret is put into a request, where not, and that its value is in nothing that is said about it.
#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/gateway/request_secrets.hpp>

#include <gtest/gtest.h>

namespace pyro::gateway {
namespace {

const std::string k_real = "ghp_realvalue1234";
const std::string k_placeholder = "pyro_placeholder_0123456789abcdef";

Json secret_json(const Json& change = Json::object()) {
  Json json{
      {"name", "token"},
      {"placeholder", k_placeholder},
      {"value", base64_encode(k_real)},
      {"for", {"api.example", "*.tree.example:8443"}},
      {"header", "Authorization"},
      {"prefix", nullptr},
      {"allow", Json::array()}};
  json.update(change);
  return json;
}

RequestSecrets secrets(const Json& change = Json::object()) {
  return RequestSecrets(Json::array({secret_json(change)}));
}

RequestHead request(std::vector<HeaderField> fields, const std::string& target = "/repos/a") {
  fields.insert(fields.begin(), {"Host", "api.example"});
  return {"GET", target, 11, std::move(fields)};
}

/// What is sent instead; the reason where it is refused.
std::string sent(const RequestSecrets& all, RequestHead head, const std::string& host = "api.example") {
  try {
    std::ignore = all.put_into(head, host, 443);
    return to_string(head);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::permission);
    EXPECT_EQ(std::string(error.what()).find(k_real), std::string::npos);
    return error.message();
  }
}

bool tells(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(RequestSecrets, StandWhereThePlaceholderStood) {
  auto head = request({{"Authorization", "token " + k_placeholder}, {"Accept", "*/*"}});
  EXPECT_EQ(secrets().put_into(head, "api.example", 443), std::vector<std::string>{"token"});
  EXPECT_EQ(
      to_string(head), "GET /repos/a HTTP/1.1\r\nHost: api.example\r\nAuthorization: token " + k_real
                           + "\r\nAccept: */*\r\n\r\n");
}

TEST(RequestSecrets, ArePutInNowhereUnasked) {
  auto head = request({{"Authorization", "Bearer another"}});
  const auto before = to_string(head);
  EXPECT_TRUE(secrets().put_into(head, "api.example", 443).empty());
  EXPECT_EQ(to_string(head), before);
}

TEST(RequestSecrets, HaveThePrefixOfTheFileWhateverTheRequestHas) {
  const auto all = secrets({{"prefix", "Bearer "}, {"header", "X-Key"}});
  for (const auto& value : {k_placeholder, "token " + k_placeholder, "a" + k_placeholder + "b"}) {
    EXPECT_TRUE(tells(sent(all, request({{"x-key", value}})), "x-key: Bearer " + k_real + "\r\n")) << value;
  }
}

TEST(RequestSecrets, AreAPasswordAsGitSendsIt) {
  const auto all = secrets({{"prefix", "Bearer "}});
  const auto basic = "Basic " + base64_encode("x-access-token:" + k_placeholder);
  EXPECT_TRUE(tells(
      sent(all, request({{"Authorization", basic}})),
      "Authorization: Basic " + base64_encode("x-access-token:" + k_real)));
}

TEST(RequestSecrets, OfAnotherHostOrPlaceAreRefusedWithTheReason) {
  const auto all = secrets();
  const HeaderField good{"Authorization", k_placeholder};
  const auto basic = "Basic " + base64_encode("x:" + k_placeholder);
  EXPECT_TRUE(tells(sent(all, request({good}), "other.example"), "is for api.example, *.tree.example:8443"));
  EXPECT_TRUE(tells(sent(all, request({{"Authorization", basic}}), "other.example"), "is for api.example"));
  EXPECT_TRUE(tells(sent(all, request({{"X-Other", k_placeholder}})), "stands in the header X-Other"));
  EXPECT_TRUE(tells(sent(all, request({{"X-" + k_placeholder, "a"}})), "stands in the header"));
  EXPECT_TRUE(tells(sent(all, request({good, {"Cookie", "a=" + k_placeholder}})), "the header Cookie"));
  EXPECT_TRUE(tells(sent(all, request({good}, "/?token=" + k_placeholder)), "stands in the target"));
  EXPECT_TRUE(tells(sent(secrets({{"value", nullptr}}), request({good})), "is not set"));
}

TEST(RequestSecrets, AreForTheirPortsOnly) {
  const auto all = secrets();
  EXPECT_TRUE(all.concern("api.example", 443));
  EXPECT_TRUE(all.concern("a.tree.example", 8443));
  EXPECT_FALSE(all.concern("api.example", 80));
  EXPECT_FALSE(all.concern("a.tree.example", 443));
  EXPECT_FALSE(all.concern("tree.example", 8443));
  EXPECT_FALSE(all.concern("api.example.evil", 443));
}

TEST(RequestSecrets, GoIntoNoClearText) {
  const auto all = secrets();
  for (const auto& head :
       {request({{"Authorization", k_placeholder}}), request({}, "/" + k_placeholder),
        request({{"Authorization", "Basic " + base64_encode(k_placeholder + ":")}})}) {
    EXPECT_THROW(all.refuse_in_clear(head, "api.example"), Error);
  }
  EXPECT_NO_THROW(all.refuse_in_clear(request({{"Authorization", "Bearer x"}}), "api.example"));
}

TEST(RequestSecrets, ArePutIntoAllowedRequestsOnly) {
  const auto all = secrets({{"allow", {"GET /repos/*", "POST /graphql"}}});
  const HeaderField good{"Authorization", k_placeholder};
  EXPECT_TRUE(tells(sent(all, request({good})), k_real));
  EXPECT_TRUE(tells(sent(all, request({good}, "https://api.example/repos/a")), k_real));
  for (const auto* target :
       {"/user", "/graphql", "/repos/../user", "/repos/%2e%2e/user", "/repos/..%2fuser", "/repos//user",
        "https://api.example/user", "https://api.example?/repos/a", "*"}) {
    EXPECT_FALSE(tells(sent(all, request({good}, target)), k_real)) << target;
  }
  for (const auto* name : {"X-HTTP-Method-Override", "x-original-url", "X-Rewrite-URL"}) {
    EXPECT_TRUE(tells(sent(all, request({good, {name, "DELETE"}})), "secrets.token.allow")) << name;
  }
  EXPECT_TRUE(tells(sent(all, request({}, "/user")), "GET /user")) << "without the secret it is any request";
}

TEST(RequestSecrets, ThatAServerSendsBackArePlaceholdersAgain) {
  ResponseHead head{11, 200, "OK " + k_real, {{"X-Echo", "Bearer " + k_real + ", " + k_real}}};
  secrets().take_out(head);
  EXPECT_EQ(
      to_string(head), "HTTP/1.1 200 OK " + k_placeholder + "\r\nX-Echo: Bearer " + k_placeholder + ", "
                           + k_placeholder + "\r\n\r\n");
}

TEST(RequestSecrets, SeveralStandInOneRequest) {
  const auto other = secret_json(
      {{"name", "key"},
       {"placeholder", "pyro_placeholder_fedcba9876543210"},
       {"header", "X-Key"},
       {"value", base64_encode("the other " + k_placeholder)}});
  const RequestSecrets all(Json::array({other, secret_json()}));
  const auto text =
      sent(all, request({{"Authorization", k_placeholder}, {"X-Key", "pyro_placeholder_fedcba9876543210"}}));
  EXPECT_TRUE(tells(text, "Authorization: " + k_real)) << text;
  EXPECT_TRUE(tells(text, "X-Key: the other " + k_placeholder)) << "what a value has in it stays: " << text;
}

TEST(RequestSecrets, ThatCannotStandInAHeaderAreRefusedWithoutTheirValue) {
  for (const auto& value :
       {k_real + "\r\nX: y", std::string(), k_real + std::string(1, '\0'), k_real + "\n"}) {
    try {
      secrets({{"value", base64_encode(value)}});
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_FALSE(tells(error.what(), k_real));
    }
  }
  EXPECT_THROW(secrets({{"placeholder", "short"}}), Error);
}

} // namespace
} // namespace pyro::gateway
