# mote_generate(TARGET PROTOS... [IMPORTS FOLDERS...] [OPTIONS OPTIONS...]): runs protoc with protoc-gen-mote when a .proto
# changes; what it writes is compiled into TARGET, and TARGET and its users find the headers.
#
# Names of PROTOS are as protoc wants them, below one of IMPORTS; without IMPORTS that is the current folder.
# protoc is MOTE_PROTOC, or in PATH. The plugin is MOTE_PROTOC_GEN_MOTE, the one that is built here or was installed, or
# in PATH; in a cross build that has none, the host's compiler makes it (MOTE_HOST_CC, or cc in PATH).

# For a cross build: mote::protoc-gen-mote, of these sources, by the host's compiler.
function(mote_host_plugin)
    find_program(MOTE_PROTOC_GEN_MOTE protoc-gen-mote NO_CMAKE_FIND_ROOT_PATH)
    if(MOTE_PROTOC_GEN_MOTE)
        return()
    endif()
    find_program(MOTE_HOST_CC NAMES cc gcc clang NO_CMAKE_FIND_ROOT_PATH)
    if(NOT MOTE_HOST_CC)
        return()
    endif()
    set(PLUGIN ${CMAKE_CURRENT_BINARY_DIR}/protoc-gen-mote)
    list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    add_custom_command(OUTPUT ${PLUGIN} COMMAND ${MOTE_HOST_CC} -std=c11 -O1 -o ${PLUGIN} ${ARGN} DEPENDS ${ARGN}
                       COMMENT "protoc-gen-mote for the host" VERBATIM)
    add_custom_target(mote-host-plugin DEPENDS ${PLUGIN})
    add_executable(mote::protoc-gen-mote IMPORTED GLOBAL)
    set_target_properties(mote::protoc-gen-mote PROPERTIES IMPORTED_LOCATION ${PLUGIN})
    add_dependencies(mote::protoc-gen-mote mote-host-plugin)
endfunction()

function(mote_generate TARGET)
    cmake_parse_arguments(GEN "" "" "IMPORTS;OPTIONS" ${ARGN})
    find_program(MOTE_PROTOC protoc NO_CMAKE_FIND_ROOT_PATH)
    if(NOT MOTE_PROTOC)
        message(FATAL_ERROR "mote_generate(${TARGET}): there is no protoc; install protobuf-compiler, or set MOTE_PROTOC")
    endif()
    if(NOT MOTE_PROTOC_GEN_MOTE AND TARGET mote::protoc-gen-mote)
        set(PLUGIN $<TARGET_FILE:mote::protoc-gen-mote>)
        set(PLUGIN_NEEDS mote::protoc-gen-mote)
        if(TARGET mote-host-plugin)
            set(PLUGIN_NEEDS mote-host-plugin)
        endif()
    else()
        find_program(MOTE_PROTOC_GEN_MOTE protoc-gen-mote NO_CMAKE_FIND_ROOT_PATH)
        if(NOT MOTE_PROTOC_GEN_MOTE)
            message(FATAL_ERROR "mote_generate(${TARGET}): there is no protoc-gen-mote; set MOTE_PROTOC_GEN_MOTE to the one of this "
                                "version (`make build/protoc-gen-mote` builds it), or MOTE_HOST_CC to a compiler of this machine")
        endif()
        set(PLUGIN ${MOTE_PROTOC_GEN_MOTE})
        set(PLUGIN_NEEDS ${MOTE_PROTOC_GEN_MOTE})
    endif()

    set(FOLDER ${CMAKE_CURRENT_BINARY_DIR}/${TARGET}.mote)
    file(MAKE_DIRECTORY ${FOLDER})
    set(IMPORTS ${GEN_IMPORTS})
    if(NOT IMPORTS)
        set(IMPORTS ${CMAKE_CURRENT_SOURCE_DIR})
    endif()
    set(FLAGS)
    foreach(IMPORT ${IMPORTS})
        get_filename_component(IMPORT ${IMPORT} ABSOLUTE)
        list(APPEND FLAGS -I ${IMPORT})
    endforeach()
    string(REPLACE ";" "," OPTIONS "${GEN_OPTIONS}")
    foreach(PROTO ${GEN_UNPARSED_ARGUMENTS})
        set(SOURCE)
        foreach(IMPORT ${IMPORTS})
            get_filename_component(PLACE ${IMPORT}/${PROTO} ABSOLUTE)
            if(NOT SOURCE AND EXISTS ${PLACE})
                set(SOURCE ${PLACE})
            endif()
        endforeach()
        if(NOT SOURCE)
            message(FATAL_ERROR "mote_generate(${TARGET}): ${PROTO} is in none of: ${IMPORTS}")
        endif()
        string(REGEX REPLACE "\\.proto$" ".mote" BASE ${PROTO})
        add_custom_command(
            OUTPUT ${FOLDER}/${BASE}.h ${FOLDER}/${BASE}.c
            COMMAND ${MOTE_PROTOC} --plugin=protoc-gen-mote=${PLUGIN} ${FLAGS} --mote_out=${FOLDER} --mote_opt=${OPTIONS} ${PROTO}
            DEPENDS ${SOURCE} ${PLUGIN_NEEDS}
            COMMENT "protoc-gen-mote ${PROTO}" VERBATIM)
        target_sources(${TARGET} PRIVATE ${FOLDER}/${BASE}.h ${FOLDER}/${BASE}.c)
    endforeach()
    target_include_directories(${TARGET} PUBLIC ${FOLDER})
endfunction()
