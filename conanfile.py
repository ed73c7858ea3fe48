"""Conan 2: `conan create .`; in a project, requires = "mote/0.1.0", then find_package(mote CONFIG) and mote_generate()."""
import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Mote(ConanFile):
    name = "mote"
    description = "HTTP/2 and gRPC without a heap, for machines from microcontrollers up"
    license = "Apache-2.0"
    topics = ("grpc", "http2", "protobuf", "embedded")
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = ("CMakeLists.txt", "LICENSE", "packages/*", "hpack/*", "h2/*", "grpc/*", "pb/*", "tls/*", "port/posix/*", "port/serial/*",
                       "examples/tools/*", "examples/common/*")

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "hpack", "version.h"))
        self.version = ".".join(re.findall(r"define MOTE_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def configure(self):
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeToolchain(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # The library's own moteConfig.cmake, which has mote_generate().
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "mote")]
        self.cpp_info.libs = ["mote"]
