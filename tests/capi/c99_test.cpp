#include <catch2/catch.hpp>

extern "C" int p2pa_c99_program(void);

TEST_CASE("a program in C99 asks and is answered") { CHECK(p2pa_c99_program() == 0); }
