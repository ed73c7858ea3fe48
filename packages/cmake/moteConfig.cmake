# find_package(mote CONFIG): mote::mote, mote::tls where it was installed, and mote_generate(). It finds what lies beside it.
get_filename_component(MOTE_LIB "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(MOTE_PREFIX "${MOTE_LIB}" DIRECTORY)
if(NOT EXISTS "${MOTE_PREFIX}/include/mote/hpack/version.h") # lib/x86_64-linux-gnu
    get_filename_component(MOTE_PREFIX "${MOTE_PREFIX}" DIRECTORY)
endif()

if(NOT TARGET mote::mote)
    add_library(mote::mote STATIC IMPORTED)
    set_target_properties(mote::mote PROPERTIES IMPORTED_LOCATION "${MOTE_LIB}/libmote.a"
                                                INTERFACE_INCLUDE_DIRECTORIES "${MOTE_PREFIX}/include")
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
        include(CMakeFindDependencyMacro)
        find_dependency(Threads)
        set_property(TARGET mote::mote PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
    endif()
endif()
if(NOT TARGET mote::tls AND EXISTS "${MOTE_LIB}/libmote-tls.a")
    include("${CMAKE_CURRENT_LIST_DIR}/MoteMbedTLS.cmake")
    add_library(mote::tls STATIC IMPORTED)
    set_target_properties(mote::tls PROPERTIES IMPORTED_LOCATION "${MOTE_LIB}/libmote-tls.a"
                                               INTERFACE_LINK_LIBRARIES "mote::mote;${MOTE_MBEDTLS}")
endif()
if(NOT TARGET mote::protoc-gen-mote AND NOT CMAKE_CROSSCOMPILING AND EXISTS "${MOTE_PREFIX}/bin/protoc-gen-mote")
    add_executable(mote::protoc-gen-mote IMPORTED)
    set_target_properties(mote::protoc-gen-mote PROPERTIES IMPORTED_LOCATION "${MOTE_PREFIX}/bin/protoc-gen-mote")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/MoteGenerate.cmake")
