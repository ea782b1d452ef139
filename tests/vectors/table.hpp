#pragma once
// The files of data/: a row a line, columns set apart by blanks, comments behind '#'.

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace p2pa::test {

using Row = std::vector<std::string>;

inline std::vector<Row> read_table(const std::string& name, std::size_t columns) {
  std::ifstream file(std::string(P2PA_SOURCE_DIR) + "/tests/vectors/data/" + name + ".txt");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream cells(line);
    Row row;
    for (std::string cell; cells >> cell;) row.push_back(cell);
    REQUIRE(row.size() == columns);
    rows.push_back(row);
  }
  REQUIRE_FALSE(rows.empty());
  return rows;
}

}  // namespace p2pa::test
