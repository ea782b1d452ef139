import sys
from p2pagents import Node

with Node() as node:
    print(node.call(sys.argv[1], "hello", "world").decode())
