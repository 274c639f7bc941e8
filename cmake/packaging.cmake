# What `cmake --install` puts where, and the Debian packages that `cpack` (make package) makes of it: pyro, libpyro0
# and libpyro-dev, which are the components.
# The program finds its helpers as ../libexec/pyro beside itself, and so does the library, so any prefix works.
set(pyro_libexec ${CMAKE_INSTALL_LIBEXECDIR}/pyro)
if(TARGET pyro)
  install(TARGETS pyro RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT pyro)
  # Completion and manual come from the program's own table of commands.
  set(pyro_pages ${PROJECT_BINARY_DIR}/generated/pages)
  file(MAKE_DIRECTORY ${pyro_pages})
  add_custom_command(
    OUTPUT ${pyro_pages}/pyro.bash ${pyro_pages}/pyro.1
    COMMAND pyro completion bash > ${pyro_pages}/pyro.bash
    COMMAND pyro man > ${pyro_pages}/pyro.1
    DEPENDS pyro VERBATIM)
  add_custom_target(pyro_pages ALL DEPENDS ${pyro_pages}/pyro.bash ${pyro_pages}/pyro.1)
  install(FILES ${pyro_pages}/pyro.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME pyro COMPONENT pyro)
  install(FILES ${pyro_pages}/pyro.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT pyro)
endif()
foreach(helper pyro_supervisor pyro_supervisor_firecracker pyro_agent pyro_gateway pyro_ssh_program pyro_launcher_program pyro_mcp_program pyro_node_program)
  if(TARGET ${helper})
    install(TARGETS ${helper} RUNTIME DESTINATION ${pyro_libexec} COMPONENT pyro)
  endif()
endforeach()
# The Debian package puts it into /etc (cmake/debian/postinst).
install(FILES cmake/debian/apparmor-profile DESTINATION ${CMAKE_INSTALL_DATADIR}/pyro/apparmor RENAME pyro COMPONENT pyro)
install(DIRECTORY schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/pyro/schemas COMPONENT pyro FILES_MATCHING PATTERN "*.json")
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS COMPONENT pyro)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT pyro FILES_MATCHING PATTERN "*.md")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT pyro)

if(TARGET pyro_shared)
  set(pkgconfig ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/${pkgconfig} OUTPUT_VARIABLE prefix_from_pc)
  configure_file(${CMAKE_CURRENT_SOURCE_DIR}/cmake/pyro.pc.in ${PROJECT_BINARY_DIR}/generated/pyro.pc @ONLY)
  install(TARGETS pyro_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libpyro0 NAMELINK_COMPONENT libpyro-dev)
  install(FILES include/pyro/pyro.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pyro COMPONENT libpyro-dev)
  install(FILES ${PROJECT_BINARY_DIR}/generated/pyro.pc DESTINATION ${pkgconfig} COMPONENT libpyro-dev)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pyro)
set(CPACK_PACKAGE_VENDOR pyro)
set(CPACK_PACKAGE_CONTACT "The pyro developers <pyro@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "declarative, disposable workspaces")
set(CPACK_PACKAGE_DESCRIPTION
    "A repository carries a pyro.yaml: environment, seed, services, snapshots.\n\
pyro apply makes it true in an isolated sandbox, and pyro reset goes back.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL pyro libpyro0 libpyro-dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(CPACK_DEBIAN_PYRO_PACKAGE_NAME pyro)
set(CPACK_COMPONENT_PYRO_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_DEBIAN_PYRO_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PYRO_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/cmake/debian/postinst;${PROJECT_SOURCE_DIR}/cmake/debian/prerm")
set(CPACK_DEBIAN_PYRO_PACKAGE_RECOMMENDS "uidmap, passt | slirp4netns, mmdebstrap")

# The library starts pyro's own launcher, and the two speak the language of one version.
set(CPACK_DEBIAN_LIBPYRO0_PACKAGE_NAME libpyro0)
set(CPACK_DEBIAN_LIBPYRO0_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBPYRO0_PACKAGE_DEPENDS "pyro (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_LIBPYRO0_DESCRIPTION "The library: programs call every operation of pyro by name, with JSON.")

set(CPACK_DEBIAN_LIBPYRO-DEV_PACKAGE_NAME libpyro-dev)
set(CPACK_DEBIAN_LIBPYRO-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBPYRO-DEV_PACKAGE_DEPENDS "libpyro0 (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_LIBPYRO-DEV_DESCRIPTION "The C header pyro/pyro.h, and what pkg-config says of libpyro.")
include(CPack)
