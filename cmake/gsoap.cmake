# gSOAP: serialisers from the descriptions of the SOAP interface of AMT 1 to 5. (wsman/eoi/services, docs/eoi.md)
find_program(SOAPCPP2 soapcpp2 REQUIRED)
pkg_check_modules(GSOAP REQUIRED gsoap)
# Statically: the shared library wants symbols of generated code from every program that is linked with it.
find_library(GSOAP_ARCHIVE libgsoap.a REQUIRED)
file(GLOB eoi_descriptions CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/wsman/eoi/services/*.gsoap)

# amtd_gsoap(TARGET PREFIX SIDE FILE...): the generated code of one side (-C client, -S server) as
# objects of their own, with the compiler's warnings off and no house rules applied. Includes: "PREFIXH.h".
function(amtd_gsoap target prefix side)
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/${target})
    list(TRANSFORM ARGN PREPEND ${dir}/ OUTPUT_VARIABLE sources)
    add_custom_command(OUTPUT ${sources} ${dir}/${prefix}H.h ${dir}/${prefix}Stub.h
        COMMAND ${CMAKE_COMMAND} -E make_directory ${dir}
        COMMAND sh -c "exec \"$@\" >/dev/null" sh ${SOAPCPP2} -1 -c ${side} -L -x -w -p ${prefix} -d ${dir} all.gsoap
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/wsman/eoi/services
        DEPENDS ${eoi_descriptions} VERBATIM)
    add_library(${target} OBJECT ${sources} ${dir}/${prefix}H.h)
    target_compile_options(${target} PRIVATE -w -Os -ffunction-sections -fdata-sections)
    target_include_directories(${target} SYSTEM PUBLIC ${dir} ${GSOAP_INCLUDE_DIRS})
    target_compile_definitions(${target} PUBLIC _GNU_SOURCE WITH_IPV6 WITH_DOM) # as the library was built
    target_link_libraries(${target} PUBLIC ${GSOAP_ARCHIVE})
endfunction()
