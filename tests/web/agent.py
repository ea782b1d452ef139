"""The example's agent."""
from places import AGENT
from tool import Running


class Agent(Running):
    """Listens on a free port of loopback."""
    program = str(AGENT)

    def __init__(self):
        super().__init__("/ip4/127.0.0.1/tcp/0/ws")

    def __enter__(self):
        self.address = self.line()
        self.port = int(self.address.split("/")[4])
        self.peer = self.address.rpartition("/")[2]
        return self
