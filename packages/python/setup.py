"""Compiles the plugin, which is C, into the package: the compiler is CC, or the one that Python was built with."""
import os
import shlex
import subprocess
import sysconfig
from glob import glob

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py


class Compile(build_py):
    def run(self):
        super().run()
        out = os.path.join(self.build_lib, "protoc_gen_mote", "protoc-gen-mote")
        compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
        sources = sorted(glob("pb/*.c") + glob("pb/plugin/*.c"))
        subprocess.check_call([*shlex.split(compiler), "-std=c11", "-O2", *sources, "-o", out])


class Native(Distribution):
    def has_ext_modules(self):
        return True  # the wheel is for this machine


setup(cmdclass={"build_py": Compile}, distclass=Native)
