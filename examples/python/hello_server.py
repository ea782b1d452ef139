from p2pagents import Node

with Node("/ip4/127.0.0.1/udp/0/quic-v1", methods={"hello": lambda name: b"hello, " + name}) as node:
    print(node.address, flush=True)
    node.run()
