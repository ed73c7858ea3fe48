"""protoc --mote_out=. finds the plugin by the name of this script."""
import os
import sys


def main():
    plugin = os.path.join(os.path.dirname(__file__), "protoc-gen-mote")
    os.execv(plugin, [plugin, *sys.argv[1:]])
