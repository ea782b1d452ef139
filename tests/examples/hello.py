#!/usr/bin/env python3
"""hello.py --python=PYTHON (NAME SERVER CLIENT)...: each server is asked by each client, and answers.

A server prints the address that it listens on as its first line; a client takes it as its argument
and prints the answer. Those that end in .py are run by PYTHON, which knows the package.
"""
import itertools
import subprocess
import sys

TIMEOUT_S = 30


def ask(server, client):
    """What the client printed."""
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            done = subprocess.run([*client, address], stdout=subprocess.PIPE, text=True,
                                  timeout=TIMEOUT_S, check=False)
            return f"exit code {done.returncode}" if done.returncode else done.stdout
        finally:
            process.kill()


def main(arguments):
    python = arguments.pop(0).removeprefix("--python=")

    def command(program):
        return [python, program] if program.endswith(".py") else [program]

    programs = [(name, command(server), command(client)) for name, server, client in
                zip(arguments[0::3], arguments[1::3], arguments[2::3])]
    failed = 0
    for (server_name, server, _), (client_name, _, client) in itertools.product(programs, repeat=2):
        answer = ask(server, client)
        good = answer == "hello, world\n"
        failed += not good
        print(f"{client_name} asks {server_name}: {'ok' if good else repr(answer)}", flush=True)
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
