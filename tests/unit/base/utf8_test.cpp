#include <catch2/catch.hpp>

#include "base/utf8.hpp"

using namespace p2pa;

TEST_CASE("text in any language is UTF-8", "[utf8]") {
  for (const char* text : {"", "plain", "gr\xc3\xbc\xc3\x9f", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x90\x9d",
                           "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_utf8(text));
    CHECK(to_utf8(text, 100) == text);
  }
}

TEST_CASE("overlong forms, surrogates, what is cut and what is too large are not UTF-8", "[utf8]") {
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe6\x97",
                           "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x90", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xff", "ok\xfe"}) {
    INFO(text);
    CHECK_FALSE(is_utf8(text));
    CHECK(is_utf8(to_utf8(text, 100)));
  }
}

TEST_CASE("text is cut at the end of a character", "[utf8]") {
  CHECK(to_utf8("a\xc3\xbc", 3) == "a\xc3\xbc");
  CHECK(to_utf8("a\xc3\xbc", 2) == "a");
  CHECK(to_utf8("a\xff" "b", 2) == "a?");
  CHECK(to_utf8("abc", 0).empty());
}
