# BLAKE3: the reference implementation in C and assembler, which Debian has as part of the source of the crate of that
# name. Compiled from there, whatever its version. (base/hash.c)
file(GLOB blake3_places LIST_DIRECTORIES true /usr/share/cargo/registry/blake3-*/c)
find_path(BLAKE3_DIR blake3_dispatch.c PATHS ${blake3_places} NO_DEFAULT_PATH REQUIRED
    DOC "where blake3.c is (Debian package librust-blake3-dev)")

add_library(blake3 OBJECT ${BLAKE3_DIR}/blake3.c ${BLAKE3_DIR}/blake3_dispatch.c ${BLAKE3_DIR}/blake3_portable.c)
target_include_directories(blake3 SYSTEM PUBLIC ${BLAKE3_DIR})
target_compile_options(blake3 PRIVATE -w -O3)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    # Each for the processors that have the instructions, which is looked up when the program runs.
    enable_language(ASM)
    foreach(instructions sse2 sse41 avx2 avx512)
        target_sources(blake3 PRIVATE ${BLAKE3_DIR}/blake3_${instructions}_x86-64_unix.S)
    endforeach()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    target_sources(blake3 PRIVATE ${BLAKE3_DIR}/blake3_neon.c)
else()
    target_compile_definitions(blake3 PRIVATE BLAKE3_NO_SSE2 BLAKE3_NO_SSE41 BLAKE3_NO_AVX2 BLAKE3_NO_AVX512)
endif()
