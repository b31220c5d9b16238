"""Imports what the words name, and then runs programs, each in a process of its own that begins from there: to import mlflow takes
seconds. A line of the input is a program with its words, environment and output; a line of the output is its exit code."""

import importlib
import json
import os
import runpy
import sys


def next_program():
    for line in sys.stdin:
        program = json.loads(line)
        child = os.fork()
        if child == 0:
            return program
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    sys.exit()


for module in sys.argv[1:]:
    importlib.import_module(module)
program = next_program()
for descriptor, path in enumerate([os.devnull, program["stdout"], program["stderr"]]):
    os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), descriptor)
os.environ.update(program["env"])
sys.argv = [program["path"], *program["words"]]
runpy.run_path(program["path"], run_name="__main__")
